package embedded_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/platform/platformtest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/filetest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/plantest"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

const conformanceFile = `
users:
  - {id: alice, name: Alice Example, email: alice@example.com, phones: ["+12025550143"]}
  - {id: bob, name: Bob Example, email: bob@example.com, phones: ["+12025550144"]}
teams:
  - id: devops
    name: DevOps
    admins: [alice]
    members: [alice, bob]
    schedule:
      timezone: America/New_York
      layers:
        - rotation: {start: "2026-01-05T09:00", every: 1d, users: [alice, bob]}
        - users: [alice, bob]
    escalation: {layers: [{timeout: 1h}, {timeout: 1h}]}
  - id: support
    name: customer support
    schedule: {timezone: UTC, layers: [{users: [bob]}]}
  - id: idle
    name: Nobody
    schedule:
      timezone: UTC
      layers: [{users: [bob]}]
      overrides: [{layer: 1, from: "2000-01-01T00:00", to: "2100-01-01T00:00", users: []}]
routers:
  - {id: main, default_receiver: [support, devops]}
`

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// openDB opens the database of a path, see urlOf.
func openDB(t testing.TB, path string) *sqldb.DB {
	t.Helper()
	return openURL(t, urlOf(t, path))
}

// template has the tables of a platform, and so has onServer, on PostgreSQL.
var (
	template = filetest.New(alerts.Migrate, shifts.Migrate)
	onServer = postgres.NewTemplate(template.Fill)
)

// urlOf names the database of a path: a file of SQLite, or where LIVECALL_TEST_DATABASE says
// postgres, a database of a server.
func urlOf(t testing.TB, path string) string {
	t.Helper()
	if os.Getenv("LIVECALL_TEST_DATABASE") == "postgres" {
		return onServer.Of(t, path)
	}
	return template.At(t, path)
}

func openURL(t testing.TB, url string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		plantest.Check(t, db)
		_ = db.Close()
	})
	return db
}

// start runs a platform until the test ends; stop ends it before.
func start(t testing.TB, cfg embedded.Config) (p *embedded.Platform, stop func()) {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	p, err := embedded.New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run ended with %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("Run goes on after its context has ended")
		}
	}
	t.Cleanup(stop)
	return p, stop
}

// source opens a switchboard file.
func source(t testing.TB, path string, c clock.Clock) *switchboardfile.Source {
	t.Helper()
	s, err := switchboardfile.Open(t.Context(), switchboardfile.SourceConfig{Path: path, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	conform(t, openDB(t, filepath.Join(t.TempDir(), "host.db")))
}

// TestConformanceOnAServer is the suite on PostgreSQL, where each function of a transaction runs
// twice.
func TestConformanceOnAServer(t *testing.T) {
	t.Parallel()
	db := openURL(t, onServer.Database(t))
	db.Twice()
	conform(t, db)
}

// TestConformanceBehindAPgBouncer is that suite through a PgBouncer in transaction mode, without
// the server's own address.
func TestConformanceBehindAPgBouncer(t *testing.T) {
	t.Parallel()
	postgres.NeedPooler(t)
	db := openURL(t, postgres.Pooled(t, onServer.Database(t)))
	db.Twice()
	conform(t, db)
}

func conform(t *testing.T, db *sqldb.DB) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "switchboard.yaml"), conformanceFile)
	p, _ := start(t, embedded.Config{File: source(t, filepath.Join(dir, "switchboard.yaml"), clock.System()), DB: db, Clock: clock.System()})
	platformtest.Test(t, platformtest.Config{New: func(*testing.T) platformtest.Fixture {
		return platformtest.Fixture{
			Platform: p, Scope: platform.Scope{Integration: "int-1"},
			Team: "devops", OtherTeam: "support", IdleTeam: "idle", Router: "main", Users: [2]string{"alice", "bob"},
		}
	}})
}

// Every way to narrow the list of alerts has an index, by which the newest come first.
func TestEveryListOfAlertsHasAnIndex(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "switchboard.yaml"), storyFile)
	db := openURL(t, "sqlite:"+filepath.Join(dir, "host.db"))
	p, _ := start(t, embedded.Config{File: source(t, filepath.Join(dir, "switchboard.yaml"), clock.System()), DB: db, Clock: clock.System()})
	for index, filter := range map[string]platform.AlertFilter{
		"embedded_alerts_created":                 {},
		"embedded_alerts_status":                  {Status: integration.AlertOpen},
		"embedded_alerts_integration":             {Integration: "int-1"},
		"embedded_alerts_integration_status":      {Integration: "int-1", Status: integration.AlertOpen},
		"sqlite_autoindex_embedded_alert_teams_1": {Team: "devops", From: noon, Until: noon},
		"embedded_alerts_status ":                 {Team: "devops", Status: integration.AlertOpen, Text: "x"},
		"embedded_alerts_created ":                {From: noon, Until: noon, After: "1.01ARZ3NDEKTSV4RRFFQ69G5FAV", Text: "x"},
	} {
		before := db.Statements()
		if _, _, err := p.ListAlerts(t.Context(), filter); err != nil {
			t.Fatal(err)
		}
		for _, text := range db.Statements() {
			// Not of what goes on beside.
			if slices.Contains(before, text) || !strings.Contains(text, " desc limit ") {
				continue
			}
			plan := strings.Join(plantest.Plan(t, db, text), "; ")
			if !strings.Contains(plan, "INDEX "+index) || strings.Contains(plan, "B-TREE FOR ORDER BY") {
				t.Errorf("%+v is done by: %s", filter, plan)
			}
		}
	}
}
