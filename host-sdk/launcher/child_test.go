//go:build unix

package launcher

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// script is a process, not started yet, that runs a shell script.
func script(t *testing.T, text string, deathSignal bool) *child {
	t.Helper()
	installed, err := manifest.Load(handMade(t, []byte("#!/bin/sh\n"+text+"\n")))
	if err != nil {
		t.Fatal(err)
	}
	exe, err := prepare(installed, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(exe.close)
	c := newChild(exe, nil, deathSignal, time.Second, &output{log: slog.New(slog.DiscardHandler)})
	t.Cleanup(c.kill)
	return c
}

// ends waits for what must happen, with a deadline that only a broken launcher needs.
func ends(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatalf("%s did not happen", what)
	}
}

// TestAProcessWhoseFileWasChangedWhileItStartedIsEnded: nobody has checked what it runs. Its output
// is not waited for.
func TestAProcessWhoseFileWasChangedWhileItStartedIsEnded(t *testing.T) {
	t.Parallel()
	if !canRunDescriptors() {
		t.Skip("this system runs a private copy, which nobody can change")
	}
	c := script(t, "read -r line < "+filepath.Join(t.TempDir(), "nobody-writes"), false)
	if err := os.WriteFile(c.exe.installed.Path(), []byte("#!/bin/sh\nwhile :; do read -r line < /dev/zero; done\n"), 0o700); err != nil { // #nosec G306 -- a program
		t.Fatal(err)
	}
	err := c.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "was changed while it was started") {
		t.Fatalf("error %v, want one that contains %q", err, "was changed while it was started")
	}
	ends(t, "the end of the process", c.exited)
	ends(t, "the end of reading its output", c.read)
	if got := c.exit(); got != "signal: killed" {
		t.Errorf("the process ended with %q, want it killed", got)
	}
}

// pausing is a log that stops at each line.
type pausing struct {
	slog.Handler
	pause func()
}

func (p pausing) Enabled(context.Context, slog.Level) bool { return true }

func (p pausing) Handle(context.Context, slog.Record) error {
	p.pause()
	return nil
}

// TestTheLastWordsOfAProcessAreReadToTheEnd, however slowly the log takes them: they say why it
// ended.
func TestTheLastWordsOfAProcessAreReadToTheEnd(t *testing.T) {
	t.Parallel()
	c := script(t, "echo one >&2; echo two >&2; exit 3", false)
	looked := make(chan struct{})
	c.out.log = slog.New(pausing{slog.DiscardHandler, func() {
		<-c.exited
		select { // long enough for a launcher that does not wait for the log
		case <-looked:
		case <-time.After(100 * time.Millisecond):
		}
	}})
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ends(t, "the end of reading its output", c.read)
	got := c.out.words()
	close(looked)
	if got != "one | two" || c.exit() != "exit status 3" {
		t.Errorf("it ended with %s, saying %q", c.exit(), got)
	}
}

// TestAFileThatIsOpenForWritingForAMomentIsStarted: it is waited for a little longer each time, and
// not for ever.
func TestAFileThatIsOpenForWritingForAMomentIsStarted(t *testing.T) {
	t.Parallel()
	other := errors.New("no such file")
	ms := func(n ...int) (list []time.Duration) {
		for _, d := range n {
			list = append(list, time.Duration(d)*time.Millisecond)
		}
		return list
	}
	for name, tt := range map[string]struct {
		results []error // of the starts; the last one's is that of all that follow
		waits   []time.Duration
		want    error
	}{
		"free":          {results: []error{nil}},
		"busy at first": {results: []error{syscall.ETXTBSY, syscall.ETXTBSY, nil}, waits: ms(1, 2)},
		"always busy":   {results: []error{syscall.ETXTBSY}, waits: ms(1, 2, 4, 8, 16, 32, 64, 128), want: syscall.ETXTBSY},
		"not there":     {results: []error{syscall.ETXTBSY, other}, waits: ms(1), want: other},
	} {
		var waits []time.Duration
		starts := 0
		err := whileBusy(func(d time.Duration) { waits = append(waits, d) }, func() error {
			starts++
			return tt.results[min(starts, len(tt.results))-1]
		})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
		if diff := cmp.Diff(tt.waits, waits); diff != "" {
			t.Errorf("%s: waits (-want +got):\n%s", name, diff)
		}
	}
}
