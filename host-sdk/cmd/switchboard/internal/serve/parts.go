package serve

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inforce"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/hosts"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/tell"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/vitals"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/plugins"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/sharing"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// parts is what the engine stands on. close ends all of it, in reverse order. Fields without a note
// are set once it is open.
type parts struct {
	id       string // of this host among those that share the database, until it ends
	db       *sqldb.DB
	store    store.Store
	hosts    store.Hosts
	people   store.People
	keys     *sqlstore.Store // with which keys it reads and seals
	prove    func(nonce string) string
	links    *people.PageLinks
	pages    store.Store // the same, read through connections of its own
	file     *switchboardfile.Source
	notices  *sharing.Notices // set before anything runs; nil: this host is alone
	time     hosts.Timekeeper
	presence *hosts.Presence // set before anything runs; nil: nothing is known of other hosts
	shared   *inforce.Shared // nil: the file is this host's alone
	platform platform.Platform
	plugins  *plugins.Plugins
	mail     *tell.MailWatch // nil: there is no mail server
	reloads  *prometheus.CounterVec
	sends    *prometheus.CounterVec
	ways     *ways.Ways // of the people of the switchboard file
	guarded  *webhook.GuardedMedia
	log      *slog.Logger
	close    func()
}

// openParts opens the database, the platform and the plugins, in this order. What fails undoes what
// went before. instead is used in place of what is read from the switchboard file, unless it is
// nil. Run and the commands that work without a host use it alike.
func openParts(ctx context.Context, s settings.Settings, instead *inforce.LastGood, public string, log *slog.Logger) (_ *parts, err error) {
	var opened undo
	defer func() {
		if err != nil {
			opened.run()
		}
	}()
	key, also, err := s.Keys()
	if err != nil {
		return nil, err
	}
	db, err := sqldb.Open(ctx, datadir.DatabaseURL(s), sqldb.Direct(s.DatabaseDirectURL.Reveal()))
	if err != nil {
		return nil, err
	}
	opened.add(func() {
		if err := db.Close(); err != nil {
			log.Error("closing the database failed", "error", err.Error())
		}
	})
	// Before the store is opened: its migrations are commits too, at which a test may end the
	// process.
	if s.TestExit.Wanted() {
		db.AtCommit(s.TestExit.Before, s.TestExit.Made)
	}
	// The store first: a wrong secret key is found before anything is started.
	kept, err := sqlstore.New(ctx, db, key, s.Clock, also...)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	warnOfNextKey(ctx, kept, s, log)
	timing := hosts.NewTimekeeper(s, kept, db, log)
	// Before anything reads the clock: what waits in the store waits by it.
	if err := timing.Resume(ctx); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	// Kept in the store, so that an address handed out before a restart can be fetched after it.
	guardedKey, err := kept.InitSetting(ctx, "guarded_media_key", seal.NewKey())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	// Kept as well, so that all hosts prove the same; see prover.
	proofKey, err := kept.InitSetting(ctx, "health_proof_key", seal.NewKey())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	// Links in pages must work on every host, and after a restart.
	pageKey, err := kept.InitSetting(ctx, "page_link_key", seal.NewKey())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	sender, err := settings.NewMailer(s.SMTPURL, public, s.Clock, func(m store.Medium) string { return public + apikit.Prefix + "/media/" + m.Ref })
	if err != nil {
		return nil, fmt.Errorf("smtp_url: %w", err)
	}
	var watch *tell.MailWatch
	if sender != nil { // an interface that holds a nil pointer would not be nil
		watch = tell.NewMailWatch(sender, s.Clock)
	}
	alertURL := func(id string) string { return public + "/alerts/" + id }
	// It is called with each file that is read, the first one included.
	keeper := &inforce.Keeper{Store: kept, Clock: s.Clock, Logger: log, Shared: s.Postgres(), Reloads: vitals.NewReloads()}
	source := switchboardfile.SourceConfig{Path: s.ConfigPath, Clock: s.Clock, Logger: log, OnLoad: keeper.Loaded}
	if instead != nil && instead.Refused != nil {
		log.Error("the switchboard file has errors: the last good copy of it is used", "file", s.ConfigPath,
			"kept_at", instead.KeptAt, "problems", switchboardfile.Text(instead.Refused))
	}
	if instead != nil {
		source.Instead = &switchboardfile.Instead{File: instead.File, Refused: instead.Refused, OnDisk: instead.OnDisk}
	}
	// On SQLite there is nobody to share a file with.
	var shared *inforce.Shared
	if s.Postgres() {
		shared = inforce.NewShared(kept, s.ConfigPath, s.Clock, log)
		source.Publish = shared.Publish
	}
	file, err := switchboardfile.Open(ctx, source)
	if err != nil {
		return nil, err
	}
	if shared != nil {
		shared.Source = file
	}
	// A new id for each start: what a host that died had claimed must not look like this one's.
	p := &parts{
		id: rand.Text(), sends: tell.NewNoticeCounter(), time: timing,
		db: db, store: kept, hosts: kept, people: kept, keys: kept, prove: prover(proofKey), pages: kept.ForPages(), file: file, shared: shared, mail: watch, reloads: keeper.Reloads, log: log,
		links:   &people.PageLinks{Key: []byte(pageKey), PublicURL: public, Clock: s.Clock},
		guarded: &webhook.GuardedMedia{Media: kept, PublicURL: public, Key: []byte(guardedKey), Clock: s.Clock},
	}
	pages := tell.Pager{Sender: &notify.Sender{}, Sends: p.sends, PersonLink: p.links.URL, AlertLink: alertURL}
	p.ways = ways.New(ways.Config{File: file.File, Mailer: watch.Mailer(tell.MailOfPage), Send: pages.SendText, Clock: s.Clock, Reached: p.reached})
	embed := embedded.Config{AlertURL: alertURL, Host: p.id, Notify: pages.Mail(watch.Mailer(tell.MailOfPage)), Send: pages.Send, TellShift: tell.OfShift(p.ways, public, file.File)}
	// It needs nearly all of the above, and asks nobody yet.
	if p.platform, err = openPlatform(ctx, s, p, db, embed, log); err != nil {
		return nil, err
	}
	// Last, as it starts processes.
	if p.plugins, err = plugins.Launch(ctx, s.PluginDir, kept, log); err != nil {
		return nil, err
	}
	opened.add(p.plugins.Stop)
	// The store gives back what a dead host had claimed of its own. Pages are in a table of the
	// embedded platform, and wait as little.
	if _, own := p.platform.(*embedded.Platform); own {
		kept.AlsoFree(alerts.FreeNotices)
	}
	// From here on the caller ends them.
	p.close = opened.run
	return p, nil
}

// engineConfig is the part of the engine's configuration that every use of the parts has in common.
// Run adds what only a host that serves needs.
func (p *parts) engineConfig(s settings.Settings, public string) engine.Config {
	return engine.Config{
		Store: p.store, Platform: p.platform, Plugins: p.plugins, Mailer: p.mail.Mailer(tell.MailOfCall), Clock: s.Clock,
		EndpointURL: func(id string) string { return webhook.EndpointURL(public, id) },
		MediaURL:    func(m store.Medium) string { return httpkit.PublicMediaURL(public, m) },
		MediaSlices: func(m store.Medium) []string { return httpkit.PublicSliceURLs(public, m) }, GuardedMediaURL: p.guarded.URL,
		LiveCalls: s.LiveCalls, KeepCalls: time.Duration(s.KeepCalls) * 24 * time.Hour, KeepRecordings: time.Duration(s.KeepRecordings) * 24 * time.Hour,
		RollBack: time.Duration(s.RollBack) * time.Minute,
	}
}

// reached tells the platform that something reached a person, whom a page may have missed before.
// Platforms without such a method keep no such list.
func (p *parts) reached(ctx context.Context, user string, way ways.Way) {
	if own, ok := p.platform.(interface {
		Reached(ctx context.Context, user, way string)
	}); ok {
		own.Reached(ctx, user, way.ID())
	}
}

// ownWays are the ways of the people of the switchboard file; nil: another platform has the people.
func (p *parts) ownWays() *ways.Ways {
	if _, own := p.platform.(*embedded.Platform); own {
		return p.ways
	}
	return nil
}

// warnOfNextKey says that the settings still name a key beside the one in use. It says at each
// start what is left to do.
func warnOfNextKey(ctx context.Context, kept *sqlstore.Store, s settings.Settings, log *slog.Logger) {
	ring := kept.Keys()
	used, err := kept.KeyInUse(ctx)
	if err != nil || len(ring) < 2 {
		return
	}
	if used.ID() == ring[0].ID() {
		log.Warn("next_secret_key is set: run switchboard rekey to change to it, or remove it", "key_in_use", used.ID(), "next_key", ring[1].ID())
		return
	}
	log.Warn("the database is sealed with next_secret_key: once switchboard rekey has ended, make it secret_key and remove next_secret_key", "key_in_use", used.ID())
}
