package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/platform/goalert"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// GoAlertPath is where, below the public address, GoAlert may post that an alert has changed.
const GoAlertPath = "/platform/goalert"

// mediumTime is how long a platform may fetch a medium that was attached to its alert.
const mediumTime = 24 * time.Hour

// openPlatform makes the platform that the settings name. embed is what the embedded one is made of
// beside what all have in common. Nothing is asked of a platform yet: one that is down must not keep
// callers from being answered.
func openPlatform(ctx context.Context, s settings.Settings, p *parts, db *sqldb.DB, embed embedded.Config, log *slog.Logger) (platform.Platform, error) {
	switch s.Platform.Kind {
	case switchboardfile.KindRemote:
		c := s.Platform.Remote.Config()
		c.Clock, c.Logger, c.Version = s.Clock, log, s.Version
		c.MediaURL = func(ref string) string { return p.guarded.URL(ref, s.Clock.Now().Add(mediumTime)) }
		return remote.New(c)
	case switchboardfile.KindGoAlert:
		c := s.Platform.GoAlert.Config()
		c.DB, c.Clock, c.Logger = db, s.Clock, log
		return goalert.New(ctx, c)
	}
	embed.File, embed.DB, embed.Clock, embed.Logger = p.file, db, s.Clock, log
	return embedded.New(ctx, embed)
}

// WithPlatform runs use with the platform that the settings name, for questions alone: what a platform
// notes beside them goes to a database of its own, which is then removed. No host need run.
func WithPlatform(ctx context.Context, s settings.Settings, file *switchboardfile.File, use func(platform.Platform) error) (err error) {
	dir, err := os.MkdirTemp("", "switchboard-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := sqldb.Open(ctx, "sqlite:"+filepath.Join(dir, "questions.db"))
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

// work is what a platform does beside being asked, and what keeps the switchboard file current.
func (p *parts) work() map[string]func(context.Context) error {
	out := map[string]func(context.Context) error{}
	if runs, ok := p.platform.(interface{ Run(context.Context) error }); ok {
		out["platform"] = runs.Run
	}
	if _, ok := p.platform.(*embedded.Platform); !ok { // which does so itself
		out["switchboard file"] = p.file.Run
	}
	return out
}

// mountPlatform serves the addresses at which a platform says that its alerts have changed.
func mountPlatform(mux *http.ServeMux, p platform.Platform) {
	if hints, ok := p.(interface{ Hints() http.Handler }); ok {
		mux.Handle(remote.HintsPath, hints.Hints())
	}
	if posts, ok := p.(interface{ Webhook() http.Handler }); ok {
		mux.Handle(GoAlertPath, posts.Webhook())
	}
}
