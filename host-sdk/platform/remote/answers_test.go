package remote_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

func answer(status int, media, body string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// The operator asks before there is an integration, and the document lets a platform refuse an
// empty one.
func TestWhereNoIntegrationAsksTheParameterIsNotEmpty(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	p.breakIt(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasPrefix(r.URL.Path, "/v1/") && r.URL.Query().Get("integration") == "" {
			answer(400, wire.ProblemType, `{"status":400,"kind":"invalid","detail":"integration is missing"}`)(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
	if _, err := adapter.Capabilities(t.Context(), platform.Scope{}); err != nil {
		t.Error(err)
	}
	if teams, err := adapter.Teams(t.Context(), platform.Scope{}); err != nil || len(teams) == 0 {
		t.Errorf("%v, %v", teams, err)
	}
	if _, err := adapter.User(t.Context(), platform.Scope{}, "alice"); err != nil {
		t.Error(err)
	}
}

// What no platform would answer is never taken for an answer: no list is empty because of it, and
// no command is given up.
func TestAStrangeAnswerIsNoAnswerAndNotFinal(t *testing.T) {
	t.Parallel()
	const html, plain = "<!DOCTYPE html><html><body>nginx</body></html>", "application/json"
	for name, c := range map[string]struct {
		fault   func(http.ResponseWriter, *http.Request, http.Handler)
		kind    integration.Kind
		finding string
	}{
		"a proxy's 404":       {answer(404, "text/html", html), integration.KindInternal, "status 404 came with an HTML page"},
		"a proxy's 403":       {answer(403, "text/html", html), integration.KindInternal, "status 403 came with an HTML page"},
		"a login page":        {answer(200, "text/html", html), integration.KindInternal, "status 200 came with an HTML page"},
		"a redirect":          {answer(301, "text/html", html), integration.KindInternal, "redirect"},
		"no body, 204":        {answer(204, plain, ""), integration.KindInternal, "status 204 came with no body"},
		"no body, 200":        {answer(200, plain, ""), integration.KindInternal, "status 200 came with no body"},
		"null":                {answer(200, plain, "null"), integration.KindInternal, "null"},
		"another type":        {answer(200, plain, `["x"]`), integration.KindInternal, "JSON of the type array"},
		"JSON cut off":        {answer(200, plain, `{"teams":[`), integration.KindUnavailable, ""},
		"more JSON":           {answer(200, plain, `{} {}`), integration.KindInternal, "more follows"},
		"2 MiB":               {answer(200, plain, `{"x":"`+strings.Repeat("x", 2<<20)+`"}`), integration.KindInternal, "larger than"},
		"problem, no kind":    {answer(404, wire.ProblemType, `{"status":404,"detail":"gone"}`), integration.KindInternal, "a problem document with a kind"},
		"problem, other kind": {answer(404, wire.ProblemType, `{"status":404,"kind":"vanished"}`), integration.KindInternal, ""},
		"kind against status": {answer(404, wire.ProblemType, `{"status":404,"kind":"unavailable"}`), integration.KindUnavailable, ""},
		"503 without problem": {answer(503, "text/html", html), integration.KindUnavailable, ""},
		"504 without problem": {answer(504, "text/html", html), integration.KindDeadline, ""},
		"412":                 {answer(412, wire.ProblemType, `{"status":412,"kind":"invalid","protocols":[2]}`), integration.KindUnavailable, ""},
		"500":                 {answer(500, "text/plain", "oops"), integration.KindInternal, "status 500"},
		"body shorter than said": {func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"teams":[]`))
		}, integration.KindUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, adapter := start(t, nil)
			p.breakIt(c.fault)
			for method, call := range calls(adapter) {
				if err := call(t.Context()); integration.KindOf(err) != c.kind {
					t.Errorf("%s: %v, want the kind %s", method, err, c.kind)
				}
			}
			if text := strings.Join(adapter.Findings(), "\n"); !strings.Contains(text, c.finding) {
				t.Errorf("the findings are %q, want one with %q", text, c.finding)
			}
			p.breakIt(nil)
			var names []string
			for name := range calls(adapter) {
				names = append(names, name)
			}
			slices.Sort(names) // Alert comes before Apply: try them twice
			for _, name := range append(names, names...) {
				_ = calls(adapter)[name](t.Context())
			}
			if text := adapter.Findings(); len(text) > 0 {
				t.Errorf("the platform is well again, and the findings are %q", text)
			}
		})
	}
}

// What is missing in an answer is not taken for nobody and nothing.
func TestAMissingListIsNotAnEmptyOne(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	p.breakIt(answer(200, "application/json", "{}"))
	for method, call := range calls(adapter) {
		if method == "Capabilities" || method == "Health" {
			continue // absent is false
		}
		if err := call(t.Context()); integration.KindOf(err) != integration.KindInternal {
			t.Errorf("%s answered with {}: %v, want the kind internal", method, err)
		}
	}
}

func TestOnlyAProblemWithAFinalKindIsFinal(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	for _, kind := range []integration.Kind{integration.KindInvalid, integration.KindUnauthorized, integration.KindNotFound, integration.KindUnsupported} {
		for _, media := range []string{wire.ProblemType, "application/json"} {
			p.breakIt(answer(403, media, fmt.Sprintf(`{"status":403,"kind":%q,"detail":"%s","field":"teams","code":"E1"}`, kind, strings.Repeat("long ", 2000))))
			err := adapter.Apply(t.Context(), scope, first("CA1")[0])
			var known *integration.Error
			if !errors.As(err, &known) || known.Kind != kind || known.Field != "teams" || known.Code != "E1" || len(known.Message) > 500 || !strings.HasPrefix(known.Message, "long long") {
				t.Errorf("%s as %s: %.200v", kind, media, err)
			}
		}
	}
}

// People and teams that cannot be are refused by name or left out with a finding.
func TestListsThatCannotBe(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	ctx, at := t.Context(), time.Now()
	const media = "application/json"
	refs := []platform.Ref{{Kind: integration.DestinationTeam, ID: "a"}, {Kind: integration.DestinationTeam, ID: "b"}}
	for body, want := range map[string]string{
		`{"destinations":[{"kind":"team","id":"a","name":"A"}]}`:                                        "2 references",
		`{"destinations":[{"kind":"team","id":"b","name":"B"},{"kind":"team","id":"a","name":"A"}]}`:    "keep the order",
		`{"destinations":[{"kind":"team","id":"a","name":"A"},{"kind":"team","id":"b"}]}`:               "callers hear it",
		`{"destinations":[{"kind":"service","id":"a","name":"A"},{"kind":"team","id":"b","name":"B"}]}`: "neither team nor router",
	} {
		p.breakIt(answer(200, media, body))
		if _, err := adapter.Destinations(ctx, scope, refs); integration.KindOf(err) != integration.KindInternal || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", body, err, want)
		}
	}
	p.breakIt(answer(200, media, `{"teams":[{"kind":"team","id":"b","name":"beta"},{"kind":"team","id":"a","name":"\u202eAlpha\n"},{"kind":"team","id":"b","name":"beta"},{"kind":"team","id":"x/y","name":"X"}]}`))
	teams, err := adapter.Teams(ctx, scope)
	want := []integration.Destination{{Kind: integration.DestinationTeam, ID: "a", Name: "Alpha"}, {Kind: integration.DestinationTeam, ID: "b", Name: "beta"}}
	if diff := cmp.Diff(want, teams); diff != "" || err != nil {
		t.Errorf("Teams: %v\n%s", err, diff)
	}
	p.breakIt(answer(200, media, `{"on_call":[{"layer":0,"user":{"id":"a","name":"A"}}]}`))
	if _, err := adapter.OnCall(ctx, scope, "a", 0, at); integration.KindOf(err) != integration.KindInternal {
		t.Errorf("layer 0: %v", err)
	}
	p.breakIt(answer(200, media, `{"key":"CA1","id":"1","status":"acknowledged","last_command":1,"acknowledgements":[{"id":"1","at":"yesterday"}]}`))
	if _, err := adapter.Alert(ctx, scope, "CA1"); integration.KindOf(err) != integration.KindInternal || !strings.Contains(err.Error(), `"yesterday" is no time as in RFC 3339`) {
		t.Errorf("a time in words: %v", err)
	}
	p.breakIt(answer(200, media, `{"id":"a","name":"A","phones":["0202 555 0143","+12025550143"]}`))
	if u, err := adapter.User(ctx, scope, "a"); err != nil || !slices.Equal(u.Phones, []string{"+12025550143"}) {
		t.Errorf("a telephone number that cannot be called: %+v, %v", u, err)
	}
	text := strings.Join(adapter.Findings(), "\n")
	if !strings.Contains(text, "2 entries of the list of teams") || !strings.Contains(text, `user "a": 1 of 2 telephone numbers`) || strings.Contains(text, "0143") {
		t.Errorf("the findings are %q", text)
	}
	if _, err := adapter.OnCall(ctx, scope, "a/b", 0, at); integration.KindOf(err) != integration.KindInvalid || !strings.Contains(err.Error(), `it holds "/"`) {
		t.Errorf("a team id with a slash: %v", err)
	}
}

// Ids may hold everything but a slash.
func TestIdsArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	for _, key := range []string{"a b", "Jörg@example.com", "50%", "a?b#c", "x;y=z+1", `"'\`} {
		cmd := first(key)[0]
		perform(t, adapter, cmd)
		if a, err := adapter.Alert(t.Context(), platform.Scope{Integration: "int-1"}, key); err != nil || a.Key != key {
			t.Errorf("%q: %+v, %v", key, a, err)
		}
		if n := len(p.commands(key)); n != 1 {
			t.Errorf("%q: %d commands arrived", key, n)
		}
	}
}

// A snapshot of a stale replica has an earlier number, by which the host knows it, whenever it
// came.
func TestAStaleReplicaDoesNotTurnTimeBack(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	for _, change := range []int64{7, 6, 7, 0} {
		p.breakIt(answer(200, "application/json", fmt.Sprintf(`{"key":"CA1","id":"1","status":"open","last_command":2,"change":%d}`, change)))
		a, err := adapter.Alert(t.Context(), scope, "CA1")
		if err != nil || a.Change != change {
			t.Errorf("change %d is read as %d (%v)", change, a.Change, err)
		}
	}
}

// A misspelt member shows itself only as a value that is missing: the adapter says which was likely
// meant, until it is right. What is like nothing may be a later version's and is passed over.
func TestAMisspeltMemberIsNamedWithTheLikelyOne(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	p.breakIt(answer(200, "application/json", `{"key":"CA1","id":"A-1","status":"open","lastCommand":2,"colour":"red","acknowledgements":[{"id":"a","at":"2026-01-02T03:04:05Z","usr":"alice"}]}`))
	if _, err := adapter.Alert(t.Context(), scope, "CA1"); err != nil {
		t.Fatal(err)
	}
	const want = "alert: the answer has acknowledgements[].usr, which is not in the document: is user meant?; lastCommand, which is not in the document: is last_command meant?"
	if got := adapter.Findings(); !slices.Equal(got, []string{want}) {
		t.Errorf("findings %q, want %q", got, want)
	}
	p.breakIt(answer(200, "application/json", `{"key":"CA1","id":"A-1","status":"open","last_command":2,"colour":"red"}`))
	if _, err := adapter.Alert(t.Context(), scope, "CA1"); err != nil || len(adapter.Findings()) != 0 {
		t.Errorf("a repaired answer: findings %q, %v", adapter.Findings(), err)
	}
}
