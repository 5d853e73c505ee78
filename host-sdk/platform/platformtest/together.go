package platformtest

import (
	"context"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/difference"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// batch numbers commands without applying them.
func (s *session) batch(cmds ...integration.AlertCommand) []integration.AlertCommand {
	var out []integration.AlertCommand
	for _, cmd := range cmds {
		out = append(out, s.number(cmd))
	}
	return out
}

// testTogether hands commands over together: they do what they do one by one, repeated they change
// nothing, and one that fails stops those behind it.
func testTogether(t *testing.T, b *bench) {
	all, ok := b.Platform.(platform.BatchApplier)
	if !ok {
		t.Skip("the platform does not implement platform.BatchApplier")
	}
	one, many := b.session(), b.session()
	begin := func(s *session) []integration.AlertCommand {
		cmds := []integration.AlertCommand{s.create(), s.route(b.Team)}
		if b.caps.Annotations {
			cmds = append(cmds, s.log("same words"), s.log("same words"), s.field("Caller City", "Arlington"))
		}
		return append(cmds, s.route(b.OtherTeam), s.resolve())
	}
	for _, cmd := range begin(one) {
		one.apply(t, cmd)
	}
	cmds := many.batch(begin(many)...)
	for _, what := range []string{"for the first time", "once more"} {
		if done, err := all.ApplyAll(b.ctx(t), b.Scope, cmds); err != nil || done != len(cmds) {
			t.Fatalf("ApplyAll of %d commands, %s: %d are done, %v", len(cmds), what, done, err)
		}
		if d := difference.Of(comparable(one.snapshot(t)), comparable(many.snapshot(t))); d != "" {
			t.Errorf("one by one, and together %s, the commands make different alerts:\n%s", what, d)
		}
		b.sameStory(t, one, many)
	}
	b.together(t, all)
}

// together looks at batches that are part old, that fail in the middle, and that nobody waits for.
func (b *bench) together(t *testing.T, all platform.BatchApplier) {
	t.Helper()
	s := b.open(t)
	cmds := append([]integration.AlertCommand{s.sent[1]}, s.batch(s.route(b.OtherTeam))...)
	if done, err := all.ApplyAll(b.ctx(t), b.Scope, cmds); err != nil || done != len(cmds) {
		t.Errorf("ApplyAll of one old and one new command: %d are done, %v", done, err)
	}
	if a := s.snapshot(t); a.LastCommand != s.last || len(a.Teams) != 1 || a.Teams[0] != b.OtherTeam {
		t.Errorf("after ApplyAll of one old and one new route the teams are %v and the last command is %d, want %s and %d", a.Teams, a.LastCommand, b.OtherTeam, s.last)
	}
	before := s.snapshot(t)
	cmds = s.batch(s.route(b.OtherTeam), s.route(unknown), s.resolve())
	done, err := all.ApplyAll(b.ctx(t), b.Scope, cmds)
	if done != 1 || err == nil || !integration.KindOf(err).Final() {
		t.Errorf("ApplyAll with a route to an unknown team in the middle: %d are done, %v; want 1 and an error of a final kind", done, err)
	}
	s.unchanged(t, "ApplyAll that failed before resolve", before)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := all.ApplyAll(over, b.Scope, cmds[2:]); err != nil && integration.KindOf(err).Final() {
		t.Errorf("ApplyAll under a context that is over: %v, want a kind that may be tried again", err)
	}
}
