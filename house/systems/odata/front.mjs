// The strict front of the order desk. It asks for a login (401, basic or the cookie of POST /login), for the token against forged requests
// that belongs to the session's cookie (403, x-csrf-token: Required), and for If-Match (428 without, 412 with a stale one). It gives lists in pages
// of its own size, whatever it is asked for, with an opaque $skiptoken and under a name that is its own alone. It makes change sets whole: what
// the mock did of one that failed is taken back.
//
// POST /house/expire ends all sessions; with ?silent=1, lists of a session that ended are empty instead of refused. POST /house/reset gives the
// first data again, and POST /house/parts the set of the conformance suite alone, so that it can run beside others. GET /house/count tells what came in. Nobody needs a login for these.
import { randomBytes } from 'node:crypto'
import { changeSet, fill } from './changeset.mjs'

const pageSize = 20
const elsewhere = 'https://gw-internal.example:44300'
const users = { agent: 'Agent-pw-2026' }
const json = { 'content-type': 'application/json' }

// plain says a condition as the mock's parser takes it: it knows no quote within a text, no M behind a decimal and no time of day. The quote
// comes back in filter.js.
const plain = filter => filter.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(time)?'((?:[^']|'')*)'|(\d)[MmDdFf]\b/gi, (all, time, text, digit) => {
  if (!digit && text === undefined) return all // a GUID, which has digits before a d, too
  if (digit) return digit
  return `${all.startsWith("time'PT") ? '' : time ?? ''}'${text.replaceAll("''", '\ue000').replaceAll('"', '\ue001').replaceAll('\\', '\ue002')}'`
})

export function front(mock, roots) {
  let sessions = new Map() // cookie: {user, token, ended}
  let versions = new Map() // service and record: number
  const counts = { logins: 0, refused: 0, requests: 0 }

  const error = (response, status, code, message, headers = {}) => {
    response.writeHead(status, { ...json, ...headers })
    response.end(JSON.stringify({ error: { code, message: response.v4 ? message : { lang: 'en', value: message } } }))
  }

  // upstream asks the mock; a body goes on as it came.
  const upstream = async (method, url, headers = {}, body) => {
    const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => ['accept', 'content-type', 'prefer', 'x-csrf-token'].includes(name)))
    const answer = await fetch(mock + url, { method, headers: kept, body: body?.length ? body : undefined })
    return { status: answer.status, type: answer.headers.get('content-type') ?? '', location: answer.headers.get('location'), text: await answer.text() }
  }

  const cookies = request => Object.fromEntries((request.headers.cookie ?? '').split('; ').map(one => one.split('=')))
  const open = user => {
    const id = randomBytes(12).toString('hex')
    sessions.set(id, { user, token: randomBytes(12).toString('base64url') })
    return id
  }

  // login finds who asks: undefined is refused.
  const login = (request, response) => {
    const id = cookies(request).DESK_SESSION
    const session = sessions.get(id)
    const [scheme, value] = (request.headers.authorization ?? '').split(' ')
    if (scheme === 'Basic') {
      const [user, ...password] = Buffer.from(value, 'base64').toString().split(':')
      if (users[user] !== password.join(':')) return undefined
      if (session && !session.ended) return session
      const fresh = open(user)
      response.setHeader('set-cookie', `DESK_SESSION=${fresh}; path=/; HttpOnly`)
      return sessions.get(fresh)
    }
    return session
  }

  const serve = async (request, response, body) => {
    const url = new URL(request.url, 'http://front')
    const root = roots.find(one => url.pathname.startsWith(one + '/'))
    response.v4 = root?.includes('/v4/')
    if (url.pathname.startsWith('/house/')) return house(request, response, url)
    if (request.method === 'POST' && url.pathname === '/login') return logIn(response, body)
    counts.requests++
    const session = login(request, response)
    if (!session || session.ended === 'told') {
      counts.refused++
      return error(response, 401, '401', 'Unauthorized', { 'www-authenticate': 'Basic realm="desk"' })
    }
    if (!root) return error(response, 404, '404', 'No service found')
    const path = url.pathname.slice(root.length + 1)
    if (session.ended === 'silent') {
      if (path === '') return error(response, 401, '401', 'Unauthorized')
      if (path !== '$metadata') return send(response, 200, response.v4 ? { value: [] } : { d: { results: [] } })
    }
    if (request.headers['x-csrf-token']?.toLowerCase() === 'fetch') response.setHeader('x-csrf-token', session.token)
    const safe = request.method === 'GET' || request.method === 'HEAD'
    if (!safe && (request.headers['x-csrf-token'] !== session.token || !cookies(request).DESK_SESSION)) {
      return error(response, 403, '403', 'CSRF token validation failed', { 'x-csrf-token': 'Required' })
    }
    return safe ? read(request, response, root, path, url) : change(request, response, root, path, url, body)
  }

  const logIn = (response, body) => {
    const { user, password } = JSON.parse(body.toString() || '{}')
    counts.logins++
    if (users[user] !== password) return error(response, 401, '401', 'Wrong user or password')
    response.writeHead(200, { ...json, 'set-cookie': `DESK_SESSION=${open(user)}; path=/; HttpOnly` })
    response.end('{}')
  }

  const house = async (request, response, url) => {
    if (url.pathname === '/house/expire') for (const s of sessions.values()) s.ended = url.searchParams.has('silent') ? 'silent' : 'told'
    if (url.pathname === '/house/parts') for (const root of roots) await fill(upstream, root)
    if (url.pathname === '/house/reset') {
      versions = new Map()
      for (const root of roots) await upstream('POST', root + '/$metadata/reload')
    }
    response.writeHead(200, json)
    response.end(JSON.stringify(counts))
  }

  const send = (response, status, value) => {
    response.writeHead(status, json)
    response.end(value === undefined ? '' : JSON.stringify(value))
  }

  const query = values => [...values].map(([name, value]) => name + '=' + encodeURIComponent(value)).join('&')

  const read = async (request, response, root, path, url) => {
    if (/^(Slow|slow)$/.test(path)) {
      await new Promise(done => { const timer = setTimeout(done, 25000); response.on('close', () => { clearTimeout(timer); done() }) })
      return send(response, 200, response.v4 ? { value: [] } : { d: { results: [] } })
    }
    if (/^(Numbers|numbers)$/.test(path)) return numbers(response, root, path, url)
    if (path === '' || path === '$metadata' || path.endsWith(')')) {
      const answer = await upstream('GET', root + '/' + path + url.search, request.headers)
      return stamped(response, root, path, answer)
    }
    return page(request, response, root, path, url)
  }

  // page reads a list in pages of the front's own size.
  const page = async (request, response, root, path, url) => {
    const values = new URLSearchParams(url.search)
    let at = { skip: Number(values.get('$skip') ?? 0), left: values.has('$top') ? Number(values.get('$top')) : Infinity }
    if (values.has('$skiptoken')) {
      at = JSON.parse(Buffer.from(values.get('$skiptoken'), 'base64url').toString())
      at.left ??= Infinity
    }
    values.delete('$skiptoken')
    const top = Math.min(at.left, pageSize)
    if (path === 'requests' && !values.get('$filter')?.includes('IsActiveEntity')) { // drafts are in no list that does not ask for them
      values.set('$filter', [values.get('$filter') && `(${values.get('$filter')})`, 'IsActiveEntity eq true'].filter(Boolean).join(' and '))
    }
    const asked = values.get('$filter')
    if (asked) values.set('$filter', plain(values.get('$filter')))
    values.set('$top', top)
    values.set('$skip', at.skip)
    const answer = await upstream('GET', root + '/' + path + '?' + query(values), request.headers)
    if (asked) values.set('$filter', asked)
    if (answer.status !== 200) return stamped(response, root, path, answer)
    const value = JSON.parse(answer.text)
    const records = response.v4 ? value.value : value.d.results
    if (records.length === top && at.left > top) {
      values.delete('$top')
      values.delete('$skip')
      values.set('$skiptoken', Buffer.from(JSON.stringify({ skip: at.skip + top, left: at.left === Infinity ? undefined : at.left - top })).toString('base64url'))
      const next = elsewhere + root + '/' + path + '?' + query(values)
      if (response.v4) value['@odata.nextLink'] = next
      else value.d.__next = next
    }
    return stamped(response, root, path, { ...answer, text: JSON.stringify(value) })
  }

  // numbers are a million records, in pages of 5000, made as they are read.
  const numbers = (response, root, path, url) => {
    const from = Number(url.searchParams.get('$skiptoken') ?? 0)
    const name = response.v4 ? 'i' : 'I'
    const records = Array.from({ length: 5000 }, (_, i) => ({ [name]: from + i + 1 }))
    const next = from + 5000 < 1000000 ? `${elsewhere}${root}/${path}?$skiptoken=${from + 5000}` : undefined
    return send(response, 200, response.v4 ? { value: records, '@odata.nextLink': next } : { d: { results: records, __next: next } })
  }

  // The version of a record: of its service, set and key.
  const keyNames = { PurchaseOrders: ['PurchaseOrder'], purchaseOrders: ['id'], Parts: ['PartId'], parts: ['partId'] }
  const nameOf = (root, set, record) => `${root}/${set}/${(keyNames[set] ?? Object.keys(record).slice(0, 1)).map(name => record[name]).join()}`
  const etag = name => `W/"${versions.get(name) ?? 1}"`
  const bump = name => versions.set(name, (versions.get(name) ?? 1) + 1)
  const setOf = path => path.split('(')[0]
  const nameAt = (root, path) => {
    const key = decodeURIComponent(/^[^(]+\(([^)]*)\)/.exec(path)?.[1] ?? '').replace(/^(\w+=)/, '').replace(/^'|'$/g, '')
    return `${root}/${setOf(path)}/${key}`
  }

  // stamped answers with the records' ETags in them.
  const stamped = (response, root, path, answer) => {
    const set = setOf(path)
    if (answer.type.includes('json') && answer.status < 300 && answer.text && keyNames[set] && !path.includes('/')) {
      const value = JSON.parse(answer.text)
      const records = response.v4 ? value.value ?? [value] : value.d.results ?? [value.d]
      for (const record of records) {
        const tag = etag(nameOf(root, set, record))
        if (response.v4) record['@odata.etag'] = tag
        else record.__metadata = { ...record.__metadata, etag: tag }
        if (records.length === 1 && (path.endsWith(')') || answer.status === 201)) response.setHeader('etag', tag)
      }
      answer = { ...answer, text: JSON.stringify(value) }
    }
    response.statusCode = answer.status
    if (answer.type) response.setHeader('content-type', answer.type)
    if (answer.location) response.setHeader('location', answer.location)
    response.end(answer.text)
  }

  // guard holds a change of a record against its version: 0 is allowed.
  const guard = (method, root, path, match) => {
    if (!['PATCH', 'PUT', 'MERGE', 'DELETE'].includes(method)) return 0
    const name = nameAt(root, path)
    if (!match) return 428
    return match === '*' || match === etag(name) ? 0 : 412
  }

  const change = async (request, response, root, path, url, body) => {
    if (path === '$batch') {
      const answer = await changeSet({ upstream, root, request, body, guard, bump: one => bump(nameAt(root, one)) })
      response.writeHead(answer.status, { 'content-type': answer.type })
      return response.end(answer.text)
    }
    if (/^(Slow|slow)$/.test(path)) {
      await new Promise(done => { const timer = setTimeout(done, 25000); response.on('close', () => { clearTimeout(timer); done() }) })
      return send(response, 204)
    }
    const set = setOf(path)
    const key = request.method === 'POST' && path === set && keyNames[set]?.map(name => JSON.parse(body.toString() || '{}')[name]).join()
    if (key && (await upstream('GET', `${root}/${set}(${key})`)).status === 200) return error(response, 500, 'DESK/530', 'A record with this key exists')
    const refused = guard(request.method, root, path, request.headers['if-match'])
    if (refused === 428) return error(response, 428, 'DESK/428', 'If-Match is required')
    if (refused === 412) return error(response, 412, 'DESK/412', 'The record was changed')
    const headers = body.length ? request.headers : { ...request.headers, 'content-type': 'application/json' } // without a body the mock's actions fail
    const answer = await upstream(request.method, root + '/' + path + url.search, headers, body)
    if (answer.status < 300) {
      const order = url.searchParams.get('PurchaseOrder')?.replace(/'/g, '')
      if (path === 'Release') bump(`${root}/PurchaseOrders/${order}`)
      else if (path.includes('(')) bump(nameAt(root, path))
    }
    if (answer.status === 200 && ['PATCH', 'MERGE', 'PUT'].includes(request.method)) return send(response, 204)
    return stamped(response, root, path, answer)
  }

  return (request, response) => {
    const chunks = []
    request.on('data', chunk => chunks.push(chunk)).on('end', () => serve(request, response, Buffer.concat(chunks)).catch(problem => {
      console.error(problem)
      if (!response.headersSent) error(response, 500, '500', String(problem))
      else response.end()
    }))
  }
}
