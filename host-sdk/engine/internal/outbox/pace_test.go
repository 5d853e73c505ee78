package outbox

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

func TestPacerSpacesStartsMostUrgentFirst(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(time.Unix(0, 0))
	var p pacer
	ctx := context.Background()
	turn := make(chan int)
	wait := func(priority int) {
		if p.enter("account", integration.Task{PaceEvery: time.Second, Priority: priority}, store.Item{}).wait(ctx, clk, time.Hour) {
			turn <- priority
		}
	}
	queued := func(n int) { // until so many wait
		for {
			p.mu.Lock()
			k := p.keys["account"]
			got := k != nil && len(k.waiting) == n
			p.mu.Unlock()
			if got && clk.Waiting() == n {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
	go wait(0)
	if got := <-turn; got != 0 {
		t.Fatalf("turn of %d", got)
	}
	for i, priority := range []int{5, 1, 3} {
		go wait(priority)
		queued(i + 1)
	}
	for i, want := range []int{1, 3, 5} {
		clk.Advance(999 * time.Millisecond)
		select {
		case got := <-turn:
			t.Fatalf("the turn of %d came before its time", got)
		default:
		}
		queued(3 - i)
		clk.Advance(time.Millisecond)
		if got := <-turn; got != want {
			t.Errorf("turn of %d, want %d", got, want)
		}
		queued(2 - i)
	}
	other := make(chan bool)
	go func() {
		other <- p.enter("another account", integration.Task{PaceEvery: time.Second}, store.Item{}).wait(ctx, clk, time.Hour)
	}()
	if !<-other {
		t.Error("another account has to wait")
	}
}

// Two hotlines of one account share its limit. Neither may keep the other waiting.
func TestIntegrationsOfOneAccountTakeTurns(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(time.Unix(0, 0))
	var p pacer
	turn := make(chan string)
	enter := func(integrationID string, priority int) {
		waits := p.enter("account", integration.Task{PaceEvery: time.Second, Priority: priority}, store.Item{Integration: integrationID})
		go func() {
			if waits.wait(context.Background(), clk, time.Hour) {
				turn <- integrationID
			}
		}()
	}
	enter("busy", 0)
	if got := <-turn; got != "busy" {
		t.Fatalf("the first turn is %s's", got)
	}
	for range 4 {
		enter("busy", 0)
	}
	enter("quiet", 9)
	enter("quiet", 9)
	for i, want := range []string{"quiet", "busy", "quiet", "busy", "busy", "busy"} {
		for clk.Waiting() != 6-i { // a turn that has come wakes all others
			time.Sleep(time.Millisecond)
		}
		clk.Advance(time.Second)
		if got := <-turn; got != want {
			t.Errorf("turn %d is %s's, want %s's", i+2, got, want)
		}
	}
}

func TestPacerGivesUp(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(time.Unix(0, 0))
	var p pacer
	hourly := integration.Task{PaceEvery: time.Hour}
	if !p.enter("k", hourly, store.Item{}).wait(context.Background(), clk, time.Second) {
		t.Fatal("the first has to wait")
	}
	late := make(chan bool)
	go func() { late <- p.enter("k", hourly, store.Item{}).wait(context.Background(), clk, time.Second) }()
	for clk.Waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	clk.Advance(time.Second)
	if <-late {
		t.Error("a turn came an hour early")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if p.enter("k", hourly, store.Item{}).wait(ctx, clk, time.Hour) {
		t.Error("a turn was given to nobody")
	}
	if len(p.keys["k"].waiting) != 0 {
		t.Errorf("%d still wait", len(p.keys["k"].waiting))
	}
}

// turns is a store of which other hosts have taken the turns of the first three seconds.
type turns struct {
	store.Store
	taken []time.Time
	err   error
}

func (s *turns) TakeTurn(_ context.Context, _ string, now time.Time, _ time.Duration) (time.Time, error) {
	if free := time.Unix(3, 0); s.err == nil && now.Before(free) {
		return free, nil
	}
	s.taken = append(s.taken, now)
	return time.Time{}, s.err
}

func TestATurnIsOneAmongAllHosts(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(time.Unix(0, 0))
	s := &turns{}
	o := &Outbox{cfg: Config{Store: s, Clock: clk, Log: slog.New(slog.DiscardHandler)}}
	if o.ours(t.Context(), integration.Task{PaceKey: "account"}, clk.Now().Add(2*time.Second)) {
		t.Error("a turn has come before those of other hosts, and was waited for beyond the limit")
	}
	came := make(chan bool)
	go func() {
		came <- o.ours(t.Context(), integration.Task{PaceKey: "account"}, clk.Now().Add(5*time.Second))
	}()
	for clk.Waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	clk.Advance(3 * time.Second)
	if !<-came || len(s.taken) != 1 || !s.taken[0].Equal(time.Unix(3, 0)) {
		t.Errorf("the turns were taken at %v, want one after 3 s", s.taken)
	}
	s.err = integration.Errorf(integration.KindUnavailable, "no database")
	if o.ours(t.Context(), integration.Task{PaceKey: "account"}, clk.Now().Add(time.Second)) {
		t.Error("a turn that the store cannot give has come")
	}
	o.cfg.Exclusive = true
	if !o.ours(t.Context(), integration.Task{PaceKey: "account"}, clk.Now().Add(time.Second)) {
		t.Error("a host that is alone waits for others")
	}
}
