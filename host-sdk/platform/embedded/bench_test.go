package embedded_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
)

// BenchmarkApply measures commands from many sessions at once, on a database on disk.
func BenchmarkApply(b *testing.B) {
	dir := b.TempDir()
	write(b, filepath.Join(dir, "switchboard.yaml"), storyFile)
	p, _ := start(b, embedded.Config{File: source(b, filepath.Join(dir, "switchboard.yaml"), clock.System()), DB: openDB(b, filepath.Join(dir, "host.db")), Clock: clock.System()})
	var sessions atomic.Int64
	ctx := context.Background()
	apply := func(cmd integration.AlertCommand) {
		if err := p.Apply(ctx, scope, cmd); err != nil {
			b.Error(err)
		}
	}
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		key := fmt.Sprint("CA", sessions.Add(1))
		apply(integration.AlertCommand{Kind: integration.AlertCreate, AlertKey: key, Number: 1, Draft: &integration.AlertDraft{Title: "Call"}})
		for n := int64(2); pb.Next(); n++ {
			apply(integration.AlertCommand{Kind: integration.AlertLog, AlertKey: key, Number: n, Text: "The caller waits"})
		}
	})
}

// BenchmarkAlert measures reading a snapshot, which a host does on every hint.
func BenchmarkAlert(b *testing.B) {
	dir := b.TempDir()
	write(b, filepath.Join(dir, "switchboard.yaml"), storyFile)
	p, _ := start(b, embedded.Config{File: source(b, filepath.Join(dir, "switchboard.yaml"), clock.System()), DB: openDB(b, filepath.Join(dir, "host.db")), Clock: clock.System()})
	ctx := context.Background()
	for i, cmd := range []integration.AlertCommand{
		{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Call"}}, {Kind: integration.AlertRoute, Teams: []string{"devops"}},
	} {
		cmd.AlertKey, cmd.Number = key, int64(i+1)
		if err := p.Apply(ctx, scope, cmd); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for range b.N {
		if _, err := p.Alert(ctx, scope, key); err != nil {
			b.Fatal(err)
		}
	}
}
