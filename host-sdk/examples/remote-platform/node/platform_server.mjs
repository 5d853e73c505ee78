// The smallest platform for live call routing, in Node's standard library alone.
//
// It serves the protocol of host-sdk/platform/remote/openapi.yaml. Every alert is a small file that
// is replaced as a whole, so alerts and the numbers of commands outlive a restart. Run it with
//
//     PLATFORM_TOKEN=… HINTS_SECRET=whsec_… HINTS_URL=https://host/platform/hints \
//         node platform_server.mjs 127.0.0.1:8070 alerts
//
// PLATFORM_TOKEN may hold two tokens, separated by a blank, while one is being replaced.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import * as fs from "node:fs";
import http, { createServer } from "node:http";
import https from "node:https";
import path from "node:path";

const TOKENS = process.env.PLATFORM_TOKEN.split(" ");
const SECRET = Buffer.from(process.env.HINTS_SECRET.replace(/^whsec_/, ""), "base64");
const HINTS_URL = process.env.HINTS_URL;
const SWITCHBOARD_URL = process.env.SWITCHBOARD_URL; // with SWITCHBOARD_TOKEN, for "Ring me now" alone
const [ADDRESS, FOLDER] = process.argv.slice(2);

// An empty secret would let everybody in.
if (TOKENS.some((token) => token.length < 32) || SECRET.length < 24) throw new Error("PLATFORM_TOKEN needs 32 characters, HINTS_SECRET 24 bytes in base64");

// People, teams, and who is on call: a list of people for each layer.
const USERS = new Map([
  ["alice", { id: "alice", name: "Alice Example", email: "alice@example.com", phones: ["+12025550143"] }],
  ["bob", { id: "bob", name: "Bob Example", email: "bob@example.com", phones: ["+12025550144"] }],
]);
const TEAMS = new Map([
  ["devops", { name: "DevOps", layers: [["alice"], ["bob"]] }],
  ["support", { name: "customer support", layers: [["bob"]] }],
  ["idle", { name: "Nobody", layers: [] }],
]);

// Problem is an answer of application/problem+json. Only a final kind ends a command: the
// switchboard repeats it after everything else.
class Problem extends Error {
  constructor(status, kind, detail, more) {
    super(detail);
    this.status = status;
    this.body = { type: "about:blank", status, kind, detail, ...more };
  }
}

const invalid = (field, detail) => new Problem(400, "invalid", detail, { field });
const unknown = (what, id) => new Problem(404, "not_found", `there is no ${what} "${id}"`, { field: what });

function fail(problem) {
  throw problem;
}

const found = (map, what, id) => map.get(id) ?? fail(unknown(what, id));

// ---- Alerts -----------------------------------------------------------------------------------

// An alert is found by tenant, integration and key together. The hash makes a file name of them,
// and the product's own id.
const idOf = (scope) => createHash("sha256").update(JSON.stringify([scope.tenant, scope.integration, scope.key])).digest("hex");
const fileOf = (id) => path.join(FOLDER, id + ".json");

function readAlert(id) {
  try {
    return JSON.parse(fs.readFileSync(fileOf(id), "utf8")); // { scope, alert }
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error; // never an empty answer: "no such alert" would end the caller's wait
  }
}

// writeAlert replaces the file at once: after a crash it is the old alert or the new one. Renaming
// is only safe once the content is on the disk, and answering once the renaming is.
function writeAlert(scope, alert) {
  const file = fileOf(alert.id);
  fs.writeFileSync(file + ".new", JSON.stringify({ scope, alert }), { flush: true }); // since Node 20.10
  fs.renameSync(file + ".new", file);
  const folder = fs.openSync(FOLDER, "r");
  fs.fsyncSync(folder);
  fs.closeSync(folder);
}

function newAlert(scope) {
  return {
    key: scope.key, id: idOf(scope), status: "queued", teams: [], layer: 0, round: 0,
    acknowledgements: [], declined: [], last_command: 0, change: 0,
  };
}

// apply runs a command once, by its number alone. Nothing in here waits, so Node runs it from
// reading to writing without another request in between: that is the lock per alert. With "await"
// in it, or with several processes, it would need one ("select … for update" in a database).
function apply(scope, number, command) {
  let alert = readAlert(idOf(scope))?.alert;
  if (alert && number <= alert.last_command) return alert;
  if (!alert && command.kind !== "create") throw unknown("alert", scope.key);
  alert ??= newAlert(scope);
  run(alert, command, number); // what it throws leaves the file as it was
  alert.last_command = number;
  return keep(scope, alert);
}

// act is what somebody does on the product's own pages: no command of the switchboard, so it has no
// number.
function act(id, kind, user) {
  const { scope, alert } = (/^[0-9a-f]{64}$/.test(id) && readAlert(id)) || fail(unknown("alert", id));
  run(alert, { kind, user }, 0);
  return keep(scope, alert);
}

// keep stores a changed alert, and lets the switchboard know.
function keep(scope, alert) {
  alert.change++;
  writeAlert(scope, alert);
  hint(scope);
  return alert;
}

// run changes the alert. A condition that does not hold is no error: nothing happens.
function run(alert, command, number) {
  const over = alert.status === "resolved" || alert.status === "dropped";
  switch (command.kind) {
    case "create": case "log": case "add_field": case "attach":
      return; // a real product keeps title, lines, fields and media here
    case "route":
      return route(alert, command.teams ?? []);
    case "acknowledge":
      found(USERS, "user", command.user);
      if (alert.status === "acknowledged" || alert.status === "resolved") return;
      alert.status = "acknowledged";
      alert.declined = alert.declined.filter((user) => user !== command.user);
      // The change is never the same again, so neither is the id.
      alert.acknowledgements.push({ id: `ack-${alert.change + 1}`, user: command.user, at: new Date().toISOString(), command: number });
      return;
    case "reopen":
      if (command.ack) return takeBack(alert, command.ack);
      if (!over) return;
      alert.acknowledgements = [];
      page(alert, 0);
      return;
    case "decline":
      if (alert.status !== "open" || !paged(alert).includes(command.user) || alert.declined.includes(command.user)) return;
      alert.declined.push(command.user);
      if (paged(alert).every((user) => alert.declined.includes(user))) page(alert, alert.layer);
      return;
    case "escalate":
      if (alert.status === "open" && alert.layer === command.layer && alert.round === command.round) page(alert, alert.layer);
      return;
    case "resolve":
      alert.status = "resolved";
      return;
  }
  throw new Problem(501, "unsupported", `the command "${command.kind}" is not known`, { field: "kind" });
}

function route(alert, teams) {
  for (const team of teams) found(TEAMS, "team", team);
  if (String(teams) === String(alert.teams)) return;
  alert.teams = teams;
  if (!["queued", "open", "dropped"].includes(alert.status) || page(alert, 0)) return;
  Object.assign(alert, { status: "dropped", layer: 0, round: 0 });
}

// takeBack takes one acknowledgement back. With the last of them the alert is open again, and the
// same people are paged once more.
function takeBack(alert, ack) {
  const left = alert.acknowledgements.filter((a) => a.id !== ack);
  if (left.length === alert.acknowledgements.length) return;
  alert.acknowledgements = left;
  if (left.length > 0 || alert.status !== "acknowledged") return;
  alert.status = "open";
  page(alert, Math.max(alert.layer, 1) - 1);
}

// onCall are the people of one layer of the alert's teams, and paged those of its present one.
const onCall = (alert, layer) => alert.teams.flatMap((team) => TEAMS.get(team).layers[layer - 1] ?? []);
const paged = (alert) => onCall(alert, alert.layer);

// page pages the first layer after the given one that has anybody on call, and reports whether
// there is one.
function page(alert, after) {
  const last = Math.max(0, ...alert.teams.map((team) => TEAMS.get(team).layers.length));
  for (let layer = after + 1; layer <= last; layer++) {
    const users = onCall(alert, layer);
    if (users.length === 0) continue;
    Object.assign(alert, { status: "open", layer, round: 1, declined: alert.declined.filter((user) => !users.includes(user)) });
    return true;
  }
  return false;
}

// ---- Hints ------------------------------------------------------------------------------------

const changed = []; // alerts of which the switchboard is to hear
let sending = false;

// hint sends what has gathered once the command is answered, up to 100 alerts in one hint.
function hint({ tenant, integration, key }) {
  changed.push({ tenant, integration, alert_key: key });
  if (sending) return;
  sending = true;
  setImmediate(async () => {
    while (changed.length > 0) await sendHint(changed.splice(0, 100));
    sending = false;
  });
}

let hints = 0;

// sendHint signs the bytes that it sends, as in Standard Webhooks, and tries three times. A hint
// that is lost costs a caller up to a minute.
async function sendHint(alerts) {
  const body = JSON.stringify({ type: "alert.changed", timestamp: new Date().toISOString(), data: { alerts } });
  const id = `msg_${process.pid}_${Date.now()}_${++hints}`;
  for (let attempt = 0; attempt < 3; attempt++) {
    const time = String(Math.floor(Date.now() / 1000));
    const signature = "v1," + createHmac("sha256", SECRET).update(`${id}.${time}.${body}`).digest("base64");
    try {
      const answer = await fetch(HINTS_URL, {
        method: "POST", body, redirect: "error", signal: AbortSignal.timeout(5000),
        headers: { "Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature },
      });
      if (answer.ok) return;
      console.error(`hint: ${answer.status} ${(await answer.text()).slice(0, 500)}`); // says which part of the signature is wrong
    } catch (error) {
      console.error(`hint: ${error.cause?.message ?? error.message}`);
    }
    await new Promise((wake) => setTimeout(wake, 200 * 2 ** attempt));
  }
}

// ---- A test ring ------------------------------------------------------------------------------

// ring is what "Ring me now" on the product's own pages does: switchboard rings the phones of
// whoever presses it.
async function ring(user) {
  if (!SWITCHBOARD_URL) throw new Problem(501, "unsupported", "SWITCHBOARD_URL is not set: nobody can be rung from here");
  const { status, body } = await post(new URL(`${SWITCHBOARD_URL}/api/v1/users/${encodeURIComponent(user)}/test`), { way: "ring" });
  if (status !== 200) throw new Problem(status, "conflict", body.error.message); // such as a person who was rung five times within an hour
  return { rings: body.map(({ to, outcome, text }) => ({ phone: to, outcome, text })) };
}

// post waits for up to eleven minutes, as the phones ring one after the other: fetch gives up after
// five.
function post(url, content) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: "Bearer " + process.env.SWITCHBOARD_TOKEN, "Content-Type": "application/json" };
    const sent = (url.protocol === "https:" ? https : http).request(url, { method: "POST", headers, timeout: 660_000 });
    sent.on("error", reject).on("timeout", () => sent.destroy(new Error("switchboard does not answer")));
    sent.on("response", (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk)).on("error", reject).on("end", () => {
        try {
          resolve({ status: answer.statusCode, body: JSON.parse(Buffer.concat(chunks)) });
        } catch (error) {
          reject(error); // a proxy's page
        }
      });
    });
    sent.end(JSON.stringify(content));
  });
}

// ---- Requests ---------------------------------------------------------------------------------

function destination(kind, id) {
  const team = kind === "team" ? TEAMS.get(id) : undefined;
  return { kind, id, name: team?.name ?? "", missing: !team };
}

const noRouters = () => fail(new Problem(501, "unsupported", "this platform has no routers and no mail audiences"));

// The operations: a method, a path whose "*" is any part, and the answer from { parts, query,
// scope, body }.
const operations = [
  ["GET", "/protocol", () => ({ protocols: [1], name: "Node example", hints: "webhook" })],
  ["GET", "/v1/health", () => ({})],
  ["GET", "/v1/capabilities", () => ({ unrouted_alerts: true, reopen: true, escalate: true, acknowledge_as: true, acknowledged_by_user: true })],
  ["POST", "/v1/destinations", ({ body }) => {
    if (!Array.isArray(body?.refs)) throw invalid("refs", "refs must be a list");
    return { destinations: body.refs.map(({ kind, id }) => destination(kind, id)) };
  }],
  ["GET", "/v1/teams", () => ({ teams: [...TEAMS.keys()].map((id) => destination("team", id)) })],
  ["GET", "/v1/teams/*/on-call", ({ parts: [team], query }) => {
    const layer = Number(query.get("layer") ?? 0); // 0: all
    const people = found(TEAMS, "team", team).layers.flatMap((users, i) => users.map((user) => ({ layer: i + 1, user: USERS.get(user) })));
    return { on_call: people.filter((entry) => layer === 0 || layer === entry.layer) };
  }],
  ["GET", "/v1/users/*", ({ parts: [user] }) => found(USERS, "user", user)],
  ["GET", "/v1/alerts/*", ({ parts: [key], scope }) => readAlert(idOf({ ...scope, key }))?.alert ?? fail(unknown("alert", key))],
  ["PUT", "/v1/alerts/*/commands/*", ({ parts: [key, number], scope, body }) => {
    if (!/^[1-9]\d*$/.test(number)) throw invalid("number", "the number of a command is 1 or more");
    if (typeof body?.kind !== "string") throw invalid("kind", "a command has a kind");
    return apply({ ...scope, key }, Number(number), body);
  }],
  ["POST", "/v1/routers/*/route", noRouters],
  ["POST", "/v1/audience", noRouters],
  // Not of the protocol: what the product's own pages do.
  ["POST", "/alerts/*/acknowledge", ({ parts: [id], body }) => act(id, "acknowledge", body?.user)],
  ["POST", "/alerts/*/decline", ({ parts: [id], body }) => act(id, "decline", body?.user)],
  ["POST", "/alerts/*/resolve", ({ parts: [id] }) => act(id, "resolve")],
  ["POST", "/users/*/ring", ({ parts: [id] }) => ring(id)], // for the person who is logged in alone
];

// match gives what stands for each "*" of a pattern, or null if the path is another.
function match(pattern, pathname) {
  const want = pattern.split("/"), have = pathname.split("/");
  if (want.length !== have.length || !want.every((part, i) => part === have[i] || (part === "*" && have[i] !== ""))) return null;
  try {
    return have.filter((_, i) => want[i] === "*").map(decodeURIComponent);
  } catch {
    throw invalid("", "the address is not encoded correctly");
  }
}

// answer finds the operation of a request and runs it.
function answer(request, body) {
  const { pathname, searchParams: query } = new URL(request.url, "http://platform");
  const here = operations.map(([method, pattern, run]) => ({ method, run, pattern, parts: match(pattern, pathname) })).filter(({ parts }) => parts);
  if (here.length === 0 && /^\/v\d+\//.test(pathname) && !pathname.startsWith("/v1/")) {
    throw new Problem(412, "unavailable", "this server speaks protocol 1", { protocols: [1] });
  }
  if (here.length === 0) throw unknown("address", pathname);
  const operation = here.find(({ method }) => method === request.method);
  if (!operation) throw new Problem(405, "unsupported", `use ${here.map(({ method }) => method).join(", ")}`);
  const scope = { tenant: query.get("tenant") ?? "", integration: query.get("integration") ?? "" };
  if (operation.pattern.startsWith("/v1/alerts/") && scope.integration === "") throw invalid("integration", "the query names no integration");
  return operation.run({ parts: operation.parts, query, scope, body: parse(body) });
}

function parse(body) {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    throw invalid("", "the body is not JSON");
  }
}

const digest = (text) => createHash("sha256").update(text).digest(); // equal lengths, so that comparing takes equal time

function authorize(request) {
  const given = digest(request.headers.authorization ?? "");
  if (!TOKENS.some((token) => timingSafeEqual(given, digest("Bearer " + token)))) throw new Problem(401, "unauthorized", "the token is wrong");
}

const MAX_BODY = 1 << 20;

// readBody reads all of a body, also of one that is too large: an answer amid the request would
// look like a broken connection.
async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= MAX_BODY) chunks.push(chunk);
  }
  if (length > MAX_BODY) throw new Problem(413, "invalid", "the body is larger than 1 MiB");
  return Buffer.concat(chunks).toString("utf8");
}

async function serve(request, response) {
  let status = 200, type = "application/json", content;
  try {
    const body = await readBody(request);
    authorize(request);
    content = await answer(request, body);
  } catch (error) {
    if (!(error instanceof Problem)) console.error(error);
    const problem = error instanceof Problem ? error : new Problem(500, "internal", "the platform's log says what is wrong");
    [status, type, content] = [problem.status, "application/problem+json", problem.body];
  }
  // One piece with its length: head and body apart would cost up to 40 ms a request.
  const bytes = Buffer.from(JSON.stringify(content));
  response.writeHead(status, { "Content-Type": type, "Content-Length": bytes.length });
  response.end(bytes);
}

fs.mkdirSync(FOLDER, { recursive: true });
const server = createServer(serve);
server.keepAliveTimeout = 120_000; // the switchboard keeps its connections longer than Node's 5 s
const [, host, port] = ADDRESS.match(/^(.*):(\d+)$/);
server.listen(Number(port), host, () => console.log("serving", server.address().port));
