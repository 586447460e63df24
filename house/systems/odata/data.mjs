// The first data of the order desk, written as the mock server reads it: one JSON file for each set.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const epoch = Date.UTC(2026, 2, 29, 1, 59)
const uuid = n => '00000000-0000-4000-8000-' + String(n).padStart(12, '0')
const vendors = ['Acme Bearings', 'Müller & Söhne', "O'Neil Valves", 'Nordic Pumps', 'Zeta Seals']
const orders = Array.from({ length: 57 }, (_, i) => i + 1)
const states = ['01', '01', '02', '03']

// parts are those of the drivers' conformance suite: prices that no float holds are texts.
const parts = Array.from({ length: 137 }, (_, i) => ({
  id: i + 1, name: `Größe ${i + 1}'s`, price: `${90071992547409 + i}.${String(i % 100).padStart(2, '0')}`,
  category: i % 7 === 0 ? null : `c${i % 5}`, modified: epoch + Math.floor(i / 10) * 60000,
}))

export const v2 = {
  Vendors: vendors.map((Name, i) => ({ Vendor: `V${i + 1}`, Name, Currency: 'EUR', Blocked: i === 4 })),
  Items: ['Bearing', 'Valve', 'Seal'].map((Description, i) => ({ Item: `I-${i + 1}`, Description, Unit: 'PC', UnitCost: `${i + 1}2.500`, Colour: ['red', 'green', null][i] })),
  PurchaseOrders: orders.map(n => ({
    PurchaseOrder: String(4500000000 + n), Supplier: `V${n % 4 + 1}`, Note: `Order ${n}`, Status: states[n % 4], Currency: 'EUR',
    OrderDate: `/Date(${epoch + n * 86400000})/`, DueTime: 'PT13H05M00S', ChangedAt: `/Date(${epoch + Math.floor(n / 5) * 3600000}+0000)/`, Reference: null,
  })),
  PurchaseOrderItems: orders.flatMap(n => [10, 20].slice(0, n % 2 + 1).map(line => ({
    PurchaseOrder: String(4500000000 + n), PurchaseOrderItem: String(line).padStart(5, '0'), Item: `I-${n % 3 + 1}`, Text: `Line ${line}`,
    Quantity: `${n}.500`, Unit: 'PC', NetPrice: '13.050',
  }))),
  Parts: parts.map(p => ({ PartId: p.id, Name: p.name, Price: p.price, Category: p.category, Modified: `/Date(${p.modified})/` })),
  Numbers: [], Slow: [],
}

export const v4 = {
  vendors: vendors.map((name, i) => ({ code: `V${i + 1}`, name, currency: 'EUR', blocked: i === 4 })),
  purchaseOrders: orders.map(n => ({
    id: uuid(n), number: `PO-${String(n).padStart(4, '0')}`, vendorCode: `V${n % 4 + 1}`, note: `Order ${n}`, status: ['open', 'open', 'released', 'closed'][n % 4],
    currency: 'EUR', orderDate: new Date(epoch + n * 86400000).toISOString().slice(0, 10), changedAt: new Date(epoch + Math.floor(n / 5) * 3600000).toISOString(), reference: null,
  })),
  lines: orders.flatMap(n => [1, 2].slice(0, n % 2 + 1).map(line => ({ orderId: uuid(n), line, item: `I-${n % 3 + 1}`, text: `Line ${line}`, quantity: `${n}.500`, unit: 'PC', price: '13.050' }))),
  requests: [{ ID: uuid(900001), IsActiveEntity: true, HasActiveEntity: false, HasDraftEntity: false, title: 'Pump leaks', description: 'Hall 3' }],
  parts: parts.map(p => ({ partId: p.id, name: p.name, price: p.price, category: p.category, modified: new Date(p.modified).toISOString() })),
  numbers: [], slow: [],
}

// write puts the sets into folders below dir.
export function write(dir) {
  for (const [version, sets] of Object.entries({ v2, v4 })) {
    mkdirSync(join(dir, version), { recursive: true })
    for (const [name, records] of Object.entries(sets)) {
      writeFileSync(join(dir, version, name + '.json'), JSON.stringify(records))
      const code = join(dir, version, name + '.js')
      if (!existsSync(code)) writeFileSync(code, "module.exports = { checkFilterValue: require('../filter.js') }\n")
    }
  }
}
