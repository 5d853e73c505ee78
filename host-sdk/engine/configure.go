package engine

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Draft is an integration as a person wants it.
type Draft struct {
	Plugin       string         // id; "" keeps the plugin of an integration that exists
	Name         string         // shown to people; at most 200 bytes
	Enabled      bool           // false: handlers see HostDisabled
	Maintenance  bool           // true: handlers of an enabled one see HostMaintenance
	Urgency      string         // one of Urgencies
	Destinations []platform.Ref // where calls may go, in the order of the menu
	// Options is a JSON object. A secret key that is absent, or whose value is {"set": true}, keeps
	// its stored value; null deletes it.
	Options []byte
	Online  bool // let the plugin ask the foreign service
	// NewID is the id of a new integration; one that exists is a conflict. "": it gets one.
	NewID string
}

// ProblemsError refuses a draft, field by field. Paths are those of the draft ("name",
// "destinations/0") or of the plugin's options.
type ProblemsError struct {
	Problems []integration.Problem
}

// Error implements error.
func (e *ProblemsError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Path + ": " + p.Message
	}
	return strings.Join(lines, "; ")
}

// Urgencies are the values Draft.Urgency may have; "" is the platform's default. What they mean is
// the platform's business.
var Urgencies = []string{"", "low", "medium", "high", "critical"}

// Configure validates a draft and saves it: id "" makes a new integration, otherwise revision must
// be the one the person saw (0: any). A refused draft is a *ProblemsError and changes nothing.
// Warnings come back beside the saved integration.
func (e *Engine) Configure(ctx context.Context, id string, revision int64, d Draft) (store.Integration, []integration.Problem, error) {
	var old store.Integration
	if id != "" {
		var err error
		if old, err = e.store.Integration(ctx, id); err != nil {
			return old, nil, err
		}
		// Told before the plugin is asked, which may take seconds. The store decides in the end.
		if revision != 0 && revision != old.Revision {
			return old, nil, integration.Errorf(integration.KindConflict, "somebody else saved this integration meanwhile: reload it and repeat your change")
		}
		if d.Plugin == "" {
			d.Plugin = old.Plugin
		}
	}
	in, warnings, err := e.checked(ctx, id, d, old)
	if err != nil {
		return old, warnings, err
	}
	if in.Revision, err = e.store.SaveIntegration(ctx, in); err != nil {
		return old, nil, err
	}
	e.known.IntegrationChanged(in.ID) // the next call sees it, not the one in a second
	saved, err := e.store.Integration(ctx, in.ID)
	switch {
	case err != nil:
	// A failure here is reported, although the integration is saved: the next start adds what is
	// missing.
	case id == "":
		err = e.startPeriodic(ctx, saved)
	case saved.Enabled != old.Enabled || saved.Maintenance != old.Maintenance:
		e.changed(ctx, id)
	}
	return saved, warnings, err
}

// checked turns a draft into the integration to save, with the options as the plugin wrote them.
// The host's own problems and the plugin's come together, so that a form shows all of them at once.
func (e *Engine) checked(ctx context.Context, id string, d Draft, old store.Integration) (store.Integration, []integration.Problem, error) {
	problems, destinations, err := e.checkDraft(ctx, id, d, old)
	if err != nil {
		return old, nil, err
	}
	plugin, ok := e.plugins.Plugin(d.Plugin)
	// The host's problems have been found above; without the plugin there is nobody to find more.
	if !ok {
		return old, nil, &ProblemsError{Problems: problems}
	}
	schema, err := plugin.OptionsSchema(ctx, integration.OptionsSchemaRequest{})
	if err != nil {
		return old, nil, err
	}
	// The form never carries secrets back: what it leaves out is taken from the stored options.
	secrets, err := form.SecretFields(schema.Schema)
	if err != nil {
		return old, nil, err
	}
	options, err := form.MergeSecrets(d.Options, old.Options, secrets)
	if err != nil {
		return old, nil, &ProblemsError{Problems: append(problems, integration.Problem{Path: "options", Code: "type", Message: err.Error()})}
	}
	// The plugin validates the integration as it will be: state, endpoint and destinations
	// included.
	in := d.applied(id, old)
	in.Options, in.OptionsFormat, in.SecretFields = options, schema.Format, secrets
	instance, err := e.known.Instance(ctx, in, in.Options, in.OptionsFormat, in.Revision)
	if err != nil {
		return old, nil, err
	}
	verdict, err := plugin.ValidateOptions(ctx, integration.ValidateOptionsRequest{
		Options: options, Format: 0, Instance: instance, Destinations: destinations, Online: d.Online, Now: e.clock.Now(),
	})
	if err != nil {
		return old, nil, err
	}
	if problems = withPlugins(problems, verdict.Problems); len(problems) > 0 {
		return old, verdict.Warnings, &ProblemsError{Problems: problems}
	}
	in.Options, in.OptionsFormat, in.Fallback = verdict.Options, verdict.Format, verdict.Fallback
	return in, verdict.Warnings, nil
}

// withPlugins returns the host's problems and those of the plugin that the host has not found too,
// at the field or at one of its entries: a form would show both at one field.
func withPlugins(hosts, plugins []integration.Problem) []integration.Problem {
	all := slices.Clone(hosts)
	for _, p := range plugins {
		if !slices.ContainsFunc(hosts, func(h integration.Problem) bool {
			return h.Path == p.Path && h.Code == p.Code || strings.HasPrefix(h.Path, p.Path+"/")
		}) {
			all = append(all, p)
		}
	}
	return all
}

// applied returns old with the draft's settings, or a new integration if id is "". A new one gets
// the key that tokens in its addresses are made with; it stays the same for as long as the
// integration lives, as running calls hold such addresses.
func (d Draft) applied(id string, old store.Integration) store.Integration {
	in := old
	in.ID, in.Plugin, in.Name, in.Enabled, in.Maintenance = id, d.Plugin, oneline.Clean(d.Name, oneline.MaxName), d.Enabled, d.Maintenance
	in.Urgency, in.Destinations = d.Urgency, d.Destinations
	if id == "" {
		if in.ID = d.NewID; in.ID == "" {
			in.ID = "int_" + strings.ToLower(ulid.Make().String())
		}
		in.TokenKey = make([]byte, 32)
		_, _ = rand.Read(in.TokenKey) // never fails, see crypto/rand
	}
	return in
}

// Remove deletes an integration: new callers hear that the number is not in service. It is kept,
// out of sight, for the calls it has (see store.Integrations); their handlers see HostDeleted.
func (e *Engine) Remove(ctx context.Context, id string) error {
	if err := e.store.DeleteIntegration(ctx, id); err != nil {
		return err
	}
	e.known.IntegrationChanged(id)
	e.changed(ctx, id)
	return nil
}

// checkDraft checks what is the host's own: name, urgency, plugin, destinations.
func (e *Engine) checkDraft(ctx context.Context, id string, d Draft, old store.Integration) ([]integration.Problem, []integration.Destination, error) {
	var problems []integration.Problem
	refuse := func(path, code, format string, args ...any) {
		problems = append(problems, integration.Problem{Path: path, Code: code, Message: fmt.Sprintf(format, args...)})
	}
	if oneline.Clean(d.Name, 0) == "" {
		refuse("name", "required", "Name is missing: give the integration a name, such as Hotline")
	} else if len(d.Name) > 200 {
		refuse("name", "range", "Name is longer than 200 bytes: shorten it")
	}
	if !slices.Contains(Urgencies, d.Urgency) {
		refuse("urgency", "unknown", "Urgency %q is unknown: use low, medium, high or critical, or leave it out", d.Urgency)
	}
	switch _, ok := e.plugins.Plugin(d.Plugin); {
	case d.Plugin == "":
		refuse("plugin", "required", "Plugin is missing: installed are %s", strings.Join(e.plugins.PluginIDs(), ", "))
	case !ok:
		refuse("plugin", "unknown", "Plugin %q is not installed: installed are %s", d.Plugin, strings.Join(e.plugins.PluginIDs(), ", "))
	case id != "" && d.Plugin != old.Plugin:
		refuse("plugin", "conflict", "Plugin cannot be changed: this integration belongs to %s; make a new integration", old.Plugin)
	}
	// Whether they are an object, and the right one, the form and the plugin say.
	if len(d.Options) > 0 && !json.Valid(d.Options) {
		refuse("options", "type", "Options is no JSON object")
	}
	if len(d.Destinations) == 0 {
		refuse("destinations", "required", "Destinations is empty: name at least one team or one router, or callers reach nobody")
	}
	for i, ref := range d.Destinations {
		if ref.Kind != integration.DestinationTeam && ref.Kind != integration.DestinationRouter {
			refuse(fmt.Sprintf("destinations/%d", i), "unknown", "Destination kind %q is unknown: use team or router", ref.Kind)
		}
	}
	if _, ok := e.plugins.Plugin(d.Plugin); !ok || len(d.Options) > 0 && !json.Valid(d.Options) {
		// The plugin cannot be asked about the rest.
		return problems, nil, &ProblemsError{Problems: problems}
	}
	destinations, err := e.platform.Destinations(ctx, e.known.Scope(id), d.Destinations)
	if err != nil {
		return nil, nil, err
	}
	for i, dest := range destinations {
		if dest.Missing && (dest.Kind == integration.DestinationTeam || dest.Kind == integration.DestinationRouter) {
			refuse(fmt.Sprintf("destinations/%d", i), "not_found", "There is no %s %q", dest.Kind, dest.ID)
		}
	}
	return problems, destinations, nil
}
