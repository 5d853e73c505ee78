package remote_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// reset closes the connection in place of an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
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
			case <-time.After(time.Minute):
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
	defer serve(t, address, p.outer(p.routes())).Close()
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

// Errors of a platform that does not answer say by their code that it is away, so that people are
// told that and not which connection failed.
func TestAPlatformThatDoesNotAnswerIsAway(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	p.breakIt(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { reset(w) })
	for method, call := range calls(adapter) {
		var known *integration.Error
		if err := call(t.Context()); !errors.As(err, &known) || known.Code != platform.CodeAway {
			t.Errorf("%s: %v", method, err)
		}
	}
}
