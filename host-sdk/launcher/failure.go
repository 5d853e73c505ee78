package launcher

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// pluginVersion finds the version in go-plugin's words about two sides that share none.
var pluginVersion = regexp.MustCompile(`incompatible API version.*Plugin version: (\d+)`)

// explainStart says in one line why a process did not come up, and what to do. err is what
// go-plugin said; it has killed the process by now. The cases go from what is known for certain to
// what is only likely. It may wait for the last output of a dead process.
func explainStart(ctx context.Context, c *child, err error, limit time.Duration) error {
	if found := pluginVersion.FindStringSubmatch(err.Error()); found != nil {
		return fmt.Errorf("speaks protocol version %s, this host speaks %d: install a plugin and a host that go together",
			found[1], integration.ProtocolVersion)
	}
	c.mu.Lock()
	stray, started := c.stray, c.pid != 0
	c.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("start given up: %w", context.Cause(ctx))
	case strings.Contains(err.Error(), "timeout while waiting for plugin"):
		return fmt.Errorf("start given up: %w", errSlowStart(limit))
	case !started:
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return fmt.Errorf("cannot be run: %w: is it built for %s, on a file system that allows programs?", err, manifest.Platform())
	case stray != "":
		return fmt.Errorf("wrote %.200q to standard output before the handshake: a plugin must write nothing there, logs go to standard error", stray)
	}
	select {
	case <-c.read: // with its last words
	case <-ctx.Done():
	}
	if !c.dead() {
		return oneLine(err)
	}
	if words := c.out.words(); words != "" {
		return fmt.Errorf("ended before the handshake (%s), saying %.500q", c.exit(), words)
	}
	return fmt.Errorf("ended before the handshake (%s) and said nothing: is it a plugin for this host?", c.exit())
}

// errSlowStart is why a start took too long.
func errSlowStart(limit time.Duration) error {
	return fmt.Errorf("no answer within %s: is the machine overloaded, or the plugin waiting for something?", limit)
}

// oneLine takes the line ends out of an error of go-plugin.
func oneLine(err error) error {
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}

// checkIdentity compares what a plugin says of itself with its manifest. A folder where an upgrade
// stopped half-way has a manifest and an executable that do not go together. What they say must be
// equal, as the host decides by the manifest before the process runs.
func checkIdentity(d integration.Description, m manifest.Manifest) error {
	for _, f := range []struct {
		what      string
		said, has any
	}{
		{"id", d.ID, m.ID},
		{"version", d.Version, m.Version},
		{"protocol version", d.ProtocolVersion, integration.ProtocolVersion},
		{"protocol minor", d.ProtocolMinor, m.Protocol.Minor},
	} {
		if f.said != f.has {
			return fmt.Errorf("says its %s is %v, its manifest %v: executable and manifest do not belong together, install the plugin again", f.what, f.said, f.has)
		}
	}
	return nil
}
