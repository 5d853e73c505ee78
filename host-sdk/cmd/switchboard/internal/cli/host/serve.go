package host

import (
	"context"
	"fmt"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inforce"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Serve is serve.
type Serve struct {
	settings.Flags
}

// Help is shown by serve --help.
func (Serve) Help() string {
	return "The host is ready when /readyz answers 200. It shuts down cleanly on SIGTERM or SIGINT, or when its terminal is closed; a second signal ends it at once. While the switchboard file has errors, the last good copy of it serves, which /readyz and the pages say."
}

// Run serves until a signal. A file with errors does not keep a host from starting: the last good
// copy takes calls meanwhile.
func (c Serve) Run(s *command.Surroundings) error {
	ctx, stop := command.UntilStopped(s.Ctx)
	defer stop()
	resolved, instead, err := c.fromFile(s)
	if err != nil {
		if instead = c.lastGood(ctx, s, err); instead == nil {
			return err
		}
		// The file's settings go with the copy, or half of each would be in force.
		if resolved, err = settings.ForFile(c.Flags, instead.File, s.ExeDir); err != nil {
			return err
		}
	}
	resolved.Version = s.Version
	http.DefaultTransport = notify.Bound(http.DefaultTransport)
	return serve.Run(ctx, resolved, instead, s.Stderr)
}

// fromFile resolves the settings with those of the switchboard file. It also returns the file as it
// was read, which is not read a second time: somebody may be saving a mistake into it by then.
func (c Serve) fromFile(s *command.Surroundings) (settings.Settings, *inforce.LastGood, error) {
	file, err := command.LoadFile(s, c.Path())
	if err != nil {
		return settings.Settings{}, nil, err
	}
	resolved, err := settings.ForFile(c.Flags, file, s.ExeDir)
	return resolved, &inforce.LastGood{File: file}, err
}

// lastGood finds the last good copy of a file that cannot be used for a reason; nil if there is
// none. Where the store is may itself be written in the file: what can still be read of it counts,
// or else the flags, the environment and the defaults.
func (c Serve) lastGood(ctx context.Context, s *command.Surroundings, reason error) *inforce.LastGood {
	written := switchboardfile.SettingsOf(c.Path())
	place, err := settings.Resolve(c.Flags, written, s.ExeDir)
	if err != nil {
		place, err = settings.Resolve(c.Flags, only(written, "data_dir"), s.ExeDir)
	}
	if err != nil {
		return nil
	}
	found, err := inforce.ReadLastGood(ctx, place)
	if err != nil {
		_, _ = fmt.Fprintln(s.Stderr, "the last good copy of the switchboard file cannot be used:", err)
	}
	if found == nil {
		return nil
	}
	if place.Postgres() { // the copy is another host's, perhaps, but settings are each host's own
		if _, err := settings.Resolve(c.Flags, written, s.ExeDir); err != nil {
			written = only(written, "data_dir")
		}
		found.File = found.File.WithSettings(written)
	}
	if loaded, problems := switchboardfile.Load(c.Path()); loaded == nil {
		found.Refused = problems
	} else {
		found.Refused = []switchboardfile.Problem{{File: c.Path(), Path: "settings", Message: reason.Error()}}
	}
	return found
}

// only is a map with one of its keys. It returns nil if the map has no such key.
func only(all map[string]string, key string) map[string]string {
	value, ok := all[key]
	if !ok {
		return nil
	}
	return map[string]string{key: value}
}
