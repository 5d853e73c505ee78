//go:build unix

package launcher

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestPureCallsAreRepeated: a webhook survives the death of its process, within its own budget.
func TestPureCallsAreRepeated(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"crash-once", "freeze-once"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			p, _ := launch(t, sharedDir(t), "good", func(c *Config) {
				if how == "freeze-once" {
					c.Timing.Handle = 3 * time.Second
					suspecting(c)
				}
			})
			before := askPID(t, p)
			answer, err := tryAsk(t.Context(), p, how, filepath.Join(t.TempDir(), "once"))
			if err != nil {
				t.Fatal(err)
			}
			if answer == fmt.Sprint(before) {
				t.Fatalf("answered by process %q, want another than %q", answer, fmt.Sprint(before))
			}
			if p.Status().Restarts != 1 {
				t.Fatalf("p.Status().Restarts is %v, want %v", p.Status().Restarts, 1)
			}
			if !processGone(before) {
				t.Fatal("the process is still there")
			}
		})
	}
}

// TestOneRepeatOnly: a webhook that kills every process gets an error, not a series of starts.
func TestOneRepeatOnly(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick)
	counter := filepath.Join(t.TempDir(), "count")
	_, err := tryAsk(t.Context(), p, "count-and-crash", counter)
	if !errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, want %v", err, integration.ErrPluginGone)
	}
	if got := integration.KindOf(err); got != integration.KindUnavailable {
		t.Fatalf("error kind is %q, want %q", got, integration.KindUnavailable)
	}
	if err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Fatalf("error %v, want one that contains %q", err, "exit status 3")
	}
	tries, err := os.ReadFile(counter)
	if err != nil {
		t.Fatal(err)
	}
	if len(tries) != 2 {
		t.Fatalf("%d tries, want %d", len(tries), 2)
	}
}

// TestEffectsAreNotRepeated: nobody knows how far they came.
func TestEffectsAreNotRepeated(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick)
	for name, call := range map[string]func(file string) error{
		"Perform": func(file string) error {
			_, err := p.Perform(t.Context(), performing("count-and-crash", file))
			return err
		},
		"RunAction": func(file string) error {
			_, err := p.RunAction(t.Context(), integration.ActionRequest{Name: "count-and-crash", Values: map[string]string{"argument": file}})
			return err
		},
	} {
		counter := filepath.Join(t.TempDir(), name)
		err := call(counter)
		if !errors.Is(err, integration.ErrPluginGone) {
			t.Fatalf("%v: error %v, want %v", name, err, integration.ErrPluginGone)
		}
		tries, err := os.ReadFile(counter)
		if err != nil {
			t.Fatal(err)
		}
		if len(tries) != 1 {
			t.Fatalf("%v: %d tries, want %d", name, len(tries), 1)
		}
		askPID(t, p) // wait for the next process
	}
}

// TestOnlineValidationIsNotRepeated, while the other kind is.
func TestOnlineValidationIsNotRepeated(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick)
	for _, online := range []bool{true, false} {
		restarts := p.Status().Restarts
		_, err := p.ValidateOptions(t.Context(), integration.ValidateOptionsRequest{Online: online, Options: []byte(`{"do":"crash"}`)})
		if !errors.Is(err, integration.ErrPluginGone) {
			t.Fatalf("error %v, want %v", err, integration.ErrPluginGone)
		}
		askPID(t, p)
		want := restarts + 1
		if !online {
			want++
		}
		if p.Status().Restarts != want {
			t.Fatalf("online: %v: p.Status().Restarts is %v, want %v", online, p.Status().Restarts, want)
		}
	}
}

// TestPanicKeepsTheProcess: one bad request costs one answer.
func TestPanicKeepsTheProcess(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good")
	before := askPID(t, p)
	_, err := tryAsk(t.Context(), p, "panic", "")
	if got := integration.KindOf(err); got != integration.KindInternal {
		t.Fatalf("error kind is %q, want %q", got, integration.KindInternal)
	}
	if errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, which must not be %v", err, integration.ErrPluginGone)
	}
	if strings.Contains(err.Error(), "a defect") {
		t.Fatalf("the text stays in the log: %q contains %q", err.Error(), "a defect")
	}
	if got := askPID(t, p); got != before {
		t.Fatalf("pid is %v, want %v", got, before)
	}
	eventually(t, "the stack is in the host's log", func() bool {
		return strings.Contains(r.log.String(), "a defect") && strings.Contains(r.log.String(), "fakePlugin")
	})
}

// TestFatalErrorIsACrash: what no handler can recover from.
func TestFatalErrorIsACrash(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good", quick)
	_, err := p.Perform(t.Context(), performing("fatal", ""))
	if !errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, want %v", err, integration.ErrPluginGone)
	}
	if got := askPID(t, p); got == 0 {
		t.Fatal("no pid")
	}
	eventually(t, "the trace is an error in the host's log", func() bool {
		for line := range strings.SplitSeq(r.log.String(), "\n") {
			if strings.Contains(line, "fatal error: concurrent map") && strings.Contains(line, `"level":"ERROR"`) {
				return true
			}
		}
		return false
	})
}
