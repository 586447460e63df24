// Change sets, which the mock server does not keep whole: what it did of one that failed is taken back here, and the answer is as real
// services give it: in JSON with the 201 of the member that is gone again, in multipart with the failure alone, both under a good status.

import { v2, v4 } from './data.mjs'

// members lists the calls of a batch: method, path and If-Match.
function members(type, text) {
  if (type.startsWith('application/json')) {
    return JSON.parse(text).requests.map(one => ({ method: one.method, path: one.url, match: one.headers?.['If-Match'] ?? one.headers?.['if-match'] }))
  }
  return [...text.matchAll(/^(POST|PATCH|MERGE|PUT|DELETE) (\S+) HTTP\/1\.1\r\n((?:[\w-]+: .*\r\n)*)/gm)].map(([, method, path, headers]) => ({
    method, path, match: /^If-Match: (.*)\r$/mi.exec(headers)?.[1],
  }))
}

const records = answer => { const v = JSON.parse(answer.text); return v.value ?? v.d.results }
const bare = record => Object.fromEntries(Object.entries(record).filter(([name, v]) => !name.startsWith('__') && !name.startsWith('@') && (v === null || typeof v !== 'object')))
const keys = { Vendors: ['Vendor'], PurchaseOrders: ['PurchaseOrder'], PurchaseOrderItems: ['PurchaseOrder', 'PurchaseOrderItem'], vendors: ['code'], purchaseOrders: ['id'], lines: ['orderId', 'line'] }
const key = (set, record) => keys[set].map(name => `${name}=${typeof record[name] === 'string' && !/^[0-9a-f-]{36}$/.test(record[name]) ? `'${record[name]}'` : record[name]}`).join()

export async function changeSet({ upstream, root, request, body, guard, bump }) {
  const type = request.headers['content-type']
  const calls = members(type, body.toString())
  const sets = Object.keys(keys).filter(set => calls.some(call => call.path.startsWith(set)) || set === 'PurchaseOrderItems' && root.includes('SRV') || set === 'lines' && root.includes('v4'))
  const before = new Map()
  for (const set of sets) before.set(set, records(await upstream('GET', `${root}/${set}`)))
  const stale = calls.map(call => guard(call.method, root, call.path, call.match)).find(status => status)
  if (stale) return failure(type, stale)
  if (type.startsWith('application/json')) { // the mock wants a URL that begins with a slash
    const batch = JSON.parse(body.toString())
    for (const one of batch.requests) one.url = '/' + one.url
    body = JSON.stringify(batch)
  }
  const answer = await upstream('POST', root + '/$batch', request.headers, body)
  const failed = type.startsWith('application/json')
    ? JSON.parse(answer.text).responses.some(one => one.status >= 400)
    : /^HTTP\/1\.1 [45]/m.test(answer.text)
  if (failed) {
    for (const set of sets) await restore(upstream, root, set, before.get(set))
  } else {
    for (const call of calls) if (call.path.includes('(')) bump(call.path)
  }
  return { status: type.startsWith('application/json') ? 200 : 202, type: answer.type, text: answer.text }
}

// restore gives a set the records that it had.
async function restore(upstream, root, set, before) {
  const had = new Map(before.map(record => [key(set, record), record]))
  for (const record of records(await upstream('GET', `${root}/${set}`))) {
    const id = key(set, record)
    if (!had.has(id)) await upstream('DELETE', `${root}/${set}(${id})`)
    else if (JSON.stringify(bare(record)) !== JSON.stringify(bare(had.get(id)))) {
      await upstream(root.includes('v4') ? 'PATCH' : 'MERGE', `${root}/${set}(${id})`, { 'content-type': 'application/json' }, JSON.stringify(bare(had.get(id))))
    }
  }
}

function failure(type, status) {
  const error = { error: { code: 'DESK/' + status, message: 'The record was changed, or no If-Match says which one is meant' } }
  if (type.startsWith('application/json')) {
    return { status: 200, type: 'application/json', text: JSON.stringify({ responses: [{ id: '1', status, headers: {}, body: error }] }) }
  }
  const text = `--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 ${status} Precondition\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(error)}\r\n--b--\r\n`
  return { status: 202, type: 'multipart/mixed; boundary=b', text }
}

// fill gives the parts of the conformance suite their first records. A changed one is made anew: the mock rounds decimals that it is given later.
export async function fill(upstream, root) {
  const [set, id, first] = root.includes('v4') ? ['parts', 'partId', v4.parts] : ['Parts', 'PartId', v2.Parts]
  const wanted = new Map(first.map(record => [record[id], JSON.stringify(bare(record))]))
  for (const record of records(await upstream('GET', `${root}/${set}`))) {
    if (wanted.get(record[id]) === JSON.stringify(bare(record))) wanted.delete(record[id])
    else await upstream('DELETE', `${root}/${set}(${record[id]})`)
  }
  for (const record of wanted.values()) await upstream('POST', `${root}/${set}`, { 'content-type': 'application/json' }, record)
}
