// A host in Node: it starts the plugin without our SDK and serves a hotline with it. What a real host
// keeps in its database is in memory here. docs/other-languages.md contains this file and explains it.
//
// node host.mjs PLUGIN PROTO: the plugin's executable, and the folder host-sdk/proto
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import grpc from '@grpc/grpc-js'
import protoLoader from '@grpc/proto-loader'

const [executable, proto] = process.argv.slice(2)
const protocol = grpc.loadPackageDefinition(protoLoader.loadSync(
  ['livecall/v1/integration.proto', 'livecall/v1/lifecycle.proto'],
  { includeDirs: [proto], keepCase: true, longs: Number, defaults: true },
)).livecall.v1

// certificate makes what proves to the plugin that a call comes from us: a key and a certificate that
// is signed by itself, good for this one start.
function certificate() {
  const pem = execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-days', '3650', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', '-', '-out', '-'],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const begin = pem.indexOf('-----BEGIN CERTIFICATE-----')
  return { key: pem.slice(0, begin), cert: pem.slice(begin) }
}

// start starts the plugin's process, in a folder that only this user can enter.
async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'plugin-'))
  const own = certificate()
  const child = spawn(executable, [], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'], // the log is on standard error
    env: {
      LIVECALL_PLUGIN_COOKIE: '0df5d7d1e8cc0180fca56aa8164eb68d',
      PLUGIN_PROTOCOL_VERSIONS: '1',
      PLUGIN_CLIENT_CERT: own.cert,
      PLUGIN_UNIX_SOCKET_DIR: folder,
      TMPDIR: folder,
      ...only('TZ', 'HTTPS_PROXY', 'NO_PROXY', 'SSL_CERT_FILE', 'LIVECALL_TWILIO_API_URL'),
    },
  })
  const ended = new Promise(resolve => child.once('exit', resolve)).finally(() => rmSync(folder, { recursive: true }))
  const line = await Promise.race([
    new Promise(resolve => createInterface(child.stdout).once('line', resolve)),
    ended.then(code => { throw new Error(`the plugin ended with status ${code} before its handshake`) }),
  ])
  return { ...connect(line, own), ended }
}

// only picks the variables that the plugin may have.
function only(...names) {
  return Object.fromEntries(names.filter(n => n in process.env).map(n => [n, process.env[n]]))
}

// connect reads the handshake and opens the connection. Both sides show a certificate; each trusts
// exactly the other's.
function connect(line, own) {
  const [core, version, network, address, kind, der] = line.trim().split('|')
  if (core !== '1' || version !== '1' || network !== 'unix' || kind !== 'grpc' || !der) {
    throw new Error(`this is no handshake of a plugin of protocol 1: ${line}`)
  }
  // The handshake's base64 has no padding, and PEM must have it.
  const base64 = Buffer.from(der, 'base64').toString('base64')
  const theirs = `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n`
  const credentials = grpc.credentials.createSsl(Buffer.from(theirs), Buffer.from(own.key), Buffer.from(own.cert))
  const options = {
    'grpc.default_authority': 'localhost', // also the name in their certificate
    'grpc.max_receive_message_length': 16 << 20,
    'grpc.max_send_message_length': 16 << 20,
  }
  return {
    plugin: new protocol.IntegrationService(`unix:${address}`, credentials, options),
    process: new protocol.LifecycleService(`unix:${address}`, credentials, options),
  }
}

// call makes one call, with a deadline.
function call(client, method, request, seconds = 3) {
  return new Promise((resolve, reject) => {
    client[method](request, { deadline: Date.now() + seconds * 1000 }, (err, reply) => err ? reject(err) : resolve(reply))
  })
}

// raw makes a call of a service whose messages are so small that they are written as bytes.
function raw(client, path, bytes) {
  const same = b => b
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, Buffer.from(bytes), { deadline: Date.now() + 2000 }, (err, reply) => err ? reject(err) : resolve(reply))
  })
}

// healthy asks for a sign of life: HealthCheckRequest{service: "plugin"}, HealthCheckResponse{SERVING}.
async function healthy() {
  const reply = await raw(plugin.process, '/grpc.health.v1.Health/Check', '\n\x06plugin')
  return reply.equals(Buffer.from('\x08\x01'))
}

// stop lets calls in progress end, and then ends the process.
async function stop() {
  const { remaining } = await call(plugin.process, 'Drain', {}, 10)
  await raw(plugin.process, '/plugin.GRPCController/Shutdown', '').catch(() => {}) // it may end before it answers
  await plugin.ended
  return remaining
}

const now = () => moment(Date.now())
const moment = ms => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 })
const milliseconds = t => t ? Number(t.seconds) * 1000 + t.nanos / 1e6 : 0

const alice = { id: 'alice', name: 'Alice Example', phones: ['+12025550143'] }
const destinations = [{ kind: 'team', id: 'devops', name: 'DevOps' }]
const sessions = new Map() // by key
const alerts = new Map() // snapshots, by key
const pending = new Map() // tasks and timers, by session and name

// facts are all that a handler may know.
function facts(key, answers = []) {
  const session = sessions.get(key)
  return { now: now(), instance, session_key: key, session, destinations, alert: alerts.get(session?.alert_key), answers }
}

// handle runs a handler until it has no more questions, and commits what it decided.
async function handle(key, method, request) {
  const answers = []
  for (let round = 0; round <= 3; round++) {
    const { outcome } = await call(plugin.plugin, method, { ...request, facts: facts(key, answers) })
    if (outcome.need.length === 0) {
      console.log('handled', method, request.event ?? '')
      commit(key, outcome)
      return outcome
    }
    answers.push(...outcome.need.map(answer))
  }
  throw new Error(`${method} still asks questions`)
}

// inTurn lets one handler decide at a time.
let last = Promise.resolve()
function inTurn(f) {
  const mine = last.then(f)
  last = mine.catch(err => console.error(err))
  return mine
}

// answer answers a handler's question.
function answer({ id, kind }) {
  switch (kind) {
    case 'on_call': return { id, on_call: [{ layer: 1, user: alice }] }
    case 'user': return { id, user: alice }
    case 'recent_calls': return { id, calls: [] }
    default: return { id, error: { kind: 'unsupported', message: `there is no ${kind} here` } }
  }
}

// commit takes over an outcome. A real host does it in one transaction, and begins again from the
// handler when the session's version has changed meanwhile.
function commit(key, outcome) {
  if (outcome.session) {
    const old = sessions.get(key) ?? { version: 0, created_at: now() }
    const { state, format, alert_key } = outcome.session
    sessions.set(key, { ...old, key, version: old.version + 1, state, format, alert_key, updated_at: now() })
  }
  outcome.alert.forEach(apply)
  outcome.tasks.forEach(task => schedule(key, task))
  outcome.log.forEach(line => console.error(line.level, line.message))
  if (outcome.alert.length > 0) {
    setImmediate(() => inTurn(() => handle(key, 'HandleAlert', {})))
  }
}

// apply runs an alert command.
function apply(c) {
  console.log('alert', c.kind, c.user || c.text)
  const a = alerts.get(c.alert_key) ?? { key: c.alert_key, id: 'A-1', status: 'queued', acknowledgements: [], last_command: 0 }
  if (c.number <= a.last_command) return // run before
  if (c.kind === 'route') Object.assign(a, { status: 'open', teams: c.teams, layer: 1, round: 1 })
  if (c.kind === 'acknowledge' && a.status === 'open') {
    a.status = 'acknowledged'
    a.acknowledgements.push({ id: `A-1-${c.number}`, user: c.user, at: c.at })
  }
  if (c.kind === 'resolve') a.status = 'resolved'
  alerts.set(c.alert_key, { ...a, last_command: c.number, read_at: now() })
}

// schedule plans a task or a timer. A later generation replaces an earlier one of the same name.
function schedule(key, task) {
  const id = `${key}/${task.name}`
  const known = pending.get(id)
  if (known && (task.cancel ? known.generation > task.generation : known.generation >= task.generation)) return
  clearTimeout(known?.timeout)
  const wait = Math.max(0, milliseconds(task.at) - Date.now())
  const timeout = task.cancel ? undefined : setTimeout(() => due(key, task).catch(err => console.error(err)), wait)
  pending.set(id, { generation: task.generation, timeout })
}

// due runs a timer, or performs a task and hands its result to the handler.
async function due(key, task) {
  if (task.timer) return inTurn(() => handle(key, 'HandleTask', { event: 'timer_due', task }))
  let event
  try {
    const { payload } = await call(plugin.plugin, 'Perform', { facts: facts(key), task, attempt: 1 }, 60)
    event = { event: 'task_done', task, result: payload }
  } catch (err) {
    event = { event: 'task_failed', task, failure: { kind: 'internal', message: err.details } }
  }
  return inTurn(() => handle(key, 'HandleTask', event))
}

// sessionKey finds the session of a request: in the path, else in the form.
function sessionKey(path, body) {
  const { session_prefix: prefix, session_field: field } = description.webhook
  const key = path.startsWith(prefix) ? path.slice(prefix.length).split('/')[0] : new URLSearchParams(body.toString()).get(field) ?? ''
  return /^[A-Za-z0-9_-]{1,64}$/.test(key) ? key : ''
}

// serve answers a webhook.
async function serve(req, res) {
  const chunks = []
  for await (const chunk of req) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const path = decodeURIComponent(req.url.split('?')[0].slice(endpointPath.length)) || '/'
  const header = []
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    header.push({ name: Buffer.from(canonical(req.rawHeaders[i])), values: [Buffer.from(req.rawHeaders[i + 1])] })
  }
  const { response } = await inTurn(() => handle(sessionKey(path, body), 'HandleWebhook', {
    method: Buffer.from(req.method), url: Buffer.from(publicURL + req.url), path: Buffer.from(path), header, body,
    remote_addr: req.socket.remoteAddress, received_at: now(),
  }))
  for (const { name, values } of response.header) res.setHeader(name.toString(), values.map(String))
  res.writeHead(response.status || 200)
  res.end(response.body)
}

// canonical spells a header's name as the plugin looks for it: X-Twilio-Signature.
const canonical = name => name.toLowerCase().replace(/(^|-)[a-z]/g, c => c.toUpperCase())

// ring rings a person's phones for a test, one after the other, and says what came of each.
async function ring(user) {
  for (let phone = '0'; phone;) {
    // A session of the ring's own: its webhooks use it, and it keeps that 1 was pressed.
    const key = 'ring-' + randomBytes(16).toString('hex')
    const values = { user: user.id, phone }
    let said = {} // the lines, by field
    for (; !said.outcome; await new Promise(resolve => setTimeout(resolve, 1000))) {
      const lines = await act(key, 'test-ring', values)
      said = { ...said, ...Object.fromEntries(lines.map(l => [l.field, l])) }
      if (!said.ring && !said.outcome) throw new Error('the plugin does not say whether it rings')
      values.ring = said.ring?.choice
    }
    console.log('ring', said.number?.choice ?? 'no phone', said.outcome.choice)
    phone = said.phone?.choice
  }
}

// act runs an action until it has no more questions.
async function act(key, name, values) {
  const answers = []
  for (let round = 0; round <= 6; round++) {
    const { lines, need } = await call(plugin.plugin, 'RunAction', { facts: facts(key, answers), name, values }, 25)
    if (need.length === 0) return lines
    answers.push(...need.map(answer))
  }
  throw new Error(`${name} still asks questions`)
}

const plugin = await start()
const { description } = await call(plugin.plugin, 'Describe', {})
console.log('plugin', description.id, description.version, `protocol ${description.protocol_version}.${description.protocol_minor}`)
console.log('healthy', await healthy())

// The form: a JSON Schema. Its order of properties is the order of the fields.
const { schema } = await call(plugin.plugin, 'OptionsSchema', {})
console.log('form', Object.keys(JSON.parse(schema).properties).slice(0, 4).join(' '))

const server = createServer((req, res) => serve(req, res).catch(err => {
  console.error(err)
  res.writeHead(503).end()
}))
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
const publicURL = `http://127.0.0.1:${server.address().port}`
const endpointPath = '/integrations/int-1'

const instance = {
  id: 'int-1', name: 'Hotline', revision: 1, saved_at: now(), endpoint_url: publicURL + endpointPath,
  token_key: randomBytes(32), state: 'active', protocol_minor: 1,
  capabilities: { unrouted_alerts: true, acknowledge_as: true, acknowledged_by_user: true },
}
for (const options of [{ account_sid: 'AC1' }, JSON.parse(process.env.HOTLINE_OPTIONS)]) {
  const verdict = await call(plugin.plugin, 'ValidateOptions', {
    options: Buffer.from(JSON.stringify(options)), instance, destinations, now: now(),
  })
  for (const problem of verdict.problems) console.log('refused', problem.path, problem.message)
  Object.assign(instance, { options: verdict.options, options_format: verdict.format })
}
console.log('endpoint', instance.endpoint_url)

createInterface(process.stdin).on('line', line => {
  if (line === 'ring alice') ring(alice).catch(err => console.error(err))
}).once('close', async () => {
  server.close()
  console.log('stopped', await stop(), 'calls given up')
  process.exit()
})
