module.exports = {
  checkFilterValue: require('../filter.js'),
  async addEntry(line, request) {
    if (!(Number(line.quantity) > 0)) {
      this.throwError('The quantity must be above zero', 400, { error: {
        code: 'DESK/021', message: 'The quantity must be above zero', details: [{ code: 'DESK/021', message: 'The quantity must be above zero', target: 'quantity' }],
      } })
    }
    return this.base.addEntry(line, request)
  },
}
