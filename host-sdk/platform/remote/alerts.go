package remote

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// Alert implements platform.Platform. The key is chosen by the plugin and becomes a part of the
// path, so it is checked first.
func (p *Platform) Alert(ctx context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	escaped, err := id("alert", key)
	if err != nil {
		return integration.AlertSnapshot{}, err
	}
	// Read before the request is sent: what happens on the platform later must not seem to be
	// included.
	begun := p.clock.Now()
	var answer wire.AlertSnapshot
	if err := p.get(ctx, scope, "alert", "/alerts/"+escaped, nil, &answer); err != nil {
		return integration.AlertSnapshot{}, err
	}
	return p.snapshot("alert", platform.Hint{Scope: scope, AlertKey: key}, answer, begun)
}

// snapshot checks what a platform says of an alert. It counts as read when the request was made. It
// notes what the platform does against its word, such as a change without a hint.
func (p *Platform) snapshot(name string, alert platform.Hint, s wire.AlertSnapshot, begun time.Time) (integration.AlertSnapshot, error) {
	if s.Key != alert.AlertKey {
		return integration.AlertSnapshot{}, p.strange(name, "alert %q was asked for, %.80q was answered", alert.AlertKey, s.Key)
	}
	out, err := s.Contract(begun)
	if err != nil {
		return integration.AlertSnapshot{}, p.strange(name, "%v", err)
	}
	// It is a comparison with what the platform promised: a change without a hint makes a finding.
	hinted := true // nothing is missed where none are promised
	if a := p.agreed.Load(); a != nil {
		hinted = a.Hints == wire.HintsNone
	}
	p.findings.alertRead(alert, s, hinted, p.times.hint)
	return out, nil
}

// Apply implements platform.Platform. It does not say whether the platform ran the command if no
// answer came: the error is then not final, and the same number is sent again. The command's number
// is part of the address (PUT), so a platform can tell a repetition without reading the body.
func (p *Platform) Apply(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	escaped, err := id("alert", cmd.AlertKey)
	if err != nil {
		return err
	}
	// The ids stand in addresses of later questions, so one that cannot is refused before anything
	// is sent.
	for _, team := range cmd.Teams {
		if _, err := id("team", team); err != nil {
			return err
		}
	}
	// The outbox tries again later; the platform is not asked in between.
	if left := p.pause.left(time.Now()); left > 0 {
		return platform.Away(integration.KindUnavailable, "the platform asked to wait, for %v more", left.Round(time.Second))
	}
	// The address is made for this attempt: it is good for a day, and a command may be tried for
	// longer.
	link := ""
	if cmd.Media != nil && p.cfg.MediaURL != nil {
		link = p.cfg.MediaURL(cmd.Media.Ref)
	}
	begun, alert := p.clock.Now(), platform.Hint{Scope: scope, AlertKey: cmd.AlertKey}
	var answer wire.AlertSnapshot
	err = p.send(ctx, request{
		name: "command", method: http.MethodPut, path: "/alerts/" + escaped + "/commands/" + strconv.FormatInt(cmd.Number, 10),
		query: p.in(scope, url.Values{}), body: wire.FromCommand(cmd, link), purpose: command,
	}, p.times.command, &answer)
	// Also after an error: the command may have run.
	if !p.cfg.NoOwnHints {
		p.watchers.hint(alert)
	}
	if err != nil {
		return err
	}
	if _, err := p.snapshot("command", alert, answer, begun); err != nil {
		return err
	}
	// Repeating the command would not make the platform count: it has run and is not sent again.
	p.findings.set("numbers", answer.LastCommand < cmd.Number, "command %d was answered with last_command %d: calls wait for a snapshot that includes their command",
		cmd.Number, answer.LastCommand)
	return nil
}
