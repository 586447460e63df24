// An order desk over OData, on loopback: SAP's mock server (which keeps the records and speaks OData V2 and V4 from an EDMX) at
// 127.0.0.1:18094, and before it, at 127.0.0.1:18095, a front of ours that is as strict as a productive SAP Gateway is, and the mock is not:
// see front.mjs.
import { createRequire } from 'node:module'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { write } from './data.mjs'
import { front } from './front.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const { default: MockServer } = createRequire(import.meta.url)('@sap-ux/fe-mockserver-core')
const quiet = { info() {}, debug() {}, log() {}, warn() {}, error() {} }

write(here)
const services = [['v2', '/sap/opu/odata/sap/ORDER_DESK_SRV'], ['v4', '/odata/v4/orderdesk']].map(([version, urlPath]) => ({
  urlPath, metadataPath: join(here, version, 'metadata.xml'), mockdataPath: join(here, version), generateMockData: false, logger: quiet, noETag: true,
}))
const mock = new MockServer({ services, annotations: [] })
await mock.isReady
createServer((request, response) => mock.getRouter()(request, response, () => { response.statusCode = 404; response.end() })).listen(18094, '127.0.0.1')
createServer(front('http://127.0.0.1:18094', services.map(s => s.urlPath))).listen(18095, '127.0.0.1', () => console.log('listens on http://127.0.0.1:18095'))
