// Compares as OData says where the mock server does not: null, an instant of version 2, and a quote within a text (see front.mjs).
module.exports = function checkFilterValue(type, value, literal, operator, request) {
  if (literal === 'null') return (operator === 'eq') === (value === null || value === undefined)
  if (value === null || value === undefined) return operator === 'ne'
  if (typeof literal === 'string') {
    literal = literal.replace(/^datetimeoffset'/, "datetime'").replaceAll('\ue000', "'").replaceAll('\ue001', '"').replaceAll('\ue002', '\\')
  }
  return this.base.checkFilterValue(type, value, literal, operator, request)
}
