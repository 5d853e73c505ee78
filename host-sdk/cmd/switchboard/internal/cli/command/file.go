package command

import (
	"errors"
	"fmt"
	"os"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// LoadFile reads the switchboard file. Its problems go to stderr, one line each; the error is the
// sum. Warnings are not printed, as they keep nothing from working.
func LoadFile(s *Surroundings, path string) (*switchboardfile.File, error) {
	if err := Present(path); err != nil {
		return nil, err
	}
	loaded, problems := switchboardfile.Load(path)
	if loaded != nil {
		return loaded, nil
	}
	fatal := 0
	for _, p := range problems {
		if !p.Warning {
			fatal++
			_, _ = fmt.Fprintln(s.Stderr, p.String())
		}
	}
	return nil, fmt.Errorf("%s cannot be used: %s", path, Plural(fatal, "problem"))
}

// Present refuses a path at which there is nothing.
func Present(path string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: there is no such file: name the switchboard file with --config or SWITCHBOARD_CONFIG, or create one with: switchboard config sample > switchboard.yaml", path)
	}
	return nil
}

// ResolveOptional resolves the settings with those of the switchboard file. Where there is none,
// flags and environment say all; of one with errors, its settings count as far as they can be read.
func ResolveOptional(s *Surroundings, flags settings.Flags) (settings.Settings, error) {
	// A file that was named must be there; the one with the default name need not.
	if err := Present(flags.Path()); err != nil && flags.Path() != settings.DefaultConfig {
		return settings.Settings{}, err
	}
	return Resolve(s, flags)
}

// Resolve is ResolveOptional that also does without a file that is named and not there. The running
// host goes on with the last good one, so a file that is wrong, or away, does not hide it.
func Resolve(s *Surroundings, flags settings.Flags) (settings.Settings, error) {
	resolved, err := settings.Resolve(flags, switchboardfile.SettingsOf(flags.Path()), s.ExeDir)
	resolved.Version = s.Version
	return resolved, err
}
