package platformcheck_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
)

const (
	answered  = "answers: answers are as in the OpenAPI document"
	textLine  = "        text = json.dumps(out).encode()\n"
	signed    = `mac = hmac.new(SECRET, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()`
	signature = `"v1," + base64.b64encode(mac).decode()`
	hintPut   = `    HINTS.put({"tenant": scope[0], "integration": scope[1], "alert_key": scope[2]})` + "\n"
	written   = "hints: hints are signed and written"
	each      = "hints: a hint for each command"
)

// wrongServer is the example with one mistake.
type wrongServer struct {
	replaced []string
	run      []string // the first is the check that finds it
	says     string
	note     bool // it is no fault
}

var wrongServers = map[string]wrongServer{
	"the number is not looked at": {
		[]string{`elif number <= alert["last_command"]:`, "elif False:"},
		[]string{"behaviour: one old command again"}, `command 3 \(acknowledge\) came again alone after command 4 and acknowledged anew`, false,
	},
	"only the last number is looked at": {
		[]string{`elif number <= alert["last_command"]:`, `elif number == alert["last_command"]:`},
		[]string{"behaviour: one old command again"}, `its number was run before, so it changes nothing`, false,
	},
	"numbers must follow one another": {
		[]string{`elif number <= alert["last_command"]:`, "elif number > alert[\"last_command\"] + 1:\n            raise Problem(409, \"conflict\", \"one is missing\")\n        elif number <= alert[\"last_command\"]:"},
		[]string{"beyond the suite: numbers with a gap"}, `commands/42 was answered with 409 with the kind conflict`, false,
	},
	"a refused command's number is stored": {
		[]string{`            raise not_found("team")` + "\n        if alert", `            alert["last_command"] = number; STORE.put(CURRENT, alert); raise not_found("team")` + "\n        if alert",
			"        run(alert, command, number)", "        global CURRENT; CURRENT = scope\n        run(alert, command, number)"},
		[]string{"beyond the suite: a refused command"}, `After a refused route last_command is 3 .* want 2`, false,
	},
	"the answer is the alert before the command": {
		[]string{hintPut + "    return alert", hintPut + `    return dict(alert, last_command=alert["last_command"] - 1)`},
		[]string{"answers: the answer to a command includes it", "numbers with a gap"}, `last_command is smaller than its number`, false,
	},
	"a read lags behind": {
		[]string{"                alert = STORE.get(scope)\n            if", "                alert = STORE.get(scope)\n                old = LAG.get(scope); LAG[scope] = alert; alert = old or alert\n            if", "class Store:", "LAG = {}\n\n\nclass Store:"},
		[]string{"beyond the suite: reading right after"}, `Command \d+ was answered, and what was read after it has last_command`, false,
	},
	"a member is misspelt": {
		[]string{textLine, `        text = json.dumps(out).replace('"last_command"', '"lastCommand"').encode()` + "\n"},
		[]string{answered, "numbers with a gap"}, `the member lastCommand is not in the document: is last_command meant\?`, false,
	},
	"a capability is misspelt": {
		[]string{`"acknowledge_as": True`, `"acknowledgeAs": True`},
		[]string{answered}, `capabilities: the member acknowledgeAs is not in the document: is acknowledge_as meant\?`, false,
	},
	"an empty list is null": {
		[]string{textLine, `        text = json.dumps(out).replace("[]", "null").encode()` + "\n"},
		[]string{answered, "numbers with a gap"}, `(acknowledgements|teams) is null: write \[\] for an empty list`, false,
	},
	"a status that does not exist": {
		[]string{textLine, `        text = json.dumps(out).replace('"open"', '"triggered"').encode()` + "\n"},
		[]string{answered, "numbers with a gap"}, `status is "triggered": it must be one of queued, open`, false,
	},
	"a number is text": {
		[]string{textLine, `        text = json.dumps(out).replace('"layer": 1', '"layer": "1"').encode()` + "\n"},
		[]string{answered}, `on_call\[0\].layer is "1": it must be an integer`, false,
	},
	"telephone numbers have blanks": {
		[]string{`"phones": ["+12025550143"]`, `"phones": ["+1 202 555-0143"]`},
		[]string{answered}, `phones\[0\] is "\+1 202 555-0143": write telephone numbers as \+ and digits`, false,
	},
	"times have no zone": {
		[]string{"            now = datetime.now(timezone.utc).isoformat()\n            alert", "            now = datetime.now().isoformat()\n            alert"},
		[]string{answered, "numbers with a gap"}, `acknowledgements\[0\].at is ".*": write times as 2026-01-31T12:34:56Z`, false,
	},
	"the clock is an hour off": {
		[]string{"            now = datetime.now(timezone.utc).isoformat()\n            alert", "            now = datetime.fromtimestamp(time.time() - 3600, timezone.utc).isoformat()\n            alert"},
		[]string{"beyond the suite: the clock is right"}, `has the time .*, (1h0m0s|59m5\ds) away from this machine's clock`, false,
	},
	"the token is not checked for /protocol": {
		[]string{`            if not hmac`, `            if url.path != "/protocol" and not hmac`},
		[]string{"reach: a request without the right token"}, `GET /protocol without a token was answered with status 200`, false,
	},
	"half of the token is enough": {
		[]string{`not hmac.compare_digest(self.headers.get("Authorization", "").encode(), b"Bearer " + TOKEN.encode())`, `not self.headers.get("Authorization", "")[7:17] == TOKEN[:10]`},
		[]string{"reach: a request without the right token"}, `GET /v1/teams with half of the token was answered with status 200`, false,
	},
	"a wrong token is refused without a document": {
		[]string{`raise Problem(401, "unauthorized", "the token is wrong")`, `return self.send_error(401)`},
		[]string{"reach: a request without the right token"}, `401 is right, but came without a problem document that has a kind`, false,
	},
	"the base URL redirects": {
		[]string{`            return {"protocols": [1], "name": "Python example", "hints": "webhook"}`, `            raise Problem(301, "", "")`},
		[]string{"reach: the address answers"}, `GET /protocol is answered with a redirect`, false,
	},
	"an unknown address is an HTML page": {
		[]string{`        except Problem as problem:`, "        except Problem as problem:\n            if problem.status == 404: return self.send_error(404)"},
		[]string{"protocol: an unknown address"}, `status 404, without a problem document that has a kind \(an HTML page`, false,
	},
	"a wrong method is an HTML page": {
		[]string{"do_PUT = do_DELETE = do_PATCH = handle_any", "do_PUT = handle_any"},
		[]string{"protocol: a wrong method"}, `DELETE /v1/capabilities.* was answered with status 501, without a problem document`, false,
	},
	"unknown members are refused": {
		[]string{`            return {"destinations"`, "            if set(body) - {\"refs\"}: raise Problem(422, \"invalid\", \"unknown member\")\n            return {\"destinations\""},
		[]string{"protocol: unknown members"}, `POST /v1/destinations with a member that is not known was answered with 422`, false,
	},
	"no protocol in common": {
		[]string{`{"protocols": [1], "name"`, `{"protocols": [2, 3], "name"`},
		[]string{"protocol: protocol 1 is spoken"}, `/protocol lists \[2 3\], this switchboard speaks 1`, false,
	},
	"a way of hinting that does not exist": {
		[]string{`"hints": "webhook"}`, `"hints": "push"}`},
		[]string{"protocol: protocol 1 is spoken"}, `hints of /protocol is "push": it is webhook, changes or none`, false,
	},
	"status and kind contradict each other": {
		[]string{`return Problem(404, "not_found", "there is no such " + what)`, `return Problem(400, "not_found", "there is no such " + what)`},
		[]string{answered, "every question"}, `the status is 400 and the kind not_found: they contradict each other; with this kind write 404`, false,
	},
	"errors have no kind": {
		[]string{`"status": status, "kind": kind,`, `"status": status,`},
		[]string{answered, "every question"}, `kind: the member is missing`, false,
	},
	"errors are application/json": {
		[]string{`problem.status, "application/problem+json", problem.body`, `problem.status, "application/json", problem.body`},
		[]string{answered, "every question"}, `came with the media type "application/json": errors are application/problem\+json`, false,
	},
	"an unknown team has nobody on call": {
		[]string{"            if team not in TEAMS:\n                raise not_found(\"team\")\n", "            if team not in TEAMS:\n                return {\"on_call\": []}\n"},
		[]string{"behaviour: people on call"}, `OnCall of an unknown team: error <nil>`, false,
	},
	"unknown references are left out": {
		[]string{`for ref in body["refs"]]}`, `for ref in body["refs"] if ref["id"] in TEAMS]}`},
		[]string{"behaviour: teams and destinations"}, `references were answered with \d destinations`, false,
	},
	"what is claimed is not implemented": {
		[]string{`"acknowledged_by_user": True}`, `"acknowledged_by_user": True, "audiences": True}`},
		[]string{"behaviour: declared capabilities"}, `the capability audiences is declared but not implemented: drop it, or answer with addresses`, false,
	},
	"what is not claimed is done": {
		[]string{`"reopen": True, `, ``},
		[]string{"beyond the suite: what is not claimed"}, `reopen is not claimed, but answered with status 200: claim it, or answer 501`, false,
	},
	"escalate skips layers": {
		[]string{`(alert["layer"], alert["round"]) == (command.get("layer"), command.get("round"))`, `True`},
		[]string{"behaviour: escalate"}, `leaving a layer it is not on changed the alert: layer was 1, is 2`, false,
	},
	"tenants are mixed": {
		[]string{`scope = (query.get("tenant", ""), query`, `scope = ("", query`},
		[]string{"beyond the suite: tenants are separate"}, `in the name of the tenant livecall-test-other, was answered with status 200`, false,
	},
	"paths are not decoded": {
		[]string{`[urllib.parse.unquote(part) for part`, `[part for part`},
		[]string{"beyond the suite: keys"}, `The alert of the key ".*" says that its key is ".*%20`, false,
	},
	"large bodies are refused": {
		[]string{`        url = urllib.parse.urlsplit(self.path)`, "        if len(body) > 100_000: return self.send_error(413)\n        url = urllib.parse.urlsplit(self.path)"},
		[]string{"beyond the suite: a body of 1 MiB"}, `commands/1 was answered with status 413`, false,
	},
	"alerts are kept in memory": {
		[]string{`Store(sys.argv[2])`, `Store(":memory:")`},
		[]string{"durability"}, `The alert is gone after the restart`, false,
	},
	"numbers are kept in memory": {
		[]string{`        self.db = sqlite3`, "        self.numbers = {}\n        self.db = sqlite3",
			"        return json.loads(row[0]) if row else None", "        return {**json.loads(row[0]), \"last_command\": self.numbers.get(scope, 0)} if row else None",
			"        with self.db:  #", "        self.numbers[scope] = alert[\"last_command\"]\n        with self.db:  #"},
		[]string{"durability"}, `After the restart the alert is another: last_command was 3, is 0`, false,
	},
	"hints are signed in hexadecimal": {
		[]string{signature, `"v1," + mac.hex()`},
		[]string{written, each}, `A hint was refused with 401: the signature is written in hexadecimal: write base…`, false,
	},
	"hints are signed with the secret as text": {
		[]string{`base64.b64decode(os.environ["HINTS_SECRET"].removeprefix("whsec_"))`, `os.environ["HINTS_SECRET"].encode()`},
		[]string{written, each}, `the secret was used as text: decode the base… after whsec_`, false,
	},
	"only the body of hints is signed": {
		[]string{signed, `mac = hmac.new(SECRET, body, hashlib.sha256).digest()`},
		[]string{written, each}, `only the body is signed: sign id.timestamp.body`, false,
	},
	"hints are signed with another hash": {
		[]string{signed, strings.Replace(signed, "sha256", "sha1", 1)},
		[]string{written, each}, `the signature has … bytes: HMAC-SHA… has …`, false,
	},
	"hints are serialised twice": {
		[]string{`urllib.request.Request(HINTS_URL, body, headers`, `urllib.request.Request(HINTS_URL, json.dumps(json.loads(body), indent=1).encode(), headers`},
		[]string{written, each}, `other bytes were signed than were sent \(serialise the body once\)`, false,
	},
	"hints have the time in milliseconds": {
		[]string{`str(int(time.time()))`, `str(int(time.time() * 1000))`},
		[]string{written, each}, `webhook-timestamp is … s away from our clock`, false,
	},
	"hints are for another integration": {
		[]string{hintPut, `    HINTS.put({"tenant": scope[0], "integration": "main", "alert_key": scope[2]})` + "\n"},
		[]string{each}, `came for others: the last has .*, where integration is to be "livecall-test-`, false,
	},
	"hints have misspelt members": {
		[]string{hintPut, `    HINTS.put({"integration": scope[1], "alert_key": scope[2], "alertKey": scope[2], "tennant": ""})` + "\n"},
		[]string{written, each}, `The member data.alerts\[\].tennant of a hint is not in the document: is tenant meant\?`, false,
	},
	"only some commands are hinted at": {
		[]string{hintPut, `    if alert["status"] != "resolved": HINTS.put({"tenant": scope[0], "integration": scope[1], "alert_key": scope[2]})` + "\n"},
		[]string{each}, `After resolve no hint for the alert came within`, false,
	},
	"hints all have one id": {
		[]string{`f"msg_{os.getpid()}_{count}"`, `"msg_1"`},
		[]string{written, each}, `Two different hints have the same webhook-id`, false,
	},
	"one failed hint is the last": {
		[]string{"            except OSError:\n                time.sleep(attempt + 0.2)", "            except OSError:\n                return"},
		[]string{"hints: after a hint that failed"}, `one that fails must not stop those behind it`, false,
	},
	"commands wait for their hints": {
		[]string{hintPut, hintPut + "    HINTS.join()\n",
			"        count += 1\n", "        count += 1\n        got = len(alerts)\n",
			"                time.sleep(attempt + 0.2)", "                time.sleep(attempt + 0.2)\n        for _ in range(got):\n            HINTS.task_done()"},
		[]string{"hints: after a hint that was not answered"}, `The command was answered after .* while its hint waited for an answer`, false,
	},
	"changes are not waited for": {
		changing("    while after == len(CHANGED) and time.time() < until:", "    while False:"),
		[]string{"hints: waiting for changes"}, `was answered after \d+ ms: hold the answer back until something changes`, false,
	},
	"an unknown cursor is taken": {
		changing(`if after > len(CHANGED)`, `if False`),
		[]string{"hints: waiting for changes"}, `A cursor that is not known was answered with status 200; want 410`, false,
	},
	"changes leave the integration out": {
		changing(`"integration": scope[1], "alert_key"`, `"alert_key"`),
		[]string{"hints: waiting for changes"}, `After a new alert /v1/changes does not name it`, false,
	},
	"health says that it is ill": {
		[]string{`            return {}` + "\n        case [\"GET\", \"v1\", \"capabilities\"]", `            raise Problem(503, "unavailable", "the database is locked")` + "\n        case [\"GET\", \"v1\", \"capabilities\"]"},
		[]string{"behaviour: healthy"}, `Health: .*the database is locked`, false,
	},
	"connections are closed": {
		[]string{`protocol_version = "HTTP/1.1"`, `protocol_version = "HTTP/1.0"`},
		[]string{"reach: connections are kept"}, `The server closes the connection after each answer`, true,
	},
}

// The check that is about a mistake says so in a sentence.
func TestWrongServersAreCaught(t *testing.T) {
	t.Parallel()
	for name, c := range wrongServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patience := 3 * time.Second
			if strings.HasPrefix(c.run[0], "hints: after") {
				patience = 6 * time.Second // hints must come here
			}
			said, text := c.caught(t, patience)
			if !said { // hints that do come may take longer where the machine is busy
				said, text = c.caught(t, 30*time.Second)
			}
			if !said {
				t.Errorf("the check %q does not say %q:\n%s", c.run[0], c.says, text)
			}
		})
	}
}

// caught tries the server, which is given so long for each hint, and returns whether the check says
// what is wrong, and the whole report.
func (c wrongServer) caught(t *testing.T, patience time.Duration) (said bool, text string) {
	t.Helper()
	s := example(t, c.replaced...)
	cfg := s.config()
	cfg.Run, cfg.HintWithin = c.run, patience
	if c.run[0] == "durability" {
		cfg.Restart = s.restart
	}
	report, text := try(t, cfg)
	want := result.Wrong
	if c.note {
		want = result.Noted
	}
	for _, step := range report.Steps {
		for _, check := range step.Checks {
			says := strings.Join(check.Says, " ")
			if strings.Contains(step.Name+": "+check.Name, c.run[0]) && check.Outcome == want && regexp.MustCompile(c.says).MatchString(says) {
				return true, text
			}
		}
	}
	return false, text
}
