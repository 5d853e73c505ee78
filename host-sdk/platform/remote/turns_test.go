package remote_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/platformtest"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// counted is what a platform saw of a host's questions for changes.
type counted struct {
	asked, waiting int
	first          string // the cursor of the first question
}

// countChanges counts the questions for changes by the host's version.
func (p *product) countChanges() (of func(host string) counted) {
	var mu sync.Mutex
	seen := map[string]*counted{}
	at := func(host string) *counted {
		if seen[host] == nil {
			seen[host] = &counted{}
		}
		return seen[host]
	}
	p.breakIt(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == "/v1/changes" {
			mu.Lock()
			c := at(strings.TrimPrefix(r.UserAgent(), "switchboard/"))
			if c.asked++; c.asked == 1 {
				c.first = r.URL.Query().Get("after")
			}
			c.waiting++
			mu.Unlock()
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				c.waiting--
			}()
		}
		next.ServeHTTP(w, r)
	})
	return func(host string) counted {
		mu.Lock()
		defer mu.Unlock()
		return *at(host)
	}
}

// TestOneOfSeveralHostsWaitsForChangesAndTheOthersHearOfThem has two hosts, of which the first has
// the turn, and then no longer gets it.
func TestOneOfSeveralHostsWaitsForChangesAndTheOthersHearOfThem(t *testing.T) {
	t.Parallel()
	p := newProduct(t, wire.HintsChanges)
	counts := p.countChanges()
	who := platformtest.NewTurns("one")
	hosts := map[string]*remote.Platform{}
	hints := map[string]chan platform.Hint{}
	for host, other := range map[string]string{"one": "two", "two": "one"} {
		hosts[host] = p.adapter(func(c *remote.Config) {
			c.Version, c.Turns, c.Clock = host, who.Of(host), clock.Scaled(time.Now(), 20)
			c.Tell = func(notice string) { hosts[other].Heard(notice) }
		})
	}
	for host, adapter := range hosts {
		hints[host], _ = watch(t, adapter)
	}
	n := int64(0)
	changed := func(key string) func() {
		return func() {
			n++
			cmd := first(key)[0]
			cmd.Number = n
			perform(t, hosts["one"], cmd)
		}
	}
	waitFor(t, "the first host's questions", func() bool { return counts("one").asked > 1 })
	await(t, hints["one"], platform.Hint{Scope: scope, AlertKey: "CA1"}, changed("CA1"))
	await(t, hints["two"], platform.Hint{Scope: scope, AlertKey: "CA1"}, changed("CA1"))
	if c := counts("two"); c.asked != 0 {
		t.Errorf("the host whose turn it was not has asked %d times", c.asked)
	}
	who.Give("two")
	waitFor(t, "the second host's questions", func() bool { return counts("two").asked > 1 && counts("one").waiting == 0 })
	before := counts("one").asked
	if counts("two").first == "" {
		t.Error("the second host has not gone on where the first was")
	}
	await(t, hints["two"], platform.Hint{Scope: scope, AlertKey: "CA2"}, changed("CA2"))
	await(t, hints["one"], platform.Hint{Scope: scope, AlertKey: "CA2"}, changed("CA2"))
	if after := counts("one").asked; after != before {
		t.Errorf("the host whose turn is over has asked %d times more", after-before)
	}
}

// TestOfManyChangesTheOtherHostsHearThatAllMayHaveChanged has more of them at once than fit into a
// notice.
func TestOfManyChangesTheOtherHostsHearThatAllMayHaveChanged(t *testing.T) {
	t.Parallel()
	p := newProduct(t, wire.HintsChanges)
	told := make(chan string, 10_000)
	asks := p.adapter(func(c *remote.Config) {
		c.Turns, c.Tell = platformtest.NewTurns("one").Of("one"), func(notice string) { told <- notice }
	})
	hears := p.adapter(func(c *remote.Config) { c.Turns = platformtest.NewTurns("one").Of("two") })
	hints, _ := watch(t, hears)
	watch(t, asks)
	first := <-told // what was before
	await(t, hints, platform.Hint{}, func() { hears.Heard(first) })
	for len(hints) > 0 {
		<-hints
	}
	await(t, hints, platform.Hint{}, func() {
		p.mu.Lock()
		for i := range 200 {
			p.hint(wire.AlertRef{Integration: "int-1", AlertKey: strings.Repeat("x", i+1)})
		}
		p.mu.Unlock()
		notice := <-told
		if len(notice) > 3000 {
			t.Errorf("a notice has %d bytes", len(notice))
		}
		hears.Heard(notice)
	})
}

// TestAHintIsHandedOnToTheOtherHosts sends a hint to one of two hosts.
func TestAHintIsHandedOnToTheOtherHosts(t *testing.T) {
	t.Parallel()
	p := newProduct(t, wire.HintsWebhook)
	other := p.adapter(nil)
	hints, _ := watch(t, other)
	p.adapter(func(c *remote.Config) { c.Tell = other.Heard })
	want := platform.Hint{Scope: scope, AlertKey: "CA1"}
	await(t, hints, want, func() { p.post(p.hintsTo, wire.AlertRef{Integration: "int-1", AlertKey: "CA1"}) })
}

// TestHostsShareTheRequestsThatThePlatformTakesAtOnce starts with one host, and then others.
func TestHostsShareTheRequestsThatThePlatformTakesAtOnce(t *testing.T) {
	t.Parallel()
	p := newProduct(t, wire.HintsNone)
	allows := *p.protocol.Load()
	allows.Limits.Concurrent = 8
	p.protocol.Store(&allows)
	var hosts atomic.Int64
	adapter := p.adapter(func(c *remote.Config) { c.Hosts = func() int { return int(hosts.Load()) } })
	for _, step := range []struct{ hosts, questions, commands int }{{1, 4, 4}, {2, 2, 2}, {100, 1, 1}, {1, 4, 4}} {
		hosts.Store(int64(step.hosts))
		waitFor(t, fmt.Sprintf("the part of one of %d hosts", step.hosts), func() bool {
			if _, err := adapter.Teams(t.Context(), scope); err != nil {
				t.Fatal(err)
			}
			questions, commands := adapter.AtOnce()
			return questions == step.questions && commands == step.commands
		})
	}
}
