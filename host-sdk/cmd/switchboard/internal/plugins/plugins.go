package plugins

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/integrations"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/installer"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Plugins are the launched ones, by id. One whose version is exchanged keeps its place. It is what
// the engine and the API see as engine.Plugins.
type Plugins struct {
	folder installer.Folder
	store  store.Store
	log    *slog.Logger

	changing sync.Mutex // one Switch or Remove at a time

	mu   sync.RWMutex
	byID map[string]*launcher.Plugin
}

// ErrNoPlugin says that the plugin folder holds none: a host without one could answer nobody.
var ErrNoPlugin = errors.New("no plugin is installed")

// Launch starts every plugin of the folder, or none. An error ends those that were started already.
func Launch(ctx context.Context, dir string, kept store.Store, log *slog.Logger) (*Plugins, error) {
	if err := (installer.Folder{Path: dir}).Recover(); err != nil {
		return nil, err
	}
	installed, wrong := manifest.List(dir)
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	if len(installed) == 0 {
		return nil, fmt.Errorf("plugin directory %s: %w: run switchboard plugin install, or choose another --plugin-dir", dir, ErrNoPlugin)
	}
	p := &Plugins{folder: installer.Folder{Path: dir}, store: kept, log: log, byID: map[string]*launcher.Plugin{}}
	for _, one := range installed {
		plugin, err := launcher.Launch(ctx, p.config(one.Dir))
		if err != nil {
			p.Stop()
			return nil, err // names the plugin
		}
		p.byID[one.Manifest.ID] = plugin
	}
	return p, nil
}

// config is how a plugin is launched. OnChange is called from the launcher's goroutines and only
// writes a line.
func (p *Plugins) config(dir string) launcher.Config {
	return launcher.Config{Dir: dir, Logger: p.log, LookupEnv: LookupEnv, OnChange: func(st launcher.Status) {
		p.log.Info("plugin", "plugin", st.Plugin, "version", st.Version, "state", string(st.State), "pid", st.PID, "restarts", st.Restarts, "last_error", st.LastError)
	}}
}

// launched finds the plugin of an id. It takes the lock for a moment only: calls look up their
// plugin with each request.
func (p *Plugins) launched(id string) (*launcher.Plugin, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	plugin, ok := p.byID[id]
	return plugin, ok
}

// all is a copy of the plugins. So nobody holds the lock while a plugin is asked.
func (p *Plugins) all() map[string]*launcher.Plugin {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return maps.Clone(p.byID)
}

// Plugin implements engine.Plugins.
func (p *Plugins) Plugin(id string) (integration.Integration, bool) {
	plugin, ok := p.launched(id)
	if !ok {
		return nil, false
	}
	return plugin, true
}

// PluginIDs implements engine.Plugins.
func (p *Plugins) PluginIDs() []string { return slices.Sorted(maps.Keys(p.all())) }

// Statuses returns where each plugin stands, by id. They are sorted by id.
func (p *Plugins) Statuses() []launcher.Status {
	all := p.all()
	var out []launcher.Status
	for _, id := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[id].Status())
	}
	return out
}

// Switch takes a staged version of a plugin into use: it is started beside the one that runs, and
// gets the calls once it has answered and can read what the other has written; the other one ends
// when its calls have. If anything fails, all stays as it was. A plugin that did not run before is
// started. It takes as long as the new one needs to start; calls go on meanwhile.
func (p *Plugins) Switch(ctx context.Context, id, version string) (integrations.SwitchedPlugin, error) {
	p.changing.Lock()
	defer p.changing.Unlock()
	next, err := p.folder.Version(id, version)
	if err != nil {
		return integrations.SwitchedPlugin{}, integration.Errorf(integration.KindInvalid, "%s", err)
	}
	switched := integrations.SwitchedPlugin{ID: id, Version: next.Manifest.Version, Running: true}
	running, ok := p.launched(id)
	if !ok {
		return switched, p.add(ctx, next)
	}
	switched.Before = running.Status().Version
	// The link is changed once the new one can be used and before it is: a host that is restarted
	// in between starts the new one.
	err = running.ReplaceIf(ctx, next.Dir, func(d integration.Description) error {
		if err := CanRead(ctx, p.store, d); err != nil {
			return err
		}
		return p.folder.Switch(next)
	})
	return switched, refusedPlugin(err)
}

// add starts a plugin that did not run before. p.changing is held. What does not become part of it
// is killed: nothing has asked it for anything.
func (p *Plugins) add(ctx context.Context, next manifest.Installed) error {
	plugin, err := launcher.Launch(ctx, p.config(next.Dir))
	if err != nil {
		return refusedPlugin(err)
	}
	d, err := plugin.Describe(ctx, integration.DescribeRequest{})
	if err == nil {
		err = CanRead(ctx, p.store, d)
	}
	if err == nil {
		err = p.folder.Switch(next)
	}
	if err != nil {
		plugin.Kill()
		return refusedPlugin(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byID[next.Manifest.ID] = plugin
	return nil
}

// Remove ends a plugin that nothing needs, and takes it out of the folder. The last one stays: a
// host without plugins does not start. The folder comes first: a restart in between must not start
// it again.
func (p *Plugins) Remove(ctx context.Context, id string) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	plugin, ok := p.launched(id)
	if !ok {
		return integration.Errorf(integration.KindNotFound, "plugin %q is not installed: switchboard plugin list shows those that are", id)
	}
	if len(p.PluginIDs()) == 1 {
		return integration.Errorf(integration.KindConflict, "%s is the only plugin, and switchboard does not run without one: install another first, or stop switchboard", id)
	}
	if err := Needed(ctx, p.store, id); err != nil {
		return err
	}
	if err := p.folder.Remove(id); err != nil {
		return refusedPlugin(err)
	}
	p.mu.Lock()
	delete(p.byID, id)
	p.mu.Unlock()
	plugin.Stop(ctx)
	return nil
}

// refusedPlugin is an error whose text a person needs: what is wrong with a plugin is no secret.
// What the contract knows keeps its kind, except that the plugin is gone, which here is why it was
// refused.
func refusedPlugin(err error) error {
	var known *integration.Error
	if err == nil || errors.As(err, &known) && known.Code != integration.ErrPluginGone.Code {
		return err
	}
	return integration.Errorf(integration.KindConflict, "%s", wording.OneLine(err.Error()))
}

// describeWithin is how long a plugin has for saying what it is.
const describeWithin = 2 * time.Second

// Formats asks each plugin which formats it reads and writes. One that does not answer is left out.
// The engine asks it to find the formats that all hosts read.
func (p *Plugins) Formats(ctx context.Context) map[string]integration.Formats {
	out := map[string]integration.Formats{}
	for id, plugin := range p.all() {
		ctx, cancel := context.WithTimeout(ctx, describeWithin)
		if desc, err := plugin.Describe(ctx, integration.DescribeRequest{}); err == nil {
			out[id] = desc.Formats
		}
		cancel()
	}
	return out
}

// drainTime is how long plugins have for finishing what they do when the host stops.
const drainTime = 15 * time.Second

// Stop drains and ends them all at the same time, within drainTime. Those that have not ended by
// then are killed.
func (p *Plugins) Stop() {
	p.changing.Lock() // a plugin that is being added is among them
	defer p.changing.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var stopping sync.WaitGroup
	for _, plugin := range p.all() {
		stopping.Go(func() { plugin.Stop(ctx) })
	}
	stopping.Wait()
}

// ownPrefix begins the names of the host's own variables. No plugin gets one, whatever its manifest
// asks for: they hold the token, the keys and the password of the mail server.
const ownPrefix = "SWITCHBOARD_"

// LookupEnv finds the variables that plugins may have. Names are compared without regard to case,
// as Windows does. false: the plugin does not get it.
func LookupEnv(name string) (string, bool) {
	if strings.HasPrefix(strings.ToUpper(name), ownPrefix) {
		return "", false
	}
	return os.LookupEnv(name)
}

// VersionName is the name by which a running host finds a version. It is the folder's name, which
// Stage makes of version and hash.
func VersionName(p manifest.Installed) string { return filepath.Base(p.Dir) }
