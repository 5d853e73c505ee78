package embedded_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/sqlstoretest"
)

// BenchmarkCallBesideReaders measures the reads and the commit of one request of a call, while so
// many people read the page of alerts again and again, over 100,000 resolved alerts.
func BenchmarkCallBesideReaders(b *testing.B) {
	for _, readers := range []int{0, 10} {
		b.Run(fmt.Sprint(readers), func(b *testing.B) { benchmarkCall(b, readers) })
	}
}

func benchmarkCall(b *testing.B, readers int) {
	dir := b.TempDir()
	write(b, filepath.Join(dir, "switchboard.yaml"), storyFile)
	db := openDB(b, filepath.Join(dir, "host.db"))
	p, _ := start(b, embedded.Config{File: source(b, filepath.Join(dir, "switchboard.yaml"), clock.System()), DB: db, Clock: clock.System()})
	s := sqlstoretest.On(b, db, clock.System())
	oldAlerts(b, db, 100_000)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	for range readers {
		reading.Go(func() {
			for ctx.Err() == nil {
				for _, status := range []integration.AlertStatus{integration.AlertOpen, integration.AlertDropped, integration.AlertQueued, integration.AlertAcknowledged, integration.AlertResolved} {
					if _, _, err := p.ListAlerts(ctx, platform.AlertFilter{Status: status, Limit: 200}); err != nil && ctx.Err() == nil {
						b.Error(err)
					}
				}
			}
		})
	}
	var took []time.Duration
	b.ResetTimer()
	for i := int64(0); b.Loop(); i++ {
		began := time.Now()
		if i > 0 {
			if _, err := s.Session(ctx, "int-1", "CA1"); err != nil {
				b.Fatal(err)
			}
		}
		_, err := s.Commit(ctx, store.Commit{Integration: "int-1", Key: "CA1", Version: i, Now: time.Now(), Session: &store.Session{
			Session: integration.Session{State: make([]byte, 2000), Format: 1}, Revision: 1, AlertKey: "CA1", Live: true}})
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
}

// oldAlerts fills the database with resolved alerts.
func oldAlerts(b *testing.B, db *sqldb.DB, n int) {
	b.Helper()
	err := db.Write(b.Context(), func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(b.Context(), `with recursive i(n) as (select 1 union all select n + 1 from i where n < $1)
			insert into embedded_alerts (id, tenant, integration, alert_key, version, status, title, spoken_title, description, urgency,
				fields, attachments, teams, layer, round, paged, rejected, acks, deadline, last_command, entries, created_at, updated_at)
			select 'old' || n, '', 'int-1', 'OLD' || n, 5, 'resolved', 'Call from +12025550143', 'A call', 'A call that ended', 'high',
				'[{"label":"Caller","value":"+12025550143","format":"phone"}]', '[]', '["devops"]', 1, 1, '[]', '[]', '[]', null, 5, 3, n * 1000, n * 1000 from i`, n)
		if err == nil {
			_, err = tx.ExecContext(b.Context(), `with recursive i(n) as (select 1 union all select n + 1 from i where n < $1)
				insert into embedded_log (alert_id, n, at, actor, message) select 'old' || n, 1, n * 1000, '', 'Created' from i`, n)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}
