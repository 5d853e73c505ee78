package serve

import (
	"context"
	"log/slog"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inforce"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/vitals"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// InForce is what a host of the settings would go by now: where hosts share the database, the
// switchboard file in force and the settings with its platform; else the settings, and nil for the
// file on the disk. Nothing is changed.
func InForce(ctx context.Context, s settings.Settings) (settings.Settings, *inforce.LastGood, error) {
	if !s.Postgres() {
		return s, nil, nil
	}
	return inforce.Start(ctx, s, nil, false, slog.New(slog.DiscardHandler))
}

// WithEngine runs use with an engine on the same parts as those of a host, without its server and
// its workers. instead is used in place of the switchboard file, unless it is nil. The log is
// discarded, since the person at the terminal is to see the result alone. The caller has the data
// directory locked, or hosts know nothing of this one.
func WithEngine(ctx context.Context, s settings.Settings, instead *inforce.LastGood, use func(*engine.Engine) error) error {
	// It stands in links and must not be empty; nobody listens there.
	public := s.PublicURL
	if public == "" {
		public = "http://" + s.Listen
	}
	parts, err := openParts(ctx, s, instead, public, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer parts.close()
	eng, err := engine.New(parts.engineConfig(s, public))
	if err != nil {
		return err
	}
	return use(eng)
}

// WithShifts runs use with the shifts of the embedded platform. Another platform is an error. Other
// hosts see a change within seconds: it is in the database.
func WithShifts(ctx context.Context, s settings.Settings, use func(*shifts.Service) error) error {
	parts, err := openParts(ctx, s, nil, s.PublicURL, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer parts.close()
	p, ok := parts.platform.(interface{ Shifts() *shifts.Service })
	if !ok {
		return integration.Errorf(integration.KindUnsupported, "the platform keeps schedules itself: change shifts there")
	}
	return use(p.Shifts())
}

// PutFile puts a switchboard file into force in the database that hosts share, and returns its
// hash. Running hosts take it over. It is checked before; an error lists what is wrong with it.
func PutFile(ctx context.Context, s settings.Settings, file *switchboardfile.File) (hash string, err error) {
	err = datadir.WithStore(ctx, s, func(kept store.Store) error {
		k := inforce.NewShared(kept, s.ConfigPath, s.Clock, slog.New(slog.DiscardHandler))
		hash, err = k.Push(ctx, file.Source())
		return err
	})
	return hash, err
}

// NotRunning is the status of what was read from the store because no host runs.
const NotRunning = "not_running"

// StoredStatus is the status of an installation whose hosts have all stopped. Nothing that only a
// running host knows is in it.
func StoredStatus(ctx context.Context, s settings.Settings) (out api.Status, err error) {
	out = api.Status{Status: NotRunning, Version: s.Version, Hosts: []store.Host{}, Plugins: []api.StatusPlugin{}, Checks: map[string]api.StatusCheck{}}
	err = datadir.WithDatabase(ctx, s, func(name string, kept store.Store) error {
		out.Database, out.File.Path = vitals.DatabaseOf(s, name), s.ConfigPath
		vitals.Stored(ctx, kept, &out)
		own, problems := switchboardfile.Load(s.ConfigPath)
		out.File.Refused = switchboardfile.Text(problems)
		if own != nil {
			out.File.Refused, out.File.OnDisk = "", own.SharedHash() == out.File.Hash
		}
		return nil
	})
	return out, err
}
