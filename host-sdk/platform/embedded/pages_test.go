package embedded_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// paged counts pages by person.
type paged struct {
	mu    sync.Mutex
	times map[string]int
}

func (p *paged) add(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.times == nil {
		p.times = map[string]int{}
	}
	p.times[user]++
}

func (p *paged) count(user string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.times[user]
}

// secondLayer opens the alert and leaves the first layer, so that bob and carol are paged.
func (w *world) secondLayer() {
	w.open("devops")
	w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
}

// TestARefusedAddressConcernsOnePersonAlone: the others of the layer are paged once, and who was
// refused is not tried again.
func TestARefusedAddressConcernsOnePersonAlone(t *testing.T) {
	t.Parallel()
	var got paged
	w := newWorld(t, noon, storyFile, func(c *embedded.Config) {
		c.Notify = func(_ context.Context, p alerts.Page) error {
			got.add(p.User.ID)
			if p.User.ID == "bob" {
				return integration.Errorf(integration.KindInvalid, "550 no such user")
			}
			return nil
		}
	})
	w.secondLayer()
	w.until("both are paged, and the refusal is in the history", func() bool {
		return got.count("carol") == 1 && strings.Contains(strings.Join(w.story(), "\n"), "Bob Example could not be mailed")
	})
	w.until("nothing is being sent", func() bool { return w.busy() == 0 })
	for range 8 { // more than all attempts at one minute's distance
		w.clock.Advance(time.Minute)
		time.Sleep(time.Millisecond)
	}
	if got.count("bob") != 1 || got.count("carol") != 1 {
		t.Errorf("bob was paged %d times, carol %d times; want once each", got.count("bob"), got.count("carol"))
	}
}

// Whoever looks after the host hears of an address that does not work before a night in which only
// a mail would have told its owner of a caller.
func TestAPageThatIsGivenUpIsFoundUntilOneArrives(t *testing.T) {
	t.Parallel()
	var got paged
	w := newWorld(t, noon, storyFile, func(c *embedded.Config) {
		c.Notify = func(_ context.Context, p alerts.Page) error {
			got.add(p.User.ID)
			if p.User.ID == "bob" && got.count("bob") == 1 {
				return integration.Errorf(integration.KindInvalid, "550 no such user")
			}
			return nil
		}
	})
	w.secondLayer()
	w.until("the refusal is found", func() bool { return len(w.Findings()) > 0 })
	if found := w.Findings(); len(found) != 1 || !strings.Contains(found[0], "Bob Example") || !strings.Contains(found[0], "550 no such user") || !strings.Contains(found[0], "correct the address") {
		t.Errorf("found %q", found)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertResolve})
	w.do(integration.AlertCommand{Kind: integration.AlertReopen})
	w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
	w.until("the next page arrives, and nothing is found any more", func() bool { return got.count("bob") == 2 && len(w.Findings()) == 0 })
}

// TestAPageThatWasSentWhileTheHostStoppedIsNotSentAgain: its server took it at the last moment.
// What a server refused then is found after the start, and what was broken off is sent by then.
func TestAPageThatWasSentWhileTheHostStoppedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err   error
		line  string
		again int
		found bool
	}{
		"taken":      {nil, "Alice Example was mailed", 0, false},
		"refused":    {integration.Errorf(integration.KindInvalid, "550 no such user"), "Alice Example could not be mailed", 0, true},
		"broken off": {context.Canceled, "Alice Example was mailed", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sending := make(chan struct{}, 1)
			w := newWorld(t, noon, storyFile, func(c *embedded.Config) {
				c.Notify = func(ctx context.Context, _ alerts.Page) error {
					sending <- struct{}{}
					<-ctx.Done()
					return test.err
				}
			})
			w.open("devops")
			<-sending
			var got paged
			w.restart(func(c *embedded.Config) {
				c.Notify = func(_ context.Context, p alerts.Page) error { got.add(p.User.ID); return nil }
			})
			w.until("the story says what came of it", func() bool { w.clock.Advance(time.Second); return w.storyHas(test.line)() })
			if n := got.count("alice"); n != test.again {
				t.Errorf("Alice is paged %d times more, want %d", n, test.again)
			}
			if found := w.Findings(); len(found) > 0 != test.found {
				t.Errorf("found %q", found)
			}
		})
	}
}

// TestThatAPageMayHaveBeenSentIsNotDenied: a host ended while its server had the mail, perhaps, and
// the alert was taken before anybody could try again. Of an attempt that surely failed before, and
// of another way, the story says what is known.
func TestThatAPageMayHaveBeenSentIsNotDenied(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first, last error
		line        string
	}{
		"broken off":              {context.Canceled, nil, "Alice Example may have been mailed, but it was not confirmed before the alert was acknowledged"},
		"no answer in time":       {context.DeadlineExceeded, nil, "Alice Example may have been mailed, but it was not confirmed before the alert was acknowledged"},
		"failed, then broken off": {integration.Errorf(integration.KindUnavailable, "come again"), context.Canceled, "Alice Example may have been mailed, but it was not confirmed before the alert was acknowledged"},
		"failed twice":            {integration.Errorf(integration.KindUnavailable, "come again"), integration.Errorf(integration.KindUnavailable, "come again"), "Alice Example could not be mailed before the alert was acknowledged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			attempts := make(chan error, 2)
			attempts <- test.first
			if test.last != nil {
				attempts <- test.last
			}
			w := newWorld(t, noon, storyFile, func(c *embedded.Config) {
				c.Notify = func(ctx context.Context, _ alerts.Page) error {
					err := <-attempts
					if errors.Is(err, context.Canceled) {
						close(attempts)
						<-ctx.Done()
					}
					return err
				}
			})
			w.open("devops")
			w.until("all attempts were begun", func() bool {
				if w.busy() == 0 {
					w.clock.Advance(time.Second)
				}
				return len(attempts) == 0
			})
			if !errors.Is(test.first, context.Canceled) && !errors.Is(test.last, context.Canceled) {
				w.until("nothing is being sent", func() bool { return w.busy() == 0 })
			}
			w.restart(func(c *embedded.Config) {
				c.Notify = func(context.Context, alerts.Page) error {
					t.Error("a page is sent of an alert that was taken")
					return nil
				}
			})
			w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "bob"})
			w.until("the story says what is known", func() bool { w.clock.Advance(time.Second); return w.storyHas(test.line)() })
		})
	}
}

// TestWrongCredentialsAreTriedAgain: they are about the host's account, not about the person.
func TestWrongCredentialsAreTriedAgain(t *testing.T) {
	t.Parallel()
	var got paged
	w := newWorld(t, noon, storyFile, func(c *embedded.Config) {
		c.Notify = func(_ context.Context, p alerts.Page) error {
			got.add(p.User.ID)
			if got.count("alice") == 1 {
				return integration.Errorf(integration.KindUnauthorized, "535 wrong password")
			}
			return nil
		}
	})
	w.open("devops")
	w.until("the first attempt", func() bool { return got.count("alice") == 1 })
	w.until("the second attempt", func() bool { w.clock.Advance(time.Second); return got.count("alice") == 2 })
}

// TestALayerIsPagedInParallel: a mail server that hangs for the first holds up nobody.
func TestALayerIsPagedInParallel(t *testing.T) {
	t.Parallel()
	both := make(chan string, 2)
	release := make(chan struct{})
	w := newWorld(t, noon, storyFile, func(c *embedded.Config) {
		c.Notify = func(_ context.Context, p alerts.Page) error {
			if p.Layer == 2 {
				both <- p.User.ID
				<-release
			}
			return nil
		}
	})
	t.Cleanup(func() { close(release) })
	w.secondLayer()
	for range 2 {
		select {
		case <-both:
		case <-time.After(time.Minute):
			t.Fatal("one person waits for the other")
		}
	}
}

// TestAPageOfTheReleaseBeforeReachesEachPerson of the layer, which it keeps in one row.
func TestAPageOfTheReleaseBeforeReachesEachPerson(t *testing.T) {
	t.Parallel()
	var got paged
	var db *sqldb.DB
	w := newWorld(t, noon, storyFile, func(c *embedded.Config) {
		db = c.DB
		c.Notify = func(_ context.Context, p alerts.Page) error { got.add(p.User.ID); return nil }
	})
	w.open("devops")
	w.until("the first layer is paged", func() bool { return got.count("alice") == 1 })
	err := db.Write(t.Context(), func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(t.Context(), `insert into embedded_pages (id, alert_id, layer, round, users, at, due, attempts)
			select 'old', id, 2, 1, '["bob","carol"]', 1, 1, 0 from embedded_alerts where id = $1`, w.record().ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.until("bob and carol are paged", func() bool {
		w.clock.Advance(time.Second)
		return got.count("bob") == 1 && got.count("carol") == 1
	})
}

// TestWhoIsGoneFromTheFileDoesNotCount: when the last person of a layer who is still there
// declines, the next layer is paged.
func TestWhoIsGoneFromTheFileDoesNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.secondLayer()
	gone := strings.NewReplacer("users: [bob, carol]", "users: [carol]", "{users: [bob]}", "{users: [dave]}", "[dave, bob]", "[dave]").Replace(storyFile)
	line := strings.Index(gone, "  - {id: bob")
	write(t, w.path(), gone[:line]+gone[line+strings.Index(gone[line:], "\n")+1:])
	if err := w.source.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertDecline, User: "carol"})
	if a := w.alert(); a.Layer != 1 || a.Round != 2 {
		t.Errorf("carol was the last one, and the alert is in layer %d of round %d; want layer 1 of round 2", a.Layer, a.Round)
	}
}
