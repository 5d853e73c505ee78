package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/integrations"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/installer"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/plugins"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// SwitchPlugin takes a staged version of a plugin into use for a person at a terminal. A host that
// runs on the data directory does it while calls go on. Where none runs, the plugin is started once
// to see that it can be, and compared with what the store holds. A version that cannot read what is
// stored is refused before anything is changed. known is false if the running host gave no
// answer: it may use the version by now.
func SwitchPlugin(ctx context.Context, s settings.Settings, p manifest.Installed) (switched integrations.SwitchedPlugin, known bool, err error) {
	known = true
	id := p.Manifest.ID
	switched, err = changePlugin(ctx, s,
		func(ctx context.Context, base string) (out integrations.SwitchedPlugin, err error) {
			err = askAPI(ctx, s, base, http.MethodPost, "/plugins/"+url.PathEscape(id)+"/switch", map[string]string{"version": plugins.VersionName(p)}, &out)
			known = !errors.As(err, new(noAnswerError))
			return out, err
		},
		func(ctx context.Context, kept store.Store) (integrations.SwitchedPlugin, error) {
			folder := installer.Folder{Path: s.PluginDir}
			out := integrations.SwitchedPlugin{ID: id, Version: p.Manifest.Version}
			if old, ok := folder.InUse(id); ok {
				out.Before = old.Manifest.Version
			}
			// It proves that the program runs on this machine and is the one that the manifest
			// names.
			d, err := describeOnce(ctx, p)
			if err == nil && kept != nil {
				err = plugins.CanRead(ctx, kept, d)
			}
			if err == nil {
				err = folder.Switch(p)
			}
			return out, err
		})
	return switched, known, err
}

// RemovePlugin takes a plugin out of the folder, unless something needs it. running says that a
// host ended it. What needs it is an integration, or work that is left of one.
func RemovePlugin(ctx context.Context, s settings.Settings, id string) (running bool, err error) {
	return changePlugin(ctx, s,
		func(ctx context.Context, base string) (bool, error) {
			return true, askAPI(ctx, s, base, http.MethodDelete, "/plugins/"+url.PathEscape(id), nil, nil)
		},
		func(ctx context.Context, kept store.Store) (bool, error) {
			if kept != nil {
				if err := plugins.Needed(ctx, kept, id); err != nil {
					return false, err
				}
			}
			return false, installer.Folder{Path: s.PluginDir}.Remove(id)
		})
}

// describeOnce starts a plugin, asks what it is, and ends it. It makes no calls and needs no
// settings.
func describeOnce(ctx context.Context, p manifest.Installed) (integration.Description, error) {
	plugin, err := launcher.Launch(ctx, launcher.Config{Dir: p.Dir, LookupEnv: plugins.LookupEnv})
	if err != nil {
		return integration.Description{}, err
	}
	defer plugin.Stop(ctx)
	return plugin.Describe(ctx, integration.DescribeRequest{})
}

// changePlugin asks the host that runs on the data directory, and no other: it is the one that
// starts the plugins of this machine. Where none runs, offline gets the store; nil: there is none
// yet, or hosts of other machines use it, whose calls are theirs. offline runs with the data
// directory locked, so that no host starts meanwhile.
func changePlugin[T any](ctx context.Context, s settings.Settings, online func(ctx context.Context, base string) (T, error), offline func(context.Context, store.Store) (T, error)) (result T, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	defer func() {
		if err != nil {
			err = wording.ForPeople(s, err)
		}
	}()
	// Nothing has ever run here: locking would make the folder.
	if _, err := os.Stat(s.DataDir); errors.Is(err, fs.ErrNotExist) && !s.Postgres() {
		return offline(ctx, nil)
	}
	release, err := datadir.Lock(s.DataDir)
	var used *datadir.InUseError
	switch {
	case errors.As(err, &used):
		return online(ctx, datadir.Address(s))
	// With PostgreSQL the directory may be missing on a machine from which plugins are installed
	// before its host was ever started.
	case err != nil && !s.Postgres():
		return result, err
	case err == nil:
		defer release()
	}
	if !datadir.HasDatabase(s) {
		return offline(ctx, nil)
	}
	if s.Postgres() {
		base, err := elsewhere(ctx, s)
		if err != nil {
			return result, fmt.Errorf("the database cannot say whether the plugin may be changed: %w", err)
		}
		if base != "" {
			return offline(ctx, nil)
		}
	}
	if err := s.KeepSecrets(); err != nil {
		return result, err
	}
	err = datadir.WithStore(ctx, s, func(kept store.Store) error {
		result, err = offline(ctx, kept)
		return err
	})
	return result, err
}
