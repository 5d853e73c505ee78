package remote_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// start gives a product with an adapter that has agreed on the protocol.
func start(t *testing.T, change func(*remote.Config)) (*product, *remote.Platform) {
	t.Helper()
	p := newProduct(t, wire.HintsWebhook)
	adapter := p.adapter(change)
	if err := adapter.Health(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p, adapter
}

// calls are all methods that ask for something, and a command.
func calls(adapter *remote.Platform) map[string]func(context.Context) error {
	at := time.Now()
	return map[string]func(context.Context) error{
		"Capabilities": func(ctx context.Context) error { _, err := adapter.Capabilities(ctx, scope); return err },
		"Destinations": func(ctx context.Context) error {
			_, err := adapter.Destinations(ctx, scope, []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}})
			return err
		},
		"Teams":  func(ctx context.Context) error { _, err := adapter.Teams(ctx, scope); return err },
		"OnCall": func(ctx context.Context) error { _, err := adapter.OnCall(ctx, scope, "devops", 0, at); return err },
		"User":   func(ctx context.Context) error { _, err := adapter.User(ctx, scope, "alice"); return err },
		"Route": func(ctx context.Context) error {
			_, err := adapter.Route(ctx, scope, "main", []byte("{}"), at)
			return err
		},
		"Alert": func(ctx context.Context) error { _, err := adapter.Alert(ctx, scope, "CA1"); return err },
		"Audience": func(ctx context.Context) error {
			_, err := adapter.Audience(ctx, scope, integration.AudienceTeam, []string{"devops"}, at)
			return err
		},
		"Apply":  func(ctx context.Context) error { return adapter.Apply(ctx, scope, first("CA1")[0]) },
		"Health": adapter.Health,
	}
}

func answer(status int, media, body string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// The operator asks before there is an integration, and the document lets a platform refuse an empty one.
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

// reset closes the connection in place of an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// perform sends a command until it is answered, as the engine does.
func perform(t *testing.T, adapter *remote.Platform, cmd integration.AlertCommand) (tries int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		tries++
		err := adapter.Apply(t.Context(), scope, cmd)
		if err == nil {
			return tries
		}
		if integration.KindOf(err).Final() {
			t.Fatalf("command %d was given up: %v", cmd.Number, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("command %d was not answered in a minute", cmd.Number)
	return tries
}

var allThree = []string{"1 create", "2 route", "3 acknowledge"}

// Whatever happens to an answer, each command is done once and in order.
func TestACommandWhoseAnswerIsLostIsDoneOnce(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request, http.Handler){
		"reset before it is done": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { reset(w) },
		"reset after it is done": func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			reset(w)
		},
		"cut after it is done": func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			done := httptest.NewRecorder()
			next.ServeHTTP(done, r)
			w.Header().Set("Content-Length", "5000")
			_, _ = w.Write(done.Body.Bytes()[:20])
		},
		"head at once, body never": func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"no answer": func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			<-r.Context().Done()
		},
		"502 after it is done": func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			answer(502, "text/html", "<html>")(w, r, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, adapter := start(t, nil)
			adapter.SetTimes(0, 200*time.Millisecond, 0, 0, 0, 0, 0)
			var mu sync.Mutex
			n := 0
			p.breakIt(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				mu.Lock()
				n++
				broken := n%3 != 0
				mu.Unlock()
				if broken && r.Method == http.MethodPut {
					fault(w, r, next)
					return
				}
				next.ServeHTTP(w, r)
			})
			tries := 0
			for _, cmd := range first("CA1") {
				tries += perform(t, adapter, cmd)
			}
			if diff := cmp.Diff(allThree, p.commands("CA1")); diff != "" || tries <= 3 {
				t.Errorf("after %d tries (-want +done):\n%s", tries, diff)
			}
		})
	}
}

// Number, not order of arrival, decides: an old command alone changes nothing, a gap is no mistake.
func TestAnOldNumberAloneAndAGap(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	cmds := first("CA1")
	for _, cmd := range cmds {
		perform(t, adapter, cmd)
	}
	a, err := adapter.Alert(t.Context(), scope, "CA1")
	if err != nil {
		t.Fatal(err)
	}
	perform(t, adapter, integration.AlertCommand{Number: 9, Kind: integration.AlertReopen, AlertKey: "CA1", Ack: a.Acknowledgements[0].ID})
	perform(t, adapter, cmds[2])
	perform(t, adapter, cmds[2])
	a, err = adapter.Alert(t.Context(), scope, "CA1")
	if err != nil || a.Status != integration.AlertOpen || a.LastCommand != 9 {
		t.Errorf("an old acknowledgement after it was taken back: %+v, %v", a, err)
	}
	if diff := cmp.Diff(append(slices.Clone(allThree), "9 reopen"), p.commands("CA1")); diff != "" {
		t.Error(diff)
	}
}

func TestRetryAfterKeepsCommandsBackAndNoQuestion(t *testing.T) {
	t.Parallel()
	for after, want := range map[string][2]time.Duration{
		"30": {20 * time.Second, 30 * time.Second},
		time.Now().Add(40 * time.Second).UTC().Format(http.TimeFormat): {20 * time.Second, 40 * time.Second},
		"604800": {50 * time.Second, time.Minute}, "-5": {-1 << 63, 0}, "soon": {-1 << 63, 0}, "": {-1 << 63, 0},
	} {
		for _, status := range []int{429, 503} {
			p, adapter := start(t, nil)
			p.breakIt(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				w.Header().Set("Retry-After", after)
				answer(status, "text/plain", "busy")(w, r, next)
			})
			cmd := first("CA1")[0]
			if err := adapter.Apply(t.Context(), scope, cmd); integration.KindOf(err) != integration.KindUnavailable {
				t.Errorf("%d: %v, want unavailable", status, err)
			}
			p.breakIt(nil)
			if got := adapter.Paused(); got < want[0] || got > want[1] {
				t.Errorf("Retry-After %q keeps commands back for %v, want %v to %v", after, got, want[0], want[1])
			}
			before := p.requests.Load()
			err := adapter.Apply(t.Context(), scope, cmd)
			if back := want[1] > 0; back != (integration.KindOf(err) == integration.KindUnavailable) || back != (p.requests.Load() == before) {
				t.Errorf("Retry-After %q, then a command: %v", after, err)
			}
			if _, err := adapter.Teams(t.Context(), scope); err != nil {
				t.Errorf("Retry-After %q, then a question: %v", after, err)
			}
		}
	}
}

// A wrong token loses no command, and is said in words.
func TestCommandsOutliveAWrongToken(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	p.breakIt(answer(401, wire.ProblemType, `{"status":401,"kind":"unauthorized","detail":"no"}`))
	for _, cmd := range first("CA1") {
		err := adapter.Apply(t.Context(), scope, cmd)
		var known *integration.Error
		if !errors.As(err, &known) || known.Kind != integration.KindUnavailable || known.Code != remote.CodeToken {
			t.Errorf("401: %v, want unavailable with the code %s", err, remote.CodeToken)
		}
	}
	if err := adapter.Health(t.Context()); err == nil || !strings.Contains(err.Error(), "token") {
		t.Errorf("Health: %v, want an error about the token", err)
	}
	if text := strings.Join(adapter.Findings(), "\n"); !strings.Contains(text, "the platform refuses the token") {
		t.Errorf("the findings are %q", text)
	}
	p.breakIt(nil)
	for _, cmd := range first("CA1") {
		perform(t, adapter, cmd)
	}
	if diff := cmp.Diff(allThree, p.commands("CA1")); diff != "" {
		t.Error(diff)
	}
}

// The answer of a slow platform is not waited for, and a method ends with its context.
func TestEveryMethodEndsWithItsContext(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	p.breakIt(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() })
	var all sync.WaitGroup
	for method, call := range calls(adapter) {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			done := make(chan error, 1)
			go func() { done <- call(ctx) }()
			select {
			case err := <-done:
				if integration.KindOf(err) != integration.KindDeadline {
					t.Errorf("%s, given up: %v, want the kind deadline", method, err)
				}
			case <-time.After(20 * time.Second):
				t.Errorf("%s goes on after its context has ended", method)
			}
		})
	}
	all.Wait()
	adapter.SetTimes(50*time.Millisecond, 50*time.Millisecond, 0, 0, 0, 0, 0)
	if _, err := adapter.Teams(t.Context(), scope); integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("Teams of a platform that does not answer: %v, want the kind deadline", err)
	}
}

// Callers' questions do not wait behind commands.
func TestAQuestionIsAnsweredWhileCommandsHang(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	release, arrived := make(chan struct{}), make(chan struct{}, 100)
	p.breakIt(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			arrived <- struct{}{}
			<-release
		}
		next.ServeHTTP(w, r)
	})
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() { _ = adapter.Apply(t.Context(), scope, first(fmt.Sprint("CA", i))[0]) })
	}
	for range 8 { // half of 16 at once are commands
		<-arrived
	}
	if _, err := adapter.Teams(t.Context(), scope); err != nil {
		t.Errorf("Teams while commands hang: %v", err)
	}
	if n := len(arrived); n > 0 {
		t.Errorf("%d more commands at once than half of 16", n)
	}
	close(release)
	all.Wait()
}

// A question whose connection died is asked once more; a command is not.
func TestAQuestionIsAskedOnceMoreAfterAReset(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	var mu sync.Mutex
	n := 0
	p.breakIt(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		defer mu.Unlock()
		if n++; n == 1 {
			reset(w)
			return
		}
		next.ServeHTTP(w, r)
	})
	if _, err := adapter.Destinations(t.Context(), scope, []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}}); err != nil || n != 2 {
		t.Errorf("a question whose connection was reset: %v after %d tries", err, n)
	}
}

// A server that is replaced behind its address costs no command and no call.
func TestAServerIsReplacedBehindItsAddress(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	cmds := first("CA1")
	perform(t, adapter, cmds[0])
	address := p.server.Listener.Addr().String()
	p.server.CloseClientConnections()
	p.server.Close()
	if err := adapter.Apply(t.Context(), scope, cmds[1]); err == nil || integration.KindOf(err).Final() {
		t.Errorf("a command to nobody: %v, want an error that is not final", err)
	}
	waitFor(t, "a question that fails without being sent", func() bool {
		_, err := adapter.Teams(t.Context(), scope)
		if integration.KindOf(err) != integration.KindUnavailable {
			t.Fatalf("a question to nobody: %v, want unavailable", err)
		}
		return strings.Contains(err.Error(), "just now")
	})
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("the address is taken: %v", err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: p.outer(p.routes()), ReadHeaderTimeout: time.Minute}}
	server.Start()
	defer server.Close()
	perform(t, adapter, cmds[1])
	perform(t, adapter, cmds[2])
	if diff := cmp.Diff(allThree, p.commands("CA1")); diff != "" {
		t.Error(diff)
	}
	if _, err := adapter.Teams(t.Context(), scope); err != nil {
		t.Errorf("a question after a command was answered: %v", err)
	}
}

// While calls are live the platform moves to another protocol and back.
func TestTheProtocolTurnsAndTurnsBack(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	cmds := first("CA1")
	perform(t, adapter, cmds[0])
	was := p.protocol.Load()
	now := *was
	now.Protocols = []int{2, 3}
	p.protocol.Store(&now)
	p.breakIt(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			answer(404, "text/plain", "404 page not found")(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
	waitFor(t, "an error that names the protocols", func() bool {
		err := adapter.Apply(t.Context(), scope, cmds[1])
		if err == nil || integration.KindOf(err).Final() {
			t.Fatalf("a command in protocol 2: %v", err)
		}
		return strings.Contains(err.Error(), "speaks protocol 2 and 3, this switchboard 1")
	})
	if err := adapter.Health(t.Context()); err == nil || !strings.Contains(err.Error(), "speaks protocol 2 and 3") {
		t.Errorf("Health: %v", err)
	}
	p.protocol.Store(was)
	p.breakIt(nil)
	perform(t, adapter, cmds[1])
	perform(t, adapter, cmds[2])
	if diff := cmp.Diff(allThree, p.commands("CA1")); diff != "" {
		t.Error(diff)
	}
}

func waitFor(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute for %s", what)
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

// A snapshot of a stale replica has an earlier number, by which the host knows it, whenever it came.
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

// The token is in no error, no finding and no line of the log, and goes to no other host.
func TestTheTokenStaysBetweenTheTwo(t *testing.T) {
	t.Parallel()
	var elsewhere sync.Map
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { elsewhere.Store(r.URL.Path, true) }))
	defer other.Close()
	var log lockedBuffer
	p, adapter := start(t, func(c *remote.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	var texts []string
	for _, fault := range []func(http.ResponseWriter, *http.Request, http.Handler){
		answer(403, wire.ProblemType, `{"status":403,"kind":"invalid","detail":"bad `+token+`","code":"`+token+`","field":"`+token+`"}`),
		answer(200, "text/html", token), answer(200, "application/json", `{"teams":[{"kind":"`+token+`"}],"key":"`+token+`","id":"`+token+`","on_call":7}`), answer(401, token, token),
		func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			http.Redirect(w, r, other.URL+"/"+token, http.StatusTemporaryRedirect)
		},
		func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { reset(w) },
	} {
		p.breakIt(fault)
		for _, call := range calls(adapter) {
			texts = append(texts, fmt.Sprint(call(t.Context())))
		}
		texts = append(texts, adapter.Findings()...)
	}
	for _, text := range append(texts, log.String()) {
		if strings.Contains(text, token) || strings.Contains(text, whsec(secret)) {
			t.Errorf("a secret is in %q", text)
		}
	}
	elsewhere.Range(func(path, _ any) bool { t.Errorf("another host was asked for %v", path); return true })
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestSettingsThatCannotBeAreRefusedByName(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]remote.Config{
		"url: it is no web address": {URL: "platform", Token: token},
		"http to example.com":       {URL: "http://example.com", Token: token},
		"neither https nor http":    {URL: "ftp://example.com", Token: token},
		"name or password":          {URL: "https://a:b@example.com", Token: token},
		"query or a fragment":       {URL: "https://example.com?x=1", Token: token},
		"token: it has 5":           {URL: "https://example.com", Token: "short"},
		"without blanks":            {URL: "https://example.com", Token: token + " "},
		"hints_secret: number 2":    {URL: "https://example.com", Token: token, HintsSecrets: []string{whsec(secret), "whsec_"}},
	} {
		if _, err := remote.New(cfg); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) {
			t.Errorf("%v, want an error with %q and without the token", err, want)
		}
	}
	for _, address := range []string{"https://example.com/livecall/", "http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost"} {
		if _, err := remote.New(remote.Config{URL: address, Token: token}); err != nil {
			t.Errorf("%s: %v", address, err)
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
