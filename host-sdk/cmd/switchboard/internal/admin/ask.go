package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// askTime bounds an action that a person waits for. Actions speak with a foreign service, so it is
// longer than any one request of theirs.
const askTime = time.Minute

// Ask runs an action of an integration for a person at a terminal. A running host is asked by its
// API: the one on the data directory, or with PostgreSQL whichever answers at the public address.
// The store is opened, for a moment, only where none runs. What the plugin refuses is among the
// lines of the result; the error is for what kept it from running.
func Ask(ctx context.Context, s settings.Settings, id, action string, values map[string]string) (integration.ActionResult, error) {
	return ask(ctx, s,
		func(ctx context.Context, s settings.Settings) (integration.ActionResult, error) {
			return askStore(ctx, s, id, action, values)
		},
		func(ctx context.Context, base string) (integration.ActionResult, error) {
			return askHost(ctx, s, base, id, action, values)
		})
}

// Hotlines are the integrations of this installation, with the numbers that callers of each dialed.
// None without an error: there is no database yet. They are in the order of their names.
func Hotlines(ctx context.Context, s settings.Settings) ([]inspect.Hotline, error) {
	if s.Host == "" && !datadir.HasDatabase(s) {
		return nil, nil
	}
	return ask(ctx, s,
		func(ctx context.Context, s settings.Settings) (out []inspect.Hotline, err error) {
			err = datadir.WithStore(ctx, s, func(kept store.Store) error {
				out, err = storedHotlines(ctx, kept)
				return err
			})
			return out, err
		},
		func(ctx context.Context, base string) (out []inspect.Hotline, err error) {
			// The fields are called as in the API.
			return out, askAPI(ctx, s, base, http.MethodGet, "/integrations", nil, &out)
		})
}

// storedHotlines reads the integrations from the store.
func storedHotlines(ctx context.Context, kept store.Store) ([]inspect.Hotline, error) {
	numbers, err := names.Numbers(ctx, kept)
	if err != nil {
		return nil, err
	}
	list, err := kept.ListIntegrations(ctx)
	if err != nil {
		return nil, err
	}
	var out []inspect.Hotline
	for _, in := range list {
		h := inspect.Hotline{ID: in.ID, Name: in.Name, Destinations: in.Destinations}
		// A number belongs to the integration that was called by it last.
		for number, id := range numbers {
			if id == in.ID {
				h.Numbers = append(h.Numbers, number)
			}
		}
		slices.Sort(h.Numbers)
		out = append(out, h)
	}
	return out, nil
}

// ask gets an answer from the host that the settings name, else from the running one, given its
// address, or where none runs from the store, opened with the settings that fromStore is handed.
// Errors hold no secret. fromHost gets the address without a trailing slash.
func ask[T any](ctx context.Context, s settings.Settings, fromStore func(context.Context, settings.Settings) (T, error), fromHost func(ctx context.Context, base string) (T, error)) (result T, err error) {
	if s.Host == "" && !datadir.HasDatabase(s) {
		return result, datadir.NoDatabase(s)
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	defer func() {
		if err != nil {
			err = wording.ForPeople(s, err)
		}
	}()
	// Another machine's host: the lock of this one says nothing of it.
	if s.Host != "" {
		return fromHost(ctx, s.Host)
	}
	// Whether the lock can be had says whether a host runs here. With SQLite it is held until the
	// answer is there, so that none starts on the database while this command has it open.
	release, err := datadir.Lock(s.DataDir)
	var used *datadir.InUseError
	switch {
	case errors.As(err, &used):
		return fromHost(ctx, datadir.Address(s))
	case s.Postgres():
		// No file is opened, and hosts of other machines do not have this lock: it is given back at
		// once, and where the directory is missing no host has run here.
		if err == nil {
			release()
		}
		base, err := elsewhere(ctx, s)
		if err != nil {
			return result, err
		}
		if base != "" {
			return fromHost(ctx, base)
		}
		return fromStore(ctx, s)
	case err != nil:
		return result, err
	}
	defer release()
	// Under the lock; with PostgreSQL all secrets are given anyway.
	if err := s.KeepSecrets(); err != nil {
		return result, err
	}
	return fromStore(ctx, s)
}

// elsewhere is the address at which to ask the hosts that share the PostgreSQL database, "" where
// none runs. It is the public one alone: the token goes to no address that others could write into
// the database. Nothing is written, and tables are not brought up to date under hosts that run. A
// host that has crashed counts as running until its sign of life is a minute old.
func elsewhere(ctx context.Context, s settings.Settings) (base string, err error) {
	// Only opened to look: sqlstore.Open would bring tables up to date.
	db, err := sqldb.Open(ctx, datadir.DatabaseURL(s))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	now, err := db.Time(ctx)
	if err != nil {
		return "", err
	}
	hosts, err := sqlstore.HostsIn(ctx, db)
	if err != nil {
		return "", err
	}
	var machines []string
	for _, h := range hosts {
		if datadir.Runs(h, now) {
			machines = append(machines, h.Machine)
		}
	}
	if len(machines) > 0 && s.PublicURL == "" {
		return "", fmt.Errorf("switchboard runs on %s: ask there, or set SWITCHBOARD_PUBLIC_URL to the address of all hosts (one that has crashed counts for a minute)",
			strings.Join(slices.Compact(machines), ", "))
	}
	if len(machines) == 0 {
		return "", nil
	}
	return s.PublicURL, nil
}

// askStore runs the action in this process: the same parts as serve, without its server and its
// workers. Nothing else writes to the store meanwhile, as the lock is held.
func askStore(ctx context.Context, s settings.Settings, id, action string, values map[string]string) (result integration.ActionResult, err error) {
	s, instead, err := serve.InForce(ctx, s)
	if err != nil {
		return result, err
	}
	err = serve.WithEngine(ctx, s, instead, func(eng *engine.Engine) error {
		result, err = eng.RunAction(ctx, id, action, values)
		return err
	})
	return result, err
}

// askHost makes the running host run the action.
func askHost(ctx context.Context, s settings.Settings, base, id, action string, values map[string]string) (integration.ActionResult, error) {
	var answer struct {
		OK    bool                     `json:"ok"`
		Lines []integration.ActionLine `json:"lines"`
	}
	path := "/integrations/" + url.PathEscape(id) + "/actions/" + url.PathEscape(action)
	err := askAPI(ctx, s, base, http.MethodPost, path, map[string]any{"values": values}, &answer)
	return integration.ActionResult{OK: answer.OK, Lines: answer.Lines}, err
}
