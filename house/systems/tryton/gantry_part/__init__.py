"""A Tryton module for the driver's conformance suite: a table with ties, nulls and exact prices, a call that takes its
time, and a model of a million records that costs the server nothing to keep."""
import time

from trytond.model import ModelSQL, ModelStorage, ModelView, Unique, fields
from trytond.pool import Pool
from trytond.rpc import RPC


class Part(ModelSQL, ModelView):
    "Part"
    __name__ = 'gantry.part'
    part_id = fields.Integer("Number", required=True)
    name = fields.Char("Name", required=True)
    price = fields.Numeric("Price", digits=(20, 2))
    category = fields.Char("Category")
    modified = fields.DateTime("Modified", required=True)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        table = cls.__table__()
        cls._sql_constraints = [
            ('part_id', Unique(table, table.part_id), 'gantry_part.msg_taken')]
        cls.__rpc__.update({
            'slow': RPC(),
            'rename': RPC(readonly=False),
            'add': RPC(readonly=False),
            })

    @classmethod
    def slow(cls):
        time.sleep(20)
        return [{'one': 1}]

    @classmethod
    def add(cls, values):
        part, = cls.create([values])
        return {'part_id': part.part_id, 'count': 1}

    @classmethod
    def rename(cls, part_id, name):
        parts = cls.search([('part_id', '=', part_id)])
        if parts:
            cls.write(parts, {'name': name})
        return len(parts)


class Many(ModelStorage, ModelView):
    "Many"
    __name__ = 'gantry.many'

    @classmethod
    def search_read(cls, domain, offset=0, limit=None, order=None, fields_names=None):
        first = max([0] + [value for clause in domain if len(clause) == 3 for value in [clause[2]]])
        return [{'id': i} for i in range(first + 1, min(first + (limit or 1000), 1000000) + 1)]


def register():
    Pool.register(Part, Many, module='gantry_part', type_='model')
