package serve

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// parts is what the engine stands on. close ends all of it, in reverse order.
type parts struct {
	id       string // of this host among those that share the database, until it ends
	db       *sqldb.DB
	store    store.Store
	hosts    store.Hosts
	people   store.People
	links    *people.PageLinks
	pages    store.Store // the same, read through connections of its own
	file     *switchboardfile.Source
	notices  *sqldb.Notices // set before anything runs; nil: this host is alone
	presence *presence      // set before anything runs; nil: nothing is known of other hosts
	shared   *sharedFile    // nil: the file is this host's alone
	platform platform.Platform
	plugins  *plugins
	mail     *MailWatch // nil: there is no mail server
	reloads  *prometheus.CounterVec
	sends    *prometheus.CounterVec
	ways     *ways.Ways // of the people of the switchboard file
	guarded  *webhook.GuardedMedia
	log      *slog.Logger
	close    func()
}

// openParts opens the database, the platform and the plugins, in this order. What fails undoes what
// went before. instead is used in place of what is read from the switchboard file, unless it is nil.
func openParts(ctx context.Context, s settings.Settings, instead *LastGood, public string, log *slog.Logger) (_ *parts, err error) {
	var opened undo
	defer func() {
		if err != nil {
			opened.run()
		}
	}()
	key, err := seal.ParseKey(s.SecretKey.Reveal())
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	db, err := sqldb.Open(ctx, databaseURL(s))
	if err != nil {
		return nil, err
	}
	opened.add(func() {
		if err := db.Close(); err != nil {
			log.Error("closing the database failed", "error", err.Error())
		}
	})
	if s.TestExit.Wanted() {
		db.AtCommit(s.TestExit.Before, s.TestExit.Made)
	}
	if shared, ok := s.Clock.(*clock.Shared); ok {
		if err := shared.Measure(ctx, db.Time); err != nil {
			return nil, err
		}
	}
	// The store first: a wrong secret key is found before anything is started.
	kept, err := sqlstore.New(ctx, db, key, s.Clock)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	// Kept in the store, so that an address handed out before a restart can be fetched after it.
	guardedKey, err := kept.InitSetting(ctx, "guarded_media_key", seal.NewKey())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	pageKey, err := kept.InitSetting(ctx, "page_link_key", seal.NewKey())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	sender, err := settings.NewMailer(s.SMTPURL, public, s.Clock, func(m store.Medium) string { return public + api.Prefix + "/media/" + m.Ref })
	if err != nil {
		return nil, fmt.Errorf("smtp_url: %w", err)
	}
	var watch *MailWatch
	if sender != nil { // an interface that holds a nil pointer would not be nil
		watch = newMailWatch(sender, s.Clock)
	}
	alertURL := func(id string) string { return public + "/alerts/" + id }
	keeper := &fileKeeper{store: kept, clock: s.Clock, log: log, shared: s.Postgres(), reloads: newReloads()}
	source := switchboardfile.SourceConfig{Path: s.ConfigPath, Clock: s.Clock, Logger: log, OnLoad: keeper.loaded}
	if instead != nil && instead.Refused != nil {
		log.Error("the switchboard file has errors: the last good copy of it is used", "file", s.ConfigPath,
			"kept_at", instead.KeptAt, "problems", switchboardfile.Text(instead.Refused))
	}
	if instead != nil {
		source.Instead = &switchboardfile.Instead{File: instead.File, Refused: instead.Refused, OnDisk: instead.OnDisk}
	}
	var shared *sharedFile
	if s.Postgres() {
		shared = newSharedFile(kept, s.ConfigPath, s.Clock, log)
		source.Publish = shared.publish
	}
	file, err := switchboardfile.Open(ctx, source)
	if err != nil {
		return nil, err
	}
	if shared != nil {
		shared.source = file
	}
	p := &parts{
		id: rand.Text(), sends: newNoticeCounter(),
		db: db, store: kept, hosts: kept, people: kept, pages: kept.ForPages(), file: file, shared: shared, mail: watch, reloads: keeper.reloads, log: log,
		links:   &people.PageLinks{Key: []byte(pageKey), PublicURL: public, Clock: s.Clock},
		guarded: &webhook.GuardedMedia{Media: kept, PublicURL: public, Key: []byte(guardedKey), Clock: s.Clock},
	}
	pages := pager{sender: &notify.Sender{}, sends: p.sends, personLink: p.links.URL, alertLink: alertURL, public: public, file: file.File}
	p.ways = ways.New(ways.Config{File: file.File, Mailer: watch.mailer(mailOfPage), Send: pages.sendText, Clock: s.Clock})
	embed := embedded.Config{AlertURL: alertURL, Host: p.id, Notify: pages.mail(watch.mailer(mailOfPage)), Send: pages.send, TellShift: tellShift(p.ways, public, file.File)}
	if p.platform, err = openPlatform(ctx, s, p, db, embed, log); err != nil {
		return nil, err
	}
	// Last, as it starts processes.
	if p.plugins, err = launchPlugins(ctx, s.PluginDir, log); err != nil {
		return nil, err
	}
	opened.add(p.plugins.stop)
	if _, own := p.platform.(*embedded.Platform); own {
		kept.AlsoFree(alerts.FreeNotices)
	}
	p.close = opened.run
	return p, nil
}

// engineConfig is the part of the engine's configuration that every use of the parts has in common.
func (p *parts) engineConfig(s settings.Settings, public string) engine.Config {
	return engine.Config{
		Store: p.store, Platform: p.platform, Plugins: p.plugins, Mailer: p.mail.mailer(mailOfCall), Clock: s.Clock,
		EndpointURL: func(id string) string { return webhook.EndpointURL(public, id) },
		MediaURL:    func(m store.Medium) string { return httpkit.PublicMediaURL(public, m) },
		MediaSlices: func(m store.Medium) []string { return httpkit.PublicSliceURLs(public, m) }, GuardedMediaURL: p.guarded.URL,
		LiveCalls: s.LiveCalls, KeepCalls: time.Duration(s.KeepCalls) * 24 * time.Hour, KeepRecordings: time.Duration(s.KeepRecordings) * 24 * time.Hour,
		RollBack: time.Duration(s.RollBack) * time.Minute,
	}
}

// plugins are the launched ones, by id. The map is not changed after the start: a process that is
// replaced keeps its place.
type plugins struct {
	byID map[string]*launcher.Plugin
}

// ErrNoPlugin says that the plugin folder holds none: a host without one could answer nobody.
var ErrNoPlugin = errors.New("no plugin is installed")

// launchPlugins starts every plugin of the folder, or none.
func launchPlugins(ctx context.Context, dir string, log *slog.Logger) (*plugins, error) {
	installed, wrong := manifest.List(dir)
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	if len(installed) == 0 {
		return nil, fmt.Errorf("plugin directory %s: %w: put one there as <id>/manifest.json or choose another --plugin-dir", dir, ErrNoPlugin)
	}
	p := &plugins{byID: map[string]*launcher.Plugin{}}
	for _, one := range installed {
		plugin, err := launcher.Launch(ctx, launcher.Config{Dir: one.Dir, Logger: log, LookupEnv: forPlugins, OnChange: func(st launcher.Status) {
			log.Info("plugin", "plugin", st.Plugin, "version", st.Version, "state", string(st.State), "pid", st.PID, "restarts", st.Restarts, "last_error", st.LastError)
		}})
		if err != nil {
			p.stop()
			return nil, err // names the plugin
		}
		p.byID[one.Manifest.ID] = plugin
	}
	return p, nil
}

// Plugin implements engine.Plugins.
func (p *plugins) Plugin(id string) (integration.Integration, bool) {
	plugin, ok := p.byID[id]
	if !ok {
		return nil, false
	}
	return plugin, true
}

// PluginIDs implements engine.Plugins.
func (p *plugins) PluginIDs() []string {
	ids := make([]string, 0, len(p.byID))
	for id := range p.byID {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Statuses returns where each plugin stands, by id.
func (p *plugins) Statuses() []launcher.Status {
	var out []launcher.Status
	for _, id := range p.PluginIDs() {
		out = append(out, p.byID[id].Status())
	}
	return out
}

// describeWithin is how long a plugin has for saying what it is.
const describeWithin = 2 * time.Second

// formats asks each plugin which formats it reads and writes. One that does not answer is left out.
func (p *plugins) formats(ctx context.Context) map[string]integration.Formats {
	out := map[string]integration.Formats{}
	for id, plugin := range p.byID {
		ctx, cancel := context.WithTimeout(ctx, describeWithin)
		if desc, err := plugin.Describe(ctx, integration.DescribeRequest{}); err == nil {
			out[id] = desc.Formats
		}
		cancel()
	}
	return out
}

// stop drains and ends them all at the same time, within drainTime.
func (p *plugins) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var all sync.WaitGroup
	for _, plugin := range p.byID {
		all.Go(func() { plugin.Stop(ctx) })
	}
	all.Wait()
}

// ownPrefix begins the names of the host's own variables. No plugin gets one, whatever its manifest
// asks for: they hold the token, the keys and the password of the mail server.
const ownPrefix = "SWITCHBOARD_"

// forPlugins finds the variables that plugins may have. Names are compared without regard to case,
// as Windows does.
func forPlugins(name string) (string, bool) {
	if strings.HasPrefix(strings.ToUpper(name), ownPrefix) {
		return "", false
	}
	return os.LookupEnv(name)
}

// ownWays are the ways of the people of the switchboard file; nil: another platform has the people.
func (p *parts) ownWays() *ways.Ways {
	if _, own := p.platform.(*embedded.Platform); own {
		return p.ways
	}
	return nil
}
