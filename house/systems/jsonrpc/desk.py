#!/usr/bin/python3
"""A service that speaks JSON-RPC 2.0, with the protocol of the library json-rpc and the table of the driver's conformance suite.
desk.py DATABASE [PORT]: without a port it makes the database."""
import base64
import sqlite3
import sys
import time

from jsonrpc import JSONRPCResponseManager, dispatcher
from jsonrpc.exceptions import JSONRPCDispatchException
from werkzeug.serving import run_simple
from werkzeug.wrappers import Request, Response

FILE = sys.argv[1]
COLUMNS = ('part_id', 'name', 'price', 'category', 'modified')
PASSWORDS = {'agent': 'Desk-pw-2026', 'locked': 'Locked-pw-2026'}


def query(sql, *args):
    db = sqlite3.connect(FILE, timeout=10)
    try:
        with db:
            cursor = db.execute(sql, args)
            return cursor.fetchall() if cursor.description else cursor.rowcount
    finally:
        db.close()


@dispatcher.add_method
def version():
    return 'json-rpc desk 1'


def login(user, password):
    if PASSWORDS.get(user) != password:
        raise JSONRPCDispatchException(code=-32500, message='Login name or password is incorrect.')
    return {'token': base64.b64encode(user.encode()).decode()}


def parts(id=None, offset=0, size=1000):
    where, args = ('WHERE part_id = ?', (id,)) if id is not None else ('', ())
    rows = query(f'SELECT * FROM parts {where} ORDER BY part_id LIMIT ? OFFSET ?', *args, size, offset)
    return {'items': [dict(zip(COLUMNS, row)) for row in rows], 'total': query(f'SELECT count(*) FROM parts {where}', *args)[0][0]}


def add(part_id, name, price, category, modified):
    try:
        query('INSERT INTO parts VALUES (?, ?, ?, ?, ?)', part_id, name, price, category, modified)
    except sqlite3.IntegrityError:
        raise JSONRPCDispatchException(code=1, message='There is a part of this number already.', data='part_id')
    return {'part_id': part_id, 'count': 1}


def rename(part_id, name):
    return query('UPDATE parts SET name = ? WHERE part_id = ?', name, part_id)


def slow():
    time.sleep(20)
    return [{'one': 1}]


def many(offset, size):
    return [{'i': i} for i in range(offset, min(offset + size, 1000000))]


dispatcher.update({'user.login': login, 'part.list': parts, 'part.add': add, 'part.rename': rename, 'part.slow': slow, 'part.many': many})


@Request.application
def application(request):
    body = request.get_data(as_text=True)
    token = request.headers.get('Authorization', '').removeprefix('Bearer ')
    if '"user.login"' not in body and base64.b64decode(token).decode() not in PASSWORDS:
        return Response('{"jsonrpc":"2.0","id":null,"error":{"code":-32500,"message":"Not logged in."}}', mimetype='application/json')
    answer = JSONRPCResponseManager.handle(body, dispatcher)
    return Response(answer.json if answer else '', mimetype='application/json')


if len(sys.argv) == 2:
    query('CREATE TABLE IF NOT EXISTS parts (part_id INTEGER PRIMARY KEY, name TEXT, price TEXT, category TEXT, modified TEXT)')
else:
    run_simple('127.0.0.1', int(sys.argv[2]), application, threaded=True)
