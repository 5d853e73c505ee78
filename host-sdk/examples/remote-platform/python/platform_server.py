"""The smallest platform for live call routing, in Python's standard library alone.

It serves the protocol of host-sdk/platform/remote/openapi.yaml. Alerts are kept in a SQLite file, so
that they and the numbers of commands outlive a restart. Run it with

    PLATFORM_TOKEN=… HINTS_SECRET=whsec_… HINTS_URL=https://host/platform/hints \
        python3 platform_server.py 127.0.0.1:8070 alerts.db
"""

import base64, hashlib, hmac, json, os, queue, sqlite3, sys, threading, time, urllib.error, urllib.parse, urllib.request
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = os.environ["PLATFORM_TOKEN"]
SECRET = base64.b64decode(os.environ["HINTS_SECRET"].removeprefix("whsec_"))
HINTS_URL = os.environ["HINTS_URL"]
SWITCHBOARD_URL = os.environ.get("SWITCHBOARD_URL", "")  # with SWITCHBOARD_TOKEN, for "Ring me now" alone

USERS = {
    "alice": {"id": "alice", "name": "Alice Example", "email": "alice@example.com", "phones": ["+12025550143"]},
    "bob": {"id": "bob", "name": "Bob Example", "email": "bob@example.com", "phones": ["+12025550144"]},
}
TEAMS = {"devops": "DevOps", "support": "customer support", "idle": "Nobody"}
LAYERS = {"devops": [["alice"], ["bob"]], "support": [["bob"]], "idle": []}  # who is on call


class Problem(Exception):
    def __init__(self, status, kind, detail, **more):
        self.status = status
        self.body = {"type": "about:blank", "status": status, "kind": kind, "detail": detail, **more}


def not_found(what):
    return Problem(404, "not_found", "there is no such " + what)


class Store:
    """Alerts by tenant, integration and key. One lock stands for "select … for update"."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.execute("create table if not exists alerts (scope text primary key, alert text not null)")

    def get(self, scope):
        row = self.db.execute("select alert from alerts where scope = ?", (json.dumps(scope),)).fetchone()
        return json.loads(row[0]) if row else None

    def find(self, id):
        for scope, alert in self.db.execute("select scope, alert from alerts"):
            if json.loads(alert)["id"] == id:
                return json.loads(scope), json.loads(alert)
        raise not_found("alert")

    def put(self, scope, alert):
        with self.db:  # a transaction: number and effect together
            self.db.execute("insert or replace into alerts values (?, ?)", (json.dumps(scope), json.dumps(alert)))


def page(alert, after):
    """Page the first layer after one that has anybody on call; False if there is none."""
    layers = [LAYERS[team] for team in alert["teams"]]
    for layer in range(after + 1, max(map(len, layers), default=0) + 1):
        users = [u for team in layers if layer <= len(team) for u in team[layer - 1]]
        if users:
            alert.update(layer=layer, round=1, status="open")
            alert["declined"] = [u for u in alert["declined"] if u not in users]
            return True
    return False


def paged(alert):
    layers = [LAYERS[team] for team in alert["teams"]]
    return [u for team in layers if 1 <= alert["layer"] <= len(team) for u in team[alert["layer"] - 1]]


def run(alert, command, number):
    """Change the alert. A condition that does not hold is no error: nothing happens."""
    kind = command["kind"]
    if kind in ("create", "log", "add_field", "attach"):
        pass  # a real product keeps title, lines, fields and media here
    elif kind == "route":
        if any(team not in TEAMS for team in command["teams"]):
            raise not_found("team")
        if alert["teams"] != command["teams"]:
            alert["teams"] = command["teams"]
            if alert["status"] in ("queued", "open", "dropped") and not page(alert, 0):
                alert.update(status="dropped", layer=0, round=0)
    elif kind == "acknowledge":
        user = command.get("user")
        if user not in USERS:
            raise not_found("user")
        if alert["status"] not in ("acknowledged", "resolved"):
            now = datetime.now(timezone.utc).isoformat()
            alert["status"] = "acknowledged"
            alert["declined"] = [u for u in alert["declined"] if u != user]
            # The change is never the same again, so neither is the id.
            alert["acknowledgements"].append({"id": f"{alert['id']}-{alert['change'] + 1}", "user": user, "at": now, "command": number})
    elif kind == "reopen" and command.get("ack"):
        left = [a for a in alert["acknowledgements"] if a["id"] != command["ack"]]
        if len(left) < len(alert["acknowledgements"]):
            alert["acknowledgements"] = left
            if not left and alert["status"] == "acknowledged":
                alert["status"] = "open"
                page(alert, max(alert["layer"], 1) - 1)  # the same people once more
    elif kind == "reopen":
        if alert["status"] in ("resolved", "dropped"):
            alert["acknowledgements"] = []
            page(alert, 0)
    elif kind == "decline":
        user = command.get("user")
        if alert["status"] == "open" and user in paged(alert) and user not in alert["declined"]:
            alert["declined"].append(user)
            if all(u in alert["declined"] for u in paged(alert)):
                page(alert, alert["layer"])
    elif kind == "escalate":
        if alert["status"] == "open" and (alert["layer"], alert["round"]) == (command.get("layer"), command.get("round")):
            page(alert, alert["layer"])
    elif kind == "resolve":
        alert["status"] = "resolved"
    else:
        raise Problem(501, "unsupported", f"the command {kind} is not known")


def apply(scope, number, command):
    with STORE.lock:
        alert = STORE.get(scope)
        if alert is None:
            if command["kind"] != "create":
                raise not_found("alert")
            alert = {"key": scope[2], "id": "A-" + hashlib.sha256(json.dumps(scope).encode()).hexdigest()[:12], "status": "queued", "teams": [],
                     "layer": 0, "round": 0, "acknowledgements": [], "declined": [], "last_command": 0, "change": 0}
        elif number <= alert["last_command"]:
            return alert  # the number alone decides
        run(alert, command, number)  # an error leaves what is stored as it was
        alert["last_command"] = number
        alert["change"] += 1
        STORE.put(scope, alert)
    HINTS.put({"tenant": scope[0], "integration": scope[1], "alert_key": scope[2]})
    return alert


def act(id, kind, user):
    """What somebody does on the product's own pages: no command of the host, so no number of it."""
    with STORE.lock:
        scope, alert = STORE.find(id)
        run(alert, {"kind": kind, "user": user}, 0)
        alert["change"] += 1
        STORE.put(scope, alert)
    HINTS.put({"tenant": scope[0], "integration": scope[1], "alert_key": scope[2]})
    return alert


def ring(user):
    """What "Ring me now" on the product's own pages does: switchboard rings the phones of whoever presses it."""
    if not SWITCHBOARD_URL:
        raise Problem(501, "unsupported", "SWITCHBOARD_URL is not set: nobody can be rung from here")
    request = urllib.request.Request(
        f"{SWITCHBOARD_URL}/api/v1/users/{urllib.parse.quote(user, safe='')}/test", json.dumps({"way": "ring"}).encode(),
        {"Authorization": "Bearer " + os.environ["SWITCHBOARD_TOKEN"], "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=660) as got:  # their phones ring one after the other
            return {"rings": [{"phone": r["to"], "outcome": r["outcome"], "text": r["text"]} for r in json.load(got)]}
    except urllib.error.HTTPError as refused:  # such as a person who was rung five times within an hour
        raise Problem(refused.code, "conflict", json.load(refused)["error"]["message"])


def destination(kind, id):
    known = kind == "team" and id in TEAMS
    return {"kind": kind, "id": id, "name": TEAMS[id] if known else "", "missing": not known}


def answer(method, parts, query, body):
    """The answer to a request, by its method and path."""
    scope = (query.get("tenant", ""), query.get("integration", ""), parts[2] if len(parts) > 2 else "")
    match [method, *parts]:
        case ["GET", "protocol"]:
            return {"protocols": [1], "name": "Python example", "hints": "webhook"}
        case ["GET", "v1", "health"]:
            return {}
        case ["GET", "v1", "capabilities"]:
            return {"unrouted_alerts": True, "reopen": True, "escalate": True, "acknowledge_as": True, "acknowledged_by_user": True}
        case ["POST", "v1", "destinations"]:
            return {"destinations": [destination(ref["kind"], ref["id"]) for ref in body["refs"]]}
        case ["GET", "v1", "teams"]:
            return {"teams": [destination("team", id) for id in TEAMS]}
        case ["GET", "v1", "teams", team, "on-call"]:
            if team not in TEAMS:
                raise not_found("team")
            asked = int(query.get("layer", "0"))
            layers = enumerate(LAYERS[team], start=1)
            return {"on_call": [{"layer": n, "user": USERS[u]} for n, users in layers if asked in (0, n) for u in users]}
        case ["GET", "v1", "users", user]:
            if user not in USERS:
                raise not_found("user")
            return USERS[user]
        case ["GET", "v1", "alerts", _]:
            with STORE.lock:
                alert = STORE.get(scope)
            if alert is None:
                raise not_found("alert")
            return alert
        case ["PUT", "v1", "alerts", _, "commands", number]:
            return apply(scope, int(number), body)
        case ["POST", "alerts", id, ("acknowledge" | "decline" | "resolve") as kind]:  # not of the protocol
            return act(id, kind, body["user"])
        case ["POST", "users", id, "ring"]:  # not of the protocol, and for the person who is logged in alone
            return ring(id)
        case ["POST", "v1", "routers", _, "route"] | ["POST", "v1", "audience"]:
            raise Problem(501, "unsupported", "this platform has no routers and no mail audiences")
        case [_, "protocol"] | [_, "v1", "health" | "capabilities" | "destinations" | "teams" | "audience"] \
                | [_, "v1", "users" | "alerts", _] | [_, "v1", "teams", _, "on-call"] | [_, "v1", "routers", _, "route"] \
                | [_, "v1", "alerts", _, "commands", _]:
            raise Problem(405, "unsupported", f"{method} is not for this address")
        case [_, "v1", *_] | [_, _]:
            raise Problem(404, "not_found", "there is no such address")
    raise Problem(412, "unavailable", "this server speaks protocol 1", protocols=[1])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept
    wbufsize = -1  # head and body go out together: apart they would cost 40 ms a request

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        parts = [urllib.parse.unquote(part) for part in url.path.strip("/").split("/")]
        status, kind = 200, "application/json"
        try:
            if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), b"Bearer " + TOKEN.encode()):
                raise Problem(401, "unauthorized", "the token is wrong")
            out = answer(self.command, parts, dict(urllib.parse.parse_qsl(url.query)), json.loads(body) if body else None)
        except Problem as problem:
            status, kind, out = problem.status, "application/problem+json", problem.body
        text = json.dumps(out).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

    def log_message(self, *_):
        pass


def send_hints():
    """Send what has gathered, up to 100 alerts in one hint, and try each hint three times."""
    count = 0
    while True:
        alerts = [HINTS.get()]
        while len(alerts) < 100 and not HINTS.empty():
            alerts.append(HINTS.get())
        now = datetime.now(timezone.utc).isoformat()
        body = json.dumps({"type": "alert.changed", "timestamp": now, "data": {"alerts": alerts}}).encode()  # these bytes are signed and sent
        count += 1
        for attempt in range(3):
            name, stamp = f"msg_{os.getpid()}_{count}", str(int(time.time()))
            mac = hmac.new(SECRET, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
            headers = {"Content-Type": "application/json", "webhook-id": name, "webhook-timestamp": stamp,
                       "webhook-signature": "v1," + base64.b64encode(mac).decode()}
            try:
                urllib.request.urlopen(urllib.request.Request(HINTS_URL, body, headers, method="POST"), timeout=5).close()
                break
            except OSError:
                time.sleep(attempt + 0.2)


if __name__ == "__main__":
    host, _, port = sys.argv[1].rpartition(":")
    STORE, HINTS = Store(sys.argv[2]), queue.Queue()
    threading.Thread(target=send_hints, daemon=True).start()
    server = ThreadingHTTPServer((host, int(port)), Handler)
    server.daemon_threads = True
    print("serving", server.server_address[1], flush=True)
    server.serve_forever()
