// An OpenID provider for tests: the certified oidc-provider, with its own pages for logging in and
// consenting. The last release line that supports Node 18 and 20 is used.
//
//   node provider.mjs REDIRECT_URI…    prints its issuer, and ends with its standard input
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

// Who can log in, by what is typed as login, and what the provider says of them.
const people = {
  alice: { email: 'Alice@Example.com', email_verified: true },
  imposter: { email: 'alice@example.com', email_verified: false },
  nomail: {},
  stranger: { email: 'stranger@example.com', email_verified: true, groups: ['staff'] },
  consultant: { email: 'consultant@example.com', email_verified: true, groups: ['staff', 'viewer', 'responder'] },
  elsewhere: { email: 'elsewhere@example.org', email_verified: true, groups: 'admin' },
}

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'switchboard', client_secret: 'a-secret-of-the-provider', redirect_uris: process.argv.slice(2), response_types: ['code'], grant_types: ['authorization_code'] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups'] },
    findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
    pkce: { methods: ['S256'], required: () => true },
    cookies: { keys: ['a key of the test'] },
    ttl: { IdToken: 3600 },
  })
  server.on('request', provider.callback())
  console.log(issuer)
})
process.stdin.on('data', () => {}).on('end', () => process.exit(0))
