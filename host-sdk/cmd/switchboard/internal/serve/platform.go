package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/hosts"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/platform/goalert"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
	"github.com/livecallrouting/livecall/internal/tempdir"
)

// GoAlertPath is where, below the public address, GoAlert may post that an alert has changed.
const GoAlertPath = "/platform/goalert"

// mediumTime is how long a platform may fetch a medium that was attached to its alert.
const mediumTime = 24 * time.Hour

// openPlatform makes the platform that the settings name. embed is what the embedded one is made of
// beside what all have in common. Nothing is asked of a platform yet: one that is down must not
// keep callers from being answered. p has what it needs besides: of parts that are not set yet it
// keeps functions.
func openPlatform(ctx context.Context, s settings.Settings, p *parts, db *sqldb.DB, embed embedded.Config, log *slog.Logger) (platform.Platform, error) {
	// On SQLite this host is alone: nothing has to be shared or told.
	var turns platform.Turns
	var tell func(string)
	if s.Postgres() && p.store != nil {
		turns, tell = p.store, p.tellPlatforms
	}
	switch s.Platform.Kind {
	case switchboardfile.KindRemote:
		c := s.Platform.Remote.Config()
		c.Clock, c.Logger, c.Version, c.Turns, c.Tell, c.Hosts = s.Clock, log, s.Version, turns, tell, p.hostCount
		c.MediaURL = func(ref string) string { return p.guarded.URL(ref, s.Clock.Now().Add(mediumTime)) }
		return remote.New(c)
	case switchboardfile.KindGoAlert:
		c := s.Platform.GoAlert.Config()
		c.DB, c.Clock, c.Logger, c.Turns, c.Tell = db, s.Clock, log, turns, tell
		return goalert.New(ctx, c)
	}
	embed.File, embed.DB, embed.Clock, embed.Logger, embed.Alone, embed.Tell = p.file, db, s.Clock, log, !s.Postgres(), tell
	return embedded.New(ctx, embed)
}

// hostCount is how many hosts share the database. It is asked later, when presence is set.
func (p *parts) hostCount() int { return p.presence.Count() }

// tellPlatforms hands a notice to the adapters of the other hosts. Without other hosts there is
// nobody to tell.
func (p *parts) tellPlatforms(notice string) {
	if p.notices != nil {
		p.notices.Send(hosts.PlatformNotice + notice)
	}
}

// WithPlatform runs use with the platform that the settings name, for questions alone: what a
// platform notes beside them goes to a database of its own, which is then removed. No host need
// run. Platforms elsewhere are asked over the network as a host would.
func WithPlatform(ctx context.Context, s settings.Settings, file *switchboardfile.File, use func(platform.Platform) error) (err error) {
	const prefix = "switchboard-questions-"
	tempdir.Sweep("", prefix) // what killed commands have left
	dir, err := tempdir.New("", prefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Remove()) }()
	db, err := sqldb.Open(ctx, "sqlite:"+filepath.Join(dir.Path, "questions.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	log := slog.New(slog.DiscardHandler)
	source, err := switchboardfile.Open(ctx, switchboardfile.SourceConfig{
		Path: file.Path, Clock: s.Clock, Logger: log, Instead: &switchboardfile.Instead{File: file},
	})
	if err != nil {
		return err
	}
	p, err := openPlatform(ctx, s, &parts{file: source, guarded: &webhook.GuardedMedia{Clock: s.Clock}}, db, embedded.Config{}, log)
	if err != nil {
		return err
	}
	return use(p)
}

// work is what a platform does beside being asked, and what keeps the switchboard file current. The
// names are for the log, when one of them fails.
func (p *parts) work() map[string]func(context.Context) error {
	out := map[string]func(context.Context) error{}
	if runs, ok := p.platform.(interface{ Run(context.Context) error }); ok {
		out["platform"] = runs.Run
	}
	if _, ok := p.platform.(*embedded.Platform); !ok { // which does so itself
		out["switchboard file"] = p.file.Run
	}
	if behind, ok := p.platform.(*remote.Platform); ok {
		out["platform credentials"] = func(ctx context.Context) error { return p.keepCredentials(ctx, behind) }
	}
	return out
}

// credentialsEvery is how often files with the platform's credentials are read, on the wall clock.
const credentialsEvery = 5 * time.Second

// keepCredentials takes over a token or a secret of hints whose file has changed, until ctx ends.
// One that cannot be used leaves the old one in force; the log says so once. The file itself need
// not change: tokens are in files of their own, which other programs renew.
func (p *parts) keepCredentials(ctx context.Context, behind *remote.Platform) error {
	read := func() (settings.Remote, string) {
		now, problems := settings.ReadPlatform(p.file.File())
		return now.Remote, switchboardfile.Text(problems)
	}
	last, said := read()
	tick := time.NewTicker(credentialsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now, problems := read()
		switch {
		case problems != "" && problems != said:
			p.log.Error("the platform's credentials cannot be read again: the old ones stay in force", "problems", problems)
		case problems == "" && (now.Token != last.Token || !slices.Equal(now.HintsSecrets, last.HintsSecrets)):
			c := now.Config()
			// Read has tried them.
			if err := behind.SetCredentials(c.Token, c.HintsSecrets); err != nil {
				p.log.Error("the platform's new credentials are refused", "error", err.Error())
				break
			}
			last = now
			p.log.Info("the platform's new credentials are in force")
		}
		said = problems
	}
}

// mountPlatform serves the addresses at which a platform says that its alerts have changed. They
// have secrets of their own, and no log-in.
func mountPlatform(mux *http.ServeMux, p platform.Platform) {
	if hints, ok := p.(interface{ Hints() http.Handler }); ok {
		mux.Handle(remote.HintsPath, hints.Hints())
	}
	if posts, ok := p.(interface{ Webhook() http.Handler }); ok {
		mux.Handle(GoAlertPath, posts.Webhook())
	}
}
