package vitals

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/tell"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

type fakeStore struct {
	store.Store
	ping    func(context.Context) error
	overdue map[store.ItemKind]int
}

func (f fakeStore) Ping(ctx context.Context) error { return f.ping(ctx) }

func (f fakeStore) OverdueItems(context.Context, time.Time) (map[store.ItemKind]int, error) {
	return f.overdue, nil
}

type fakePlatform struct {
	platform.Platform
	err  error
	file *switchboardfile.File
}

func (f fakePlatform) Health(context.Context) error { return f.err }

// findingPlatform is a platform.Finder.
type findingPlatform struct {
	fakePlatform
	found []string
}

func (f findingPlatform) Findings() []string { return f.found }

type fakePlugins map[string]integration.Integration

func (f fakePlugins) Plugin(id string) (integration.Integration, bool) {
	p := f[id]
	return p, p != nil
}

func (f fakePlugins) PluginIDs() []string {
	var ids []string
	for id := range f {
		ids = append(ids, id)
	}
	return ids
}

type deafPlugin struct{ hosttest.Plugin }

func (deafPlugin) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	return integration.Description{}, integration.ErrPluginGone
}

type fakeMailServer struct{ err error }

func (f fakeMailServer) Send(context.Context, engine.OutgoingMail) error { return f.err }
func (f fakeMailServer) Check(context.Context) error                     { return f.err }

// fileSource is a switchboard file that is in force although the one on disk has problems.
func fileSource(t *testing.T, text string, refused ...switchboardfile.Problem) *switchboardfile.Source {
	t.Helper()
	file, problems := switchboardfile.Parse("switchboard.yaml", []byte(text))
	if file == nil {
		t.Fatal(switchboardfile.Text(problems))
	}
	s, err := switchboardfile.Open(t.Context(), switchboardfile.SourceConfig{
		Path: "switchboard.yaml", Clock: clock.System(), Instead: &switchboardfile.Instead{File: file, Refused: refused},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wellHost is a host of which everything is well.
func wellHost(t *testing.T) Host {
	t.Helper()
	return Host{
		Store: fakeStore{ping: func(context.Context) error { return nil }}, Platform: fakePlatform{}, File: fileSource(t, hosttest.File), Plugins: fakePlugins{"a": hosttest.Plugin{}},
		Clock: clock.System(), Logger: slog.New(slog.DiscardHandler), Closing: context.Background(),
	}
}

// readyState is the answer of /readyz.
type readyState struct {
	Status string                  `json:"status"`
	Checks map[string]health.Check `json:"checks"`
}

// askReady reads /readyz.
func askReady(t *testing.T, p *health.Readiness) (int, readyState) {
	t.Helper()
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
	var got readyState
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return rec.Code, got
}

func TestReadinessNamesWhatIsNotWell(t *testing.T) {
	t.Parallel()
	failed := func(err error) func(*Host) {
		return func(s *Host) { s.Store = fakeStore{ping: func(context.Context) error { return err }} }
	}
	closed, end := context.WithCancel(context.Background())
	end()
	refused := fileSource(t, hosttest.File, switchboardfile.Problem{File: "switchboard.yaml", Line: 3, Message: "there is no such zone"})
	badMail := tell.NewMailWatch(fakeMailServer{integration.Errorf(integration.KindUnauthorized, "the mail server refuses the password")}, clock.System())
	_ = badMail.Mailer(tell.MailOfPage).Send(t.Context(), engine.OutgoingMail{})
	for _, c := range []struct {
		name    string
		change  func(*Host)
		code    int
		status  string
		check   string // the one that is not ok
		message string
	}{
		{"all is well", func(*Host) {}, 200, "ready", "", ""},
		{"the disk is full", failed(integration.Errorf(integration.KindUnavailable, "database or disk is full")), 503, "not_ready", "store", "callers hear the fallback answer: database or disk is full."},
		{"the store waits", func(s *Host) {
			s.Store = fakeStore{ping: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		}, 503, "not_ready", "store", "no answer within 2s"},
		{"the platform is away", func(s *Host) { s.Platform = fakePlatform{err: errors.New("gone")} }, 503, "not_ready", "platform", "nobody can be found for callers: gone."},
		{"a platform elsewhere is away", func(s *Host) {
			s.Platform, s.PlatformPage = fakePlatform{err: errors.New("gone")}, "https://incidents.example.com"
		}, 200, "degraded", "platform", "callers wait until it can: gone."},
		{"a platform elsewhere hangs", func(s *Host) {
			s.Platform, s.PlatformPage = hangingPlatform{}, "https://incidents.example.com"
		}, 200, "degraded", "platform", "callers wait until it can: GoAlert did not answer."},
		{"a platform elsewhere ignores its time", func(s *Host) {
			s.Platform, s.PlatformPage = deafPlatform{}, "https://incidents.example.com"
		}, 200, "degraded", "platform", "no answer within 2s"},
		{"the platform has findings", func(s *Host) {
			s.Platform = findingPlatform{found: []string{"hints do not arrive", "the service is full"}}
		}, 200, "degraded", "platform_findings", "there is trouble: hints do not arrive; the service is full."},
		{"a plugin is not running", func(s *Host) { s.Plugins = fakePlugins{"a": hosttest.Plugin{}, "b": nil} }, 503, "not_ready", "plugin", "The plugin b is not running"},
		{"a plugin is deaf", func(s *Host) { s.Plugins = fakePlugins{"a": deafPlugin{}} }, 503, "not_ready", "plugin", "The plugin a does not answer"},
		{"no plugin", func(s *Host) { s.Plugins = fakePlugins{} }, 503, "not_ready", "plugin", "No plugin is installed"},
		{"work is overdue", func(s *Host) {
			s.Store = fakeStore{ping: func(context.Context) error { return nil }, overdue: map[store.ItemKind]int{store.ItemTask: 1, store.ItemMail: 2}}
		}, 200, "degraded", "work", "2 mail, 1 task."},
		{"the file is refused", func(s *Host) { s.File = refused }, 200, "degraded", "file", "there is no such zone"},
		{"the mail server refuses", func(s *Host) { s.Mail = badMail }, 200, "degraded", "mail", "the mail server refuses the password."},
		{"the clock is a little behind the database's", clockBehind(2 * time.Second), 200, "ready", "", ""},
		{"the clock is behind the database's", clockBehind(2500 * time.Millisecond), 200, "degraded", "clock", "2.5s behind the database's"},
		{"the clock is ahead of the database's", clockBehind(-time.Hour), 200, "degraded", "clock", "1h0m0s ahead of the database's"},
		{"the host stops", func(s *Host) { s.Closing = closed }, 503, "stopping", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				host := wellHost(t)
				c.change(&host)
				p := NewReadiness(host)
				code, got := askReady(t, p)
				if code != c.code || got.Status != c.status {
					t.Errorf("%d %s, want %d %s", code, got.Status, c.code, c.status)
				}
				for _, must := range []string{"store", "platform", "plugin", "work", "file"} {
					if _, there := got.Checks[must]; !there {
						t.Errorf("there is no check %q", must)
					}
				}
				for name, check := range got.Checks {
					if !strings.HasSuffix(check.Message, ".") || strings.Contains(check.Message, "\n") {
						t.Errorf("%s: %q is no sentence", name, check.Message)
					}
					switch {
					case name != c.check && (check.State != health.StateOK || !check.Since.IsZero()):
						t.Errorf("%s: %+v", name, check)
					case name == c.check && (check.State == health.StateOK || check.Since.IsZero() || !strings.Contains(check.Message, c.message)):
						t.Errorf("%s: %+v, want %q", name, check, c.message)
					}
				}
				if told := strings.Join(p.Troubles(), ""); strings.Contains(told, c.message) != (c.check != "file" || c.message == "") {
					t.Errorf("the pages tell of %q", told)
				}
				if c.check == "file" && !got.Checks["file"].Since.Equal(refused.Status().RefusedSince) {
					t.Errorf("refused since %v, want %v", got.Checks["file"].Since, refused.Status().RefusedSince)
				}
				time.Sleep(hangs) // what was abandoned ends
			})
		})
	}
}

// clockBehind gives a host the shared clock of a machine whose own is so far behind the database's.
func clockBehind(by time.Duration) func(*Host) {
	return func(s *Host) {
		own := clock.NewManual(time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC))
		shared := clock.NewShared(own)
		_ = shared.Measure(context.Background(), func(context.Context) (time.Time, error) { return own.Now().Add(by), nil })
		s.Clock = shared
	}
}

// hangingPlatform answers in its own words when its time is over.
type hangingPlatform struct{ platform.Platform }

func (hangingPlatform) Health(ctx context.Context) error {
	<-ctx.Done()
	return errors.New("GoAlert did not answer")
}

// hangs is how long a deafPlatform takes.
const hangs = time.Hour

// deafPlatform answers when nobody waits any more.
type deafPlatform struct{ platform.Platform }

func (deafPlatform) Health(context.Context) error {
	time.Sleep(hangs)
	return nil
}
