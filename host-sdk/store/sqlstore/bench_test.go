package sqlstore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var benchNow = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// benchCommit is a typical outcome: two kilobytes of state, a call view with two legs, a command, a
// task and a timer.
func benchCommit(key string, version int64) store.Commit {
	return store.Commit{
		Integration: "int_1", Key: key, Version: version, Now: benchNow,
		Session: &store.Session{
			Session: integration.Session{State: []byte(`{"x":"` + strings.Repeat("s", 2000) + `"}`), Format: 1}, Revision: 1, AlertKey: key, Live: true,
			Occupies: []string{"alice"}, ExpiresAt: benchNow.Add(time.Hour),
			Call: &integration.CallView{ID: key, From: "+12025550143", To: "+12025550199", State: "holding", Team: "devops", TeamName: "DevOps", StartedAt: benchNow,
				Legs: []integration.LegView{{ID: "caller", Role: "caller", StartedAt: benchNow}, {ID: "1", Role: "responder", User: "alice", Phone: "+12025550101", StartedAt: benchNow}}},
		},
		Items: []store.Item{
			{Kind: store.ItemCommand, Lane: "alert", Due: benchNow, Body: []byte(`{"kind":"log","text":"` + strings.Repeat("t", 200) + `"}`)},
			{Kind: store.ItemTask, Lane: "task/dial", Name: "dial", Generation: version, Due: benchNow, Body: []byte(`{"payload":"` + strings.Repeat("p", 300) + `"}`)},
			{Kind: store.ItemTimer, Name: "deadline", Generation: version, Due: benchNow.Add(time.Minute), Body: []byte(`{"name":"deadline"}`)},
		},
	}
}

// benchStore holds n sessions with their items.
func benchStore(b *testing.B, n int) store.Store {
	b.Helper()
	s := open(b, filepath.Join(b.TempDir(), "store.db"))
	for i := range n {
		if _, err := s.Commit(context.Background(), benchCommit(fmt.Sprint("CA", i), 0)); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	return s
}

func BenchmarkSessionRead(b *testing.B) {
	s := benchStore(b, 1000)
	// As in a server, a context that can end.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Session(ctx, "int_1", fmt.Sprint("CA", i%1000)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOccupied(b *testing.B) {
	s := benchStore(b, 100)
	for b.Loop() {
		if _, err := s.Occupied(context.Background(), "int_1", "CA1"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIntegrationRead(b *testing.B) {
	s := benchStore(b, 0)
	_, err := s.SaveIntegration(context.Background(), store.Integration{ID: "int_1", Options: []byte(`{"x":"` + strings.Repeat("o", 2000) + `"}`)})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Integration(context.Background(), "int_1"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommitSerial is one caller: each commit waits for its own sync of the disk.
func BenchmarkCommitSerial(b *testing.B) {
	s := benchStore(b, 0)
	for i := 0; b.Loop(); i++ {
		if _, err := s.Commit(context.Background(), benchCommit("CA", int64(i))); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommitWithRecord is BenchmarkCommitSerial of a call whose record gets its view and two
// lines of its story each time.
func BenchmarkCommitWithRecord(b *testing.B) {
	s := benchStore(b, 0)
	for i := 0; b.Loop(); i++ {
		c := benchCommit("CA", int64(i))
		c.Call = &store.CallUpdate{New: i == 0, View: c.Session.Call, Live: true}
		for n := range int64(2) {
			c.Call.Story = append(c.Call.Story, store.StoryLine{Command: int64(i)*2 + n + 1, At: benchNow, Text: "Alice Example is called at +1 202-555-0143."})
		}
		if _, err := s.Commit(context.Background(), c); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommit64 is 64 callers, each with a session of its own.
func BenchmarkCommit64(b *testing.B) {
	s := benchStore(b, 0)
	var callers atomic.Int64
	b.SetParallelism(32) // times the processors
	b.RunParallel(func(pb *testing.PB) {
		key := fmt.Sprint("CA", callers.Add(1))
		for version := int64(0); pb.Next(); version++ {
			if _, err := s.Commit(context.Background(), benchCommit(key, version)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(callers.Load()), "callers")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

func benchClaim(b *testing.B, s store.Store, wantItems bool) {
	b.Helper()
	ctx := context.Background()
	for b.Loop() {
		items, _, err := s.Claim(ctx, store.Claim{Owner: "me", Now: benchNow, Lease: time.Hour, Limit: 16})
		if err != nil || (len(items) > 0) != wantItems {
			b.Fatal(len(items), err)
		}
	}
}

func BenchmarkClaimIdleEmpty(b *testing.B) { benchClaim(b, benchStore(b, 0), false) }

func BenchmarkClaimIdle10kTimers(b *testing.B) {
	s := benchStore(b, 0)
	for i := range 100 {
		items := make([]store.Item, 100)
		for n := range items {
			items[n] = store.Item{Kind: store.ItemTimer, Name: fmt.Sprint(n), Due: benchNow.Add(time.Duration(1+i*n) * time.Second), Body: []byte("{}")}
		}
		if _, err := s.Commit(context.Background(), store.Commit{Integration: "int_1", Key: fmt.Sprint(i), Items: items, Now: benchNow}); err != nil {
			b.Fatal(err)
		}
	}
	benchClaim(b, s, false)
}

// BenchmarkClaimIdleLongLanes is an outage of the platform: 100 calls with 100 commands each, of
// which the first waits for its retry.
func BenchmarkClaimIdleLongLanes(b *testing.B) {
	s := benchStore(b, 0)
	ctx := context.Background()
	for i := range 100 {
		items := make([]store.Item, 100)
		for n := range items {
			items[n] = store.Item{Kind: store.ItemCommand, Lane: "alert", Due: benchNow, Body: []byte("{}")}
		}
		if _, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: fmt.Sprint(i), Items: items, Now: benchNow}); err != nil {
			b.Fatal(err)
		}
	}
	items, _, err := s.Claim(ctx, store.Claim{Owner: "me", Now: benchNow, Lease: time.Hour, Limit: 1000})
	if err != nil || len(items) != 100 {
		b.Fatal(len(items), err)
	}
	benchClaim(b, s, false)
}

// BenchmarkItemLifeOfHost is BenchmarkItemLife as a host claims: for each kind of work by itself.
func BenchmarkItemLifeOfHost(b *testing.B) {
	s := benchStore(b, 0)
	ctx := context.Background()
	var wants []store.Want
	for _, work := range store.AllWork() {
		wants = append(wants, store.Want{Work: work, Limit: 16, PerIntegration: 8})
	}
	for b.Loop() {
		if err := s.AddItem(ctx, store.Item{Integration: "int_1", Key: "CA", Kind: store.ItemCommand, Lane: "alert", Due: benchNow, Body: []byte("{}")}); err != nil {
			b.Fatal(err)
		}
		items, _, err := s.Claim(ctx, store.Claim{Owner: "me", Now: benchNow, Lease: time.Hour, Wants: wants})
		if err != nil || len(items) != 1 {
			b.Fatal(len(items), err)
		}
		if err := s.DeleteItem(ctx, items[0]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkItemLife is a claim of one due item and its deletion.
func BenchmarkItemLife(b *testing.B) {
	s := benchStore(b, 0)
	ctx := context.Background()
	for b.Loop() {
		b.StopTimer()
		if err := s.AddItem(ctx, store.Item{Integration: "int_1", Key: "CA", Kind: store.ItemCommand, Lane: "alert", Due: benchNow, Body: []byte("{}")}); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		items, _, err := s.Claim(ctx, store.Claim{Owner: "me", Now: benchNow, Lease: time.Hour, Limit: 16})
		if err != nil || len(items) != 1 {
			b.Fatal(len(items), err)
		}
		if err := s.DeleteItem(ctx, items[0]); err != nil {
			b.Fatal(err)
		}
	}
}
