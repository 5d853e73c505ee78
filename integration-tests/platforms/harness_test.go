// Package platforms_test plays whole calls through the real switchboard and plugin in front of
// platforms that are servers of their own: the Python example of the protocol of platform/remote,
// and the stand-in of GoAlert.
package platforms_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/programs"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/testlog"
	"github.com/livecallrouting/livecall/internal/testmain"
)

// patience is how long a test waits for what must come. It decides only when a failing test gives
// up.
const patience = 3 * time.Minute

const (
	caller = "+12025550199"
	alice  = "+12025550143" // the first layer
	bob    = "+12025550144" // the second
)

// binaries is the folder in which TestMain has built switchboard and plugins/livecall.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(testmain.Run(testmain.Func(func() int {
		dir, err := os.MkdirTemp("", "livecall-platforms-")
		if err == nil {
			err = programs.Build(context.Background(), "../..", dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		binaries = dir
		testmain.Together(6) // calls wait for telephones and platforms
		slog.SetDefault(slog.New(slog.DiscardHandler))
		return m.Run()
	})))
}

// hotline is a running stack. It keeps the time of the machine, as the platforms do.
type hotline struct {
	*demo.Stack
	t   *testing.T
	dir string // of the switchboard file and the secrets
	log *testlog.Buffer
}

// start starts a hotline with this platform section of the switchboard file, which may name files
// beside it.
func start(t *testing.T, section string, teams []string, options map[string]any, change ...func(*demo.Config)) *hotline {
	t.Helper()
	h := &hotline{t: t, dir: t.TempDir(), log: &testlog.Buffer{}}
	keep(t, h.dir, "switchboard.yaml", "platform: "+section+"\n")
	cfg := demo.Config{Switchboard: binaries + "/switchboard", File: filepath.Join(h.dir, "switchboard.yaml"), Log: h.log, Teams: teams, Options: options}
	for _, f := range change {
		f(&cfg)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var err error
	if h.Stack, err = demo.Start(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Sim.Check(t)
		if err := h.StopSwitchboard(); err != nil {
			t.Errorf("switchboard: %v", err)
		}
		if t.Failed() {
			for _, c := range h.Sim.Calls() {
				for _, e := range c.Transcript() {
					t.Logf("%s %s %-9s %s%s %s %d", e.At.Format("15:04:05.0"), e.Leg, e.Kind, e.Text, e.URL, e.Note, e.Status)
				}
			}
			t.Logf("switchboard's log:\n%s", h.log)
		}
		h.Stop()
	})
	return h
}

// keep writes a file that its owner alone can read.
func keep(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// waiting calls the hotline, whose only team needs no menu, and hears music.
func (h *hotline) waiting() *twiliosim.Call {
	h.t.Helper()
	c, err := h.Sim.Call(caller, demo.Number)
	if err != nil {
		h.t.Fatal(err)
	}
	c.Hears(h.t, "music-")
	return c
}

// converses has the person whose phone is called take the call, and both talk, for long enough to
// be a conversation, until the caller hangs up. It returns when the phone rang.
func (h *hotline) converses(c *twiliosim.Call, phone string) time.Time {
	h.t.Helper()
	leg := h.Sim.Phone(phone).RingsNext(h.t)
	rang := time.Now()
	leg.Answers()
	leg.Hears(h.t, "press 1")
	leg.Presses("1")
	c.ConnectedTo(h.t, phone)
	leg.Says("This is the person on call.")
	c.Hears(h.t, "this is the person on call")
	c.SpeaksFor("The database is down.", 12*time.Second)
	leg.Hears(h.t, "database is down")
	c.HangsUp()
	c.Ended(h.t)
	h.ended(c, "connected")
	return rang
}

// leavesMessage waits for the beep, and leaves a message.
func (h *hotline) leavesMessage(c *twiliosim.Call) {
	h.t.Helper()
	c.Saw(h.t, "the beep", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventBeep })
	c.SpeaksFor("My server is on fire, please call back.", 4*time.Second)
	c.Presses("#")
}

// ended waits until the host knows how the call ended.
func (h *hotline) ended(c *twiliosim.Call, as string) {
	h.t.Helper()
	var got struct{ State, Ended string }
	h.eventually("the call has ended", func() bool {
		_ = h.API(context.Background(), "GET", "/api/v1/calls/"+c.Sid, nil, &got)
		return got.State == "ended"
	}, func() string { return fmt.Sprintf("%+v", got) })
	if got.Ended != as {
		h.t.Errorf("the call has ended as %s, want %s", got.Ended, as)
	}
}

// ready returns the status and the text of /readyz.
func (h *hotline) ready() (int, string) {
	h.t.Helper()
	resp, err := http.Get(h.URL + "/readyz")
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// eventually polls for what must come; the limit only says when to give up.
func (h *hotline) eventually(what string, done func() bool, detail ...func() string) {
	h.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	for _, d := range detail {
		what += "\n" + d()
	}
	h.t.Fatalf("did not come: %s", what)
}
