package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
)

func TestTimeOutsSurviveARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	w.stop()
	w.clock.Advance(7 * time.Minute) // while nothing ran
	if a := w.alert(); a.Layer != 1 {
		t.Fatalf("%+v", a)
	}
	w.restart()
	w.lines(3)
	if a := w.alert(); a.Layer != 2 {
		t.Errorf("after the restart: %+v", a)
	}
	w.clock.Advance(10*time.Minute - time.Millisecond)
	if a := w.alert(); a.Layer != 2 || a.Round != 1 {
		t.Errorf("the next layer does not have its whole time: %+v", a)
	}
	w.clock.Advance(time.Millisecond)
	w.lines(4)
}

// TestTwoProcesses holds that two processes on one database escalate once, and that each hints at
// the other's changes.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	other := *w
	other.stop = nil
	other.restart()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	hints := make(chan platform.Hint, 1000)
	var watching sync.WaitGroup
	watching.Go(func() { _ = other.Watch(ctx, func(h platform.Hint) { hints <- h }) })
	defer watching.Wait()
	defer cancel()
	w.open("devops")
	w.moving(time.Second, 10*time.Millisecond, "the other process's watchers are told", func() bool {
		select {
		case h := <-hints:
			return h == platform.Hint{Scope: scope, AlertKey: key}
		default:
			return false
		}
	})
	for i := range 4 {
		for w.clock.Now().Sub(noon) < time.Duration(i+1)*16*time.Minute && len(w.record().Log) < 3+i {
			w.clock.Advance(30 * time.Second)
			// Both processes get to run; the result does not depend on it.
			time.Sleep(5 * time.Millisecond)
		}
		w.lines(3 + i)
	}
	if log := w.record().Log; len(log) != 6 || w.alert().Status != integration.AlertDropped {
		t.Errorf("two processes escalated twice:\n%s", strings.Join(w.story(), "\n"))
	}
}

// TestFiresOnTheRealClock lets time-outs fire by the machine's clock: all of them, and none too
// early. How late they are is logged, not judged: the machine may be busy.
func TestFiresOnTheRealClock(t *testing.T) {
	w := newWorld(t, noon, strings.NewReplacer("timeout: 5m", "timeout: 1s", "timeout: 10m", "timeout: 1s", "repeat: 1", "repeat: 0").Replace(storyFile),
		func(c *embedded.Config) { c.Clock = clock.System() })
	for i, cmd := range []integration.AlertCommand{
		{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Call"}}, {Kind: integration.AlertRoute, Teams: []string{"devops"}},
	} {
		cmd.AlertKey, cmd.Number = key, int64(i+1) // without a time: the platform's clock counts
		if err := w.Apply(context.Background(), scope, cmd); err != nil {
			t.Fatal(err)
		}
	}
	w.until("the alert is dropped", func() bool { return w.alert().Status == integration.AlertDropped })
	log := w.record().Log
	for i := 2; i < len(log); i++ {
		late := log[i].At.Sub(log[i-1].At) - time.Second
		t.Logf("line %d is %v late", i+1, late)
		if late < 0 {
			t.Errorf("line %d is %v too early", i+1, -late)
		}
	}
}

func TestNotify(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var pages []string
	failures := 2
	notify := func(c *embedded.Config) {
		c.Notify = func(_ context.Context, p alerts.Page) error {
			mu.Lock()
			defer mu.Unlock()
			if p.Layer == 1 && failures > 0 {
				failures--
				return errors.New("the mail server is down")
			}
			pages = append(pages, fmt.Sprintf("layer %d of round %d: %s: %s", p.Layer, p.Round, p.User.ID, p.Alert.Title))
			return nil
		}
	}
	w := newWorld(t, noon, storyFile, notify)
	count := func(n int) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return len(pages) >= n }
	}
	failed := func(left int) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return failures <= left }
	}
	w.open("devops")
	w.until("the first attempt fails", failed(1))
	w.stop() // what could not be told is not forgotten
	w.restart(notify)
	w.clock.Advance(time.Minute)
	w.until("the second attempt fails", failed(0))
	// A page is sent again when its lease, a minute, has passed before the store has heard that it
	// was sent: what comes due has time.
	w.moving(10*time.Second, 2*time.Second, "the first layer is told", count(1))
	w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
	w.until("the second layer is told", count(3))
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "bob"})
	// They know.
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Ack: w.alert().Acknowledgements[0].ID})
	if err := w.act(platform.ActEscalate, "carol"); err != nil {
		t.Fatal(err)
	}
	w.until("the first layer is told again", count(4))
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(pages[1:3]) // one beside the other
	want := []string{"layer 1 of round 1: alice: Call", "layer 2 of round 1: bob: Call", "layer 2 of round 1: carol: Call", "layer 1 of round 2: alice: Call"}
	if fmt.Sprint(pages) != fmt.Sprint(want) {
		t.Errorf("told %q, want %q", pages, want)
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	ctx, cancel := context.WithCancel(context.Background())
	hints := make(chan platform.Hint, 1000)
	var watching sync.WaitGroup
	watching.Go(func() { _ = w.Watch(ctx, func(h platform.Hint) { hints <- h }) })
	defer watching.Wait()
	defer cancel()
	w.open("devops")
	tick := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
			w.clock.Advance(100 * time.Millisecond)
			if time.Now().After(deadline) {
				t.Fatalf("not so within a minute: %s", what)
			}
		}
	}
	teamName := func() string {
		teams, err := w.Teams(ctx, scope)
		if err != nil {
			t.Fatal(err)
		}
		return teams[1].Name
	}
	first := w.source.Status()
	write(t, w.path(), strings.Replace(storyFile, "name: DevOps", "name: [", 1))
	tick("the bad file is refused", func() bool { return len(w.source.Status().Refused) > 0 })
	if s := w.source.Status(); s.Hash != first.Hash || s.Refused[0].Line == 0 || teamName() != "DevOps" {
		t.Errorf("a bad file: %+v", s)
	}
	if err := w.Health(ctx); err != nil {
		t.Errorf("with the old file in force: %v", err)
	}
	if err := w.source.Reload(ctx); integration.KindOf(err) != integration.KindInvalid {
		t.Errorf("Reload of a bad file: %v", err)
	}
	for len(hints) > 0 {
		<-hints
	}
	write(t, w.path(), strings.Replace(storyFile, "name: DevOps", "name: Developers", 1))
	tick("the good file is in force", func() bool { return teamName() == "Developers" })
	if s := w.source.Status(); s.Hash == first.Hash || s.Refused != nil {
		t.Errorf("a good file: %+v", s)
	}
	w.until("live alerts are hinted at", func() bool { return len(hints) > 0 })
	if err := os.Remove(w.path()); err != nil {
		t.Fatal(err)
	}
	tick("the missing file is noticed", func() bool { return len(w.source.Status().Refused) > 0 })
	if teamName() != "Developers" {
		t.Error("a missing file took the teams away")
	}
	write(t, w.path(), strings.Replace(storyFile, "name: DevOps", "name: Developers", 1))
	tick("the same file is back", func() bool { return w.source.Status().Refused == nil })
}

func TestTeamRemovedWhileItsAlertIsOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	i := strings.Index(storyFile, "  - id: devops")
	j := strings.Index(storyFile, "  - id: support")
	write(t, w.path(), storyFile[:i]+storyFile[j:])
	if err := w.source.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(5 * time.Minute)
	w.lines(3)
	if a := w.alert(); a.Status != integration.AlertDropped {
		t.Errorf("%+v\n%s", a, strings.Join(w.story(), "\n"))
	}
}

// TestAFileThatCanBeOpenedAgainIsReadAgain: an operator who corrects the mode or owner of a file
// does not change its time of modification.
func TestAFileThatCanBeOpenedAgainIsReadAgain(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root opens every file")
	}
	w := newWorld(t, noon, storyFile)
	tick := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
			w.clock.Advance(100 * time.Millisecond)
			if time.Now().After(deadline) {
				t.Fatalf("not so within a minute: %s", what)
			}
		}
	}
	next := w.path() + ".next"
	write(t, next, strings.Replace(storyFile, "name: DevOps", "name: Developers", 1))
	if err := os.Chmod(next, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, w.path()); err != nil {
		t.Fatal(err)
	}
	tick("the file is refused", func() bool { return len(w.source.Status().Refused) > 0 })
	if err := os.Chmod(w.path(), 0o600); err != nil {
		t.Fatal(err)
	}
	tick("the file is in force", func() bool { return w.File().Team("devops").Name == "Developers" })
}
