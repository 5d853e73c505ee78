package engine_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// formatted is a set of formats that are all the same.
func formatted(n int) integration.Formats {
	return integration.Formats{State: n, Task: n, Path: n, Options: n}
}

// reads makes the fake plugin say that it reads formats up to n.
func (p *fakePlugin) reads(n int) {
	p.describing(func(d integration.Description) (integration.Description, error) {
		d.Formats = formatted(n)
		return d, nil
	})
}

// otherHosts are what engine.Config.Hosts says.
type otherHosts struct {
	mu   sync.Mutex
	rows []store.Host
	now  time.Time
}

func (o *otherHosts) set(now time.Time, rows ...store.Host) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now, o.rows = now, rows
}

func (o *otherHosts) list() ([]store.Host, time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rows, o.now
}

// row is a host whose plugin reads formats up to n since a time; 0: it does not say so.
func row(n int, since time.Time) store.Host {
	h := store.Host{Plugins: map[string]string{"fake": "1.0.0"}, FormatsSince: since}
	if n > 0 {
		h.Formats = map[string]integration.Formats{"fake": formatted(n)}
	}
	return h
}

// TestPluginsWriteWhatEveryHostReads rolls a release out and takes it back: new formats are written
// once all hosts have had them for a minute, old ones as soon as one host has no newer.
func TestPluginsWriteWhatEveryHostReads(t *testing.T) {
	t.Parallel()
	began := time.Now()
	hosts := &otherHosts{}
	h := newHost(t, func(c *engine.Config) { c.Hosts = hosts.list })
	h.plugin.reads(3)
	asked := make(chan int, 1000)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if f := req.Facts.WriteFormats; f == formatted(f.State) {
			asked <- f.State
		} else {
			t.Errorf("asked for %+v", f)
		}
		return integration.Outcome{Response: ok("")}, nil
	}
	writes := func(want int, when string) {
		t.Helper()
		eventually(t, when, func() bool {
			if _, err := h.post(t, "/", "CallKey=K"); err != nil {
				t.Fatal(err)
			}
			return <-asked == want
		})
	}
	writes(2, "the formats of the release before, while it is not known which hosts run")
	hosts.set(began, row(3, began), row(0, time.Time{}))
	h.start(t)
	writes(2, "the formats of the release before, while there is a host that does not say what it reads")
	after := func(d time.Duration) time.Time { return began.Add(d) }
	hosts.set(after(time.Hour), row(3, began), row(3, after(time.Hour-59*time.Second)))
	writes(2, "the older formats, while one host has had the new ones for less than a minute")
	hosts.set(after(time.Hour), row(3, began), row(3, after(time.Hour-time.Minute)), store.Host{Plugins: map[string]string{"other": "1.0.0"}})
	writes(3, "the new formats, after a minute")
	hosts.set(after(2*time.Hour), row(3, after(2*time.Hour)))
	writes(3, "still the new formats, after a restart")
	hosts.set(after(2*time.Hour), row(3, began), row(2, after(2*time.Hour)))
	writes(2, "the old formats at once, when a host is taken back")
	hosts.set(after(3*time.Hour), row(3, began), row(4, began))
	writes(3, "no newer formats than its own, beside a newer host")
}

// TestAPluginThatIsUpgradedAloneWritesNewFormatsAfterAMinute is the same for a host that knows of
// no other.
func TestAPluginThatIsUpgradedAloneWritesNewFormatsAfterAMinute(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	clk := newManual()
	h := newHost(t, manual(clk), func(c *engine.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	h.plugin.reads(1)
	asked := make(chan int, 1000)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		asked <- req.Facts.WriteFormats.State
		return integration.Outcome{Response: ok("")}, nil
	}
	writes := func(want int) func() bool {
		return func() bool {
			clk.Advance(time.Second)
			if _, err := h.post(t, "/", "CallKey=K"); err != nil {
				t.Fatal(err)
			}
			return <-asked == want
		}
	}
	h.start(t)
	eventually(t, "format 1", writes(1))
	h.plugin.reads(2)
	upgraded := clk.Now()
	eventually(t, "format 2", writes(2))
	if took := clk.Now().Sub(upgraded); took < time.Minute {
		t.Errorf("the new format was written after %s, want a minute at least", took)
	}
	if n := strings.Count(log.String(), `formats="{State:2 `); n != 1 {
		t.Errorf("the change is logged %d times:\n%s", n, log.String())
	}
	h.plugin.reads(1)
	eventually(t, "format 1 again", writes(1))
}

// TestWhatANewerVersionWroteIsNotHandedToAPlugin takes a plugin back while a call is in the newer
// version's format: the call is neither mangled nor forgotten, and people learn why it waits.
func TestWhatANewerVersionWroteIsNotHandedToAPlugin(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.reads(2)
	var mu sync.Mutex
	var got []string
	handled := func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(got) }
	note := func(what string) { mu.Lock(); defer mu.Unlock(); got = append(got, what) }
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		note("webhook " + req.Path)
		o := integration.Outcome{Response: ok("served")}
		if req.Facts.Session == nil && req.Facts.SessionKey == "K" {
			o.Session = remember("newer")
			o.Session.Format = 2
			o.Tasks = []integration.Task{{Name: "ring", Generation: 1, Payload: []byte("newer"), Format: 2, At: req.Facts.Now.Add(time.Minute), NotAfter: req.Facts.Now.Add(24 * time.Hour)}}
		}
		return o, nil
	}
	h.plugin.perform = func(_ context.Context, _ integration.PerformRequest) (integration.TaskResult, error) {
		note("perform")
		return integration.TaskResult{}, nil
	}
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		note(string(req.Event))
		return integration.Outcome{}, nil
	}
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	h.plugin.reads(1)
	h.start(t)
	eventually(t, "the plugin's old description is out of date", func() bool {
		clk.Advance(time.Second)
		_, err := h.post(t, "/c/K/menu", "")
		return integration.KindOf(err) == integration.KindUnavailable
	})
	before := len(handled())
	if resp, err := h.post(t, "/c/K/late", ""); err != nil || resp.Status != 204 {
		t.Errorf("a request whose answer is ignored: %+v, %v; want it kept", resp, err)
	}
	finding := func() string { return h.finding(t, engine.FindingNewerFormat) }
	eventually(t, "a finding", func() bool {
		return strings.Contains(finding(), "state of call K has format 2, and fake 1.0.0 reads up to 1")
	})
	eventually(t, "attempts of the task", func() bool { clk.Advance(time.Second); return h.store.attempt("ring") > 2 })
	if more := handled()[before:]; len(more) > 0 {
		t.Errorf("the older plugin was handed %v", more)
	}
	if resp, err := h.post(t, "/", "CallKey=L"); err != nil || string(resp.Body) != "served" {
		t.Errorf("another call: answer %q, %v; want it served", resp.Body, err)
	}
	if _, err := h.post(t, "/c/K/menu", ""); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("the call in the newer format: %v", err)
	}
	refused := clk.Now()
	h.plugin.reads(2)
	eventually(t, "the newer plugin serves the call", func() bool {
		clk.Advance(time.Second)
		resp, err := h.post(t, "/c/K/menu", "")
		return err == nil && string(resp.Body) == "served"
	})
	eventually(t, "what was kept is handled", func() bool {
		clk.Advance(time.Second)
		got := handled()
		return slices.Contains(got, "webhook /c/K/late") && slices.Contains(got, "perform") && slices.Contains(got, "task_done")
	})
	eventually(t, "the finding is cleared", func() bool { clk.Advance(time.Second); return finding() == "" })
	if after := clk.Now().Sub(refused); after < 10*time.Minute {
		t.Errorf("the finding is cleared %v after the last refusal", after)
	}
}

// TestATaskOfANewerVersionWaitsForIt, though the state of its call can be read.
func TestATaskOfANewerVersionWaitsForIt(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.reads(2)
	h.plugin.webhook = once(integration.Outcome{Session: remember(1), Tasks: []integration.Task{
		{Name: "ring", Generation: 1, Payload: []byte("newer"), Format: 2, At: clk.Now().Add(time.Minute), NotAfter: clk.Now().Add(24 * time.Hour)},
	}})
	performed := make(chan string, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		performed <- string(req.Task.Payload)
		return integration.TaskResult{}, nil
	}
	h.expect(t, "/c/K/x", "done", "the request")
	h.plugin.reads(1)
	h.start(t)
	eventually(t, "attempts of the task", func() bool { clk.Advance(time.Second); return h.store.attempt("ring") > 1 })
	eventually(t, "a finding", func() bool {
		return strings.Contains(h.finding(t, engine.FindingNewerFormat), "a task of call K has format 2, and fake 1.0.0 reads up to 1")
	})
	if len(performed) > 0 {
		t.Fatal("the older plugin was handed the task")
	}
	h.plugin.reads(2)
	eventually(t, "the newer plugin performs it", func() bool { clk.Advance(time.Second); return len(performed) > 0 })
}

// TestANewStoreKeepsTheNewFormats: there is nothing that an older release could have to read, and
// the first integration changes nothing about that.
func TestANewStoreKeepsTheNewFormats(t *testing.T) {
	t.Parallel()
	began := time.Now()
	hosts := &otherHosts{}
	hosts.set(began, row(3, began))
	var looks atomic.Int64
	h := newHost(t, func(c *engine.Config) {
		c.Hosts = func() ([]store.Host, time.Time) {
			looks.Add(1)
			return hosts.list()
		}
	})
	h.plugin.reads(3)
	asked := make(chan int, 1)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		asked <- req.Facts.WriteFormats.State
		return integration.Outcome{Response: ok("")}, nil
	}
	writes := func() int {
		if _, err := h.post(t, "/", "CallKey=K"); err != nil {
			t.Fatal(err)
		}
		return <-asked
	}
	eventually(t, "the plugin's formats are known", func() bool { return writes() == 2 })
	if err := h.Remove(t.Context(), h.id); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	kept := func() string {
		text, _ := h.store.Setting(t.Context(), "write_formats/fake")
		return text
	}
	eventually(t, "the first choice is kept", func() bool { return kept() != "" })
	// It is used a moment after it is kept, and before the next look.
	known := looks.Load()
	eventually(t, "the next look", func() bool { return looks.Load() > known })
	in, _, err := h.Configure(t.Context(), "", 0, engine.Draft{
		Plugin: "fake", Name: "Hotline", Enabled: true, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}}, Options: []byte(`{}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.id = in.ID
	for start := h.clock.Now(); h.clock.Now().Sub(start) < time.Minute; {
		if got := writes(); got != 3 {
			t.Fatalf("format %d is written, want 3: %s", got, kept())
		}
	}
}
