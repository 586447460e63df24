// What the order desk does beside keeping records: numbers, deep inserts, its rules and its action.
const fail = (self, status, code, message, target) => self.throwError(message, status, {
  error: {
    code, message: { lang: 'en', value: message },
    innererror: { errordetails: [{ code, message, target, propertyref: '', severity: 'error' }] },
  },
})
let last = 4600000000

module.exports = {
  checkFilterValue: require('../filter.js'),
  async addEntry(order, request) {
    const vendors = await this.base.getEntityInterface('Vendors')
    const vendor = vendors.fetchEntries({ Vendor: order.Supplier }, request)
    const found = (await vendor)[0]
    if (!found) fail(this, 400, 'DESK/017', `Supplier ${order.Supplier} does not exist`, 'Supplier')
    if (found.Blocked) fail(this, 400, 'DESK/018', `Supplier ${order.Supplier} is blocked`, 'Supplier')
    const lines = order.to_Item?.results ?? order.to_Item ?? []
    for (const line of lines) {
      if (!(Number(line.Quantity) > 0)) fail(this, 400, 'DESK/021', 'The quantity must be above zero', "to_Item(PurchaseOrderItem='')/Quantity")
    }
    delete order.to_Item
    Object.assign(order, { PurchaseOrder: String(++last), Status: '01', ChangedAt: `/Date(${Date.now()}+0000)/` })
    await this.base.addEntry(order, request)
    const items = await this.base.getEntityInterface('PurchaseOrderItems')
    for (const [i, line] of lines.entries()) {
      await items.addEntry({ Text: null, Unit: 'PC', NetPrice: null, ...line, PurchaseOrder: order.PurchaseOrder, PurchaseOrderItem: String((i + 1) * 10).padStart(5, '0') }, request)
    }
  },
  async onBeforeUpdateEntry(keys, order) {
    if (order.Status === '03') fail(this, 423, 'DESK/030', 'The order is closed', 'Status')
  },
  async executeAction(action, data, keys, request) {
    const id = new URL('http://desk' + request.url).searchParams.get('PurchaseOrder')?.replaceAll("'", '')
    const order = (await this.base.fetchEntries({ PurchaseOrder: id }, request))[0]
    if (!order) fail(this, 404, 'DESK/001', `Order ${id} does not exist`)
    if (order.Status !== '01') fail(this, 400, 'DESK/040', `Order ${id} is not open`, 'Status')
    await this.base.updateEntry({ PurchaseOrder: id }, { Status: '02', ChangedAt: `/Date(${Date.now()}+0000)/` }, request)
    return (await this.base.fetchEntries({ PurchaseOrder: id }, request))[0]
  },
}
