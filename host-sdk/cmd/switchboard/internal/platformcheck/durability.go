package platformcheck

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
)

// returns is how long a platform may take to answer again after it was restarted.
const returns = time.Minute

// durable restarts the platform: alerts and the numbers of commands must outlive it. What it
// restarts is the operator's: without a command it only says so.
func (r *run) durable(ctx context.Context) error {
	if r.unalerted("durability") {
		return nil
	}
	c := r.check("alerts and numbers outlive a restart")
	if c == nil {
		return nil
	}
	if r.cfg.Restart == "" {
		c.Leave(result.Noted, "Not tried: --restart names a command that restarts the platform.")
		return nil
	}
	c.About = "the alert, its acknowledgements and last_command are stored together, before the command is answered"
	a := r.call(c)
	if !a.begin(ctx) {
		return nil
	}
	a.last++
	mine := a.request(a.last, a.mine())
	if _, ok := a.snapshot(r.send(ctx, mine)); !ok {
		return nil
	}
	before, ok := a.see(ctx)
	if !ok {
		return nil
	}
	if err := r.restart(ctx); err != nil {
		c.Leave(result.NotTested, "%v", err)
		return nil
	}
	x := r.get(ctx, "/v1/alerts/"+a.key)
	after, ok := a.snapshot(x)
	if !ok {
		a.fault(nil, "The alert is gone after the restart: callers who wait are taken out of the hold for it.")
		return nil
	}
	// A platform may count changes anew after a restart.
	before.Change, after.Change = 0, 0
	if text := differ(before, after); text != "" {
		a.fault(x, "After the restart the alert is another: %s.", text)
	}
	x = r.send(ctx, mine)
	if s, ok := a.snapshot(x); ok {
		s.Change = 0
		if text := differ(after, s); text != "" {
			a.fault(x, "After the restart a command that had run before ran again: %s.", text)
		}
	}
	a.last++
	if s, ok := a.snapshot(a.put(ctx, a.last, resolve())); ok && s.Status != "resolved" {
		a.fault(nil, "After the restart the next command did not run.")
	}
	return nil
}

// restart runs the command and waits until the platform answers again. The command runs in a shell,
// as the operator typed it.
func (r *run) restart(ctx context.Context) error {
	// The server that the command starts may keep its output: a file does not make us wait for it.
	said, err := os.CreateTemp("", "switchboard-restart-")
	if err != nil {
		return err
	}
	defer func() { _ = said.Close() }()
	_ = os.Remove(said.Name()) // it goes with the last who has it open, however this command ends
	limited, cancel := context.WithTimeout(ctx, returns)
	defer cancel()
	cmd := exec.CommandContext(limited, "sh", "-c", r.cfg.Restart)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Run(); err != nil {
		text, _ := io.ReadAll(io.NewSectionReader(said, 0, 1<<20))
		return fmt.Errorf("the command of --restart failed: %w; %s", err, record.Excerpt(text))
	}
	// A connection of its own each time: an old one may be half dead.
	for limited.Err() == nil {
		if x := r.send(limited, ask{method: http.MethodGet, path: "/v1/health", within: 5 * time.Second, alone: true}); x.Err == nil && x.Status == http.StatusOK {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-limited.Done():
		}
	}
	return fmt.Errorf("within %v after the command of --restart the platform did not answer again", returns)
}
