package sharing

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// wire is a connection that keeps when and what was sent on it.
type wire struct {
	sent   []time.Time
	of     map[string]int
	cut    func(sends int) bool // whether the connection is lost at this send
	before bool                 // what is sent then does not arrive
	lost   bool
}

var errCut = errors.New("the connection is lost")

func (w *wire) hear(ctx context.Context) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func (w *wire) send(_ context.Context, messages []string) error {
	w.sent = append(w.sent, time.Now())
	if w.cut != nil && w.cut(len(w.sent)) {
		if w.lost = true; w.before {
			return errCut
		}
	}
	for _, m := range messages {
		var said notices
		if err := json.Unmarshal([]byte(m), &said); err != nil {
			return err
		}
		for _, notice := range said.Of {
			w.of[notice]++
		}
	}
	if w.lost {
		return errCut
	}
	return nil
}

func (w *wire) closed() bool { return w.lost }

func newTestNotices() *Notices {
	return &Notices{from: "a", log: slog.New(slog.DiscardHandler), waiting: map[string]bool{}, some: make(chan struct{}, 1)}
}

// However many commits there are, a host notifies at most 20 times in any second, and what is said
// after the last one arrives. Time is that of the bubble.
func TestNoticesAreSentAtMostTwentyTimesASecond(t *testing.T) {
	t.Parallel()
	for _, commits := range []int{1, 30, 5000} {
		synctest.Test(t, func(t *testing.T) {
			n, w := newTestNotices(), &wire{of: map[string]int{}}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- n.carry(ctx, w, func(string) {}) }()
			for i := range commits { // within three seconds
				n.Send("call " + strconv.Itoa(i%40))
				time.Sleep(3 * time.Second / time.Duration(commits))
			}
			n.Send("the last")
			time.Sleep(noticePause)
			synctest.Wait()
			if w.of["the last"] != 1 {
				t.Errorf("after %d commits the last notice was sent %d times", commits, w.of["the last"])
			}
			for i := 0; i+20 < len(w.sent); i++ {
				if span := w.sent[i+20].Sub(w.sent[i]); span < time.Second {
					t.Fatalf("with %d commits 21 notifications were sent within %v", commits, span)
				}
			}
			for i := range min(commits, 40) {
				if w.of["call "+strconv.Itoa(i)] == 0 {
					t.Errorf("with %d commits nobody hears of call %d", commits, i)
				}
			}
			cancel()
			<-ended
		})
	}
}

// A connection that is lost with notices on it, whether they have arrived or not, takes none of
// them along: they are sent on the next one.
func TestNoticesOutliveTheirConnection(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			n := newTestNotices()
			first := &wire{of: map[string]int{}, before: before, cut: func(sends int) bool { return sends == 2 }}
			ended := make(chan error, 1)
			go func() { ended <- n.carry(t.Context(), first, func(string) {}) }()
			n.Send("one")
			synctest.Wait()
			n.Send("two")
			if err := <-ended; !errors.Is(err, errCut) {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			second := &wire{of: map[string]int{}}
			go func() { ended <- n.carry(ctx, second, func(string) {}) }()
			time.Sleep(noticePause)
			synctest.Wait()
			if first.of["one"] != 1 || second.of["two"] != 1 || second.of["one"] != 0 {
				t.Errorf("lost before it was sent %v: the first connection has sent %v, the next one %v", before, first.of, second.of)
			}
			cancel()
			<-ended
		})
	}
}
