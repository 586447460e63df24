// A token server of OAuth 2.0 that nobody here wrote, on loopback: client credentials, tokens of 30 s, introspection for those
// who are shown one. Logins: edge-agent with the secret Edge-secret-1.
import Provider from 'oidc-provider'

const address = 'http://127.0.0.1:18099'
const provider = new Provider(address, {
  clients: [
    { client_id: 'edge-agent', client_secret: 'Edge-secret-1', grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'po.read po.write' },
  ],
  scopes: ['po.read', 'po.write'],
  features: { clientCredentials: { enabled: true }, introspection: { enabled: true }, devInteractions: { enabled: false } },
  ttl: { ClientCredentials: 30 },
})
provider.listen(18099, '127.0.0.1', () => console.log('listens on ' + address))
