// What the order desk does beside keeping records: numbers, deep inserts, its rules and its action.
const fail = (self, status, code, message, target) => self.throwError(message, status, {
  error: { code, message, details: [{ code, message, target, '@Common.numericSeverity': 4 }] },
})
let last = 100

module.exports = {
  checkFilterValue: require('../filter.js'),
  async addEntry(order, request) {
    const found = (await (await this.base.getEntityInterface('vendors')).fetchEntries({ code: order.vendorCode }, request))[0]
    if (!found) fail(this, 400, 'DESK/017', `Vendor ${order.vendorCode} does not exist`, 'vendorCode')
    if (found.blocked) fail(this, 400, 'DESK/018', `Vendor ${order.vendorCode} is blocked`, 'vendorCode')
    const lines = order.lines ?? []
    for (const line of lines) {
      if (!(Number(line.quantity) > 0)) fail(this, 400, 'DESK/021', 'The quantity must be above zero', 'lines/quantity')
    }
    delete order.lines
    Object.assign(order, { number: `PO-${String(++last).padStart(4, '0')}`, status: 'open', changedAt: new Date().toISOString() })
    await this.base.addEntry(order, request)
    const all = await this.base.getEntityInterface('lines')
    for (const [i, line] of lines.entries()) await all.addEntry({ text: null, unit: 'PC', price: null, ...line, orderId: order.id, line: i + 1 }, request)
  },
  async onBeforeUpdateEntry(keys, order) {
    if (order.status === 'closed') fail(this, 423, 'DESK/030', 'The order is closed', 'status')
  },
  async executeAction(action, data, keys, request) {
    const order = (await this.base.fetchEntries(keys, request))[0]
    if (!order) fail(this, 404, 'DESK/001', 'The order does not exist')
    if (order.status !== 'open') fail(this, 400, 'DESK/040', `Order ${order.number} is not open`, 'status')
    await this.base.updateEntry(keys, { status: 'released', changedAt: new Date().toISOString() }, request)
    return (await this.base.fetchEntries(keys, request))[0]
  },
}
