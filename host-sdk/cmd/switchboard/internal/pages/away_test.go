package pages_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// everything is what a host keeps.
type everything interface {
	store.Store
	store.People
}

// leaving is a store whose database can be taken away, as pages and API read it.
type leaving struct {
	everything
	people atomic.Bool // so that not even logins can be read
	away   atomic.Bool
}

// error is what a driver says of a server that is gone, which names it and its user.
func (l *leaving) error(logins bool) error {
	if !l.away.Load() || logins && !l.people.Load() {
		return nil
	}
	return sqldb.Error("read", &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Name: "canary-db.internal", Err: syscall.ECONNREFUSED.Error()}})
}

func (l *leaving) ListCalls(ctx context.Context, f store.CallFilter) ([]store.Call, string, error) {
	if err := l.error(false); err != nil {
		return nil, "", err
	}
	return l.everything.ListCalls(ctx, f)
}

func (l *leaving) CallsByKey(ctx context.Context, key string) ([]store.Call, error) {
	if err := l.error(false); err != nil {
		return nil, err
	}
	return l.everything.CallsByKey(ctx, key)
}

func (l *leaving) ListIntegrations(ctx context.Context) ([]store.Integration, error) {
	if err := l.error(false); err != nil {
		return nil, err
	}
	return l.everything.ListIntegrations(ctx)
}

func (l *leaving) Login(ctx context.Context, id string) (store.Login, error) {
	if err := l.error(true); err != nil {
		return store.Login{}, err
	}
	return l.everything.Login(ctx, id)
}

// While the database is away each page says so in a sentence, with the way to try again, and the
// API in JSON. Neither tells where the database is; the log does.
func TestTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	gone := &leaving{everything: h.Store.(everything)}
	h.Store = gone
	s := &site{h, t}
	h.Serve(s.handler(options{}))
	b := s.loggedIn("alice")
	s.call(b.create(), "CA01")
	gone.away.Store(true)
	for _, logins := range []bool{false, true} {
		gone.people.Store(logins)
		for _, page := range []string{"/", "/alerts", "/calls", "/calls/CA01", "/settings/integrations"} {
			v := b.get(page).is(503).has("Temporarily unavailable", "The database cannot be used at the moment. Try again in a moment.", `href="`+page+`" id="again"`).hasNot("canary")
			// The menu is that of somebody who is known.
			if got := strings.Contains(v.body, `id="nav-calls"`); got == logins {
				t.Errorf("%s: the menu is there: %v, while logins can be read: %v", page, got, !logins)
			}
		}
		b.post("/calls/CA01/notes", url.Values{"text": {"x"}}).is(503).has("cannot be used").hasNot("canary", `id="again"`)
	}
	for _, path := range []string{"/api/v1/calls", "/api/v1/calls/CA01", "/api/v1/integrations"} {
		a := s.Want(503, "GET", path, nil)
		if text := string(a.Body); !strings.Contains(text, "the database cannot be used at the moment: try again") || strings.Contains(text, "canary") || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %s, Retry-After %q", path, text, a.Header.Get("Retry-After"))
		}
	}
	if log := h.Log.String(); !strings.Contains(log, "canary-db.internal") {
		t.Error("the log does not name the database")
	}
	gone.away.Store(false)
	b.get("/calls/CA01").is(200)
}
