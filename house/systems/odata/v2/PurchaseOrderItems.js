module.exports = {
  checkFilterValue: require('../filter.js'),
  async addEntry(line, request) {
    if (!(Number(line.Quantity) > 0)) {
      this.throwError('The quantity must be above zero', 400, { error: {
        code: 'DESK/021', message: { lang: 'en', value: 'The quantity must be above zero' },
        innererror: { errordetails: [{ code: 'DESK/021', message: 'The quantity must be above zero', target: 'Quantity', severity: 'error' }] },
      } })
    }
    return this.base.addEntry(line, request)
  },
}
