package pages

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

type integrationRow struct {
	store.Integration
	State        badge
	Destinations string
	Worst        badge // of its findings; no text: none
}

type integrationsBody struct {
	Rows []integrationRow
	None bool // no plugin is installed
}

func (p *Pages) listIntegrations(w http.ResponseWriter, r *http.Request) error {
	all, err := p.cfg.Store.ListIntegrations(r.Context())
	if err != nil {
		return err
	}
	var notices []notice
	if r.URL.Query().Get("deleted") != "" {
		notices = append(notices, notice{"ok", "The integration was deleted. Callers of its number now hear that it is not in service."})
	}
	body := integrationsBody{None: len(p.cfg.Plugins.PluginIDs()) == 0}
	for _, in := range all {
		row := integrationRow{Integration: in, State: stateBadge(in)}
		var labels []string
		if dests, err := p.cfg.Platform.Destinations(r.Context(), p.scope(in.ID), in.Destinations); err == nil {
			for _, d := range dests {
				labels = append(labels, destinationName(d))
			}
		}
		row.Destinations = strings.Join(labels, ", ")
		findings, err := p.cfg.Store.Findings(r.Context(), in.ID)
		if err != nil {
			return err
		}
		row.Worst = worst(findings)
		body.Rows = append(body.Rows, row)
	}
	p.show(w, r, http.StatusOK, page{Title: "Integrations", Template: "integrations", Nav: "integrations", Notices: notices, Body: body})
	return nil
}

func stateBadge(in store.Integration) badge {
	switch {
	case !in.Enabled:
		return badge{"quiet", "Off"}
	case in.Maintenance:
		return badge{"warn", "Maintenance"}
	}
	return badge{"ok", "On"}
}

// worst sums up findings for a list.
func worst(findings []integration.Finding) badge {
	errors, warnings := 0, 0
	for _, f := range findings {
		switch f.Severity {
		case integration.FindingError:
			errors++
		case integration.FindingWarning:
			warnings++
		case integration.FindingInfo, integration.FindingClear:
		}
	}
	switch {
	case errors > 0:
		return badge{"bad", countOf(errors, "error", "errors")}
	case warnings > 0:
		return badge{"warn", countOf(warnings, "warning", "warnings")}
	}
	return badge{}
}

func destinationName(d integration.Destination) string {
	name := d.Name
	if name == "" {
		name = d.ID
	}
	if d.Missing {
		return name + " (no longer exists)"
	}
	return name
}

// draft is the form as it stands: from the store, or as it was typed.
type draft struct {
	ID          string // "" for a new one
	Plugin      string
	Name        string
	Enabled     bool
	Maintenance bool
	Urgency     string
	Chosen      []platform.Ref
	Revision    int64
	Nonce       string
	Values      []byte // options without secret values
	Problems    []integration.Problem
	Warnings    []integration.Problem
}

type destinationChoice struct {
	Value, ID, Name string
	Router          bool
	Checked         bool
	Missing         bool
}

type integrationBody struct {
	draft
	PluginName   string
	Heading      string
	Endpoint     string
	State        badge
	SavedAt      time.Time
	Destinations []destinationChoice
	Fields       template.HTML
	Own          map[string][]string // problems of the host's own fields
	Summary      []problemLink
	Findings     []integration.Finding
	Options      map[string]bool // fields that findings and results may link to
	Actions      []actionForm
	Urgencies    []filter
}

type problemLink struct{ Text, Target string }

type actionForm struct {
	integration.ActionDescription
	Nonce  string
	Result *integration.ActionResult
	Failed string
	Values map[string]string
}

// The host's own fields, by the path of their problems, and the ids of their controls.
var ownFields = map[string]string{"name": "name", "plugin": "plugin", "urgency": "urgency", "destinations": "destinations"}

func (p *Pages) newIntegration(w http.ResponseWriter, r *http.Request) error {
	ids := slices.Sorted(slices.Values(p.cfg.Plugins.PluginIDs()))
	chosen := r.URL.Query().Get("plugin")
	switch {
	case len(ids) == 0:
		return &refusal{http.StatusConflict, "No plugin is installed", "Put one into the plugin directory as <id>/manifest.json, restart switchboard and reload this page."}
	case chosen == "" && len(ids) == 1:
		chosen = ids[0]
	case chosen == "":
		return p.choosePlugin(w, r, ids)
	}
	return p.drawIntegration(w, r, http.StatusOK, draft{Plugin: chosen, Enabled: true, Nonce: newNonce()}, nil)
}

type pluginChoice struct{ ID, Name, Version string }

func (p *Pages) choosePlugin(w http.ResponseWriter, r *http.Request, ids []string) error {
	var choices []pluginChoice
	for _, id := range ids {
		c := pluginChoice{ID: id, Name: id}
		if plugin, ok := p.cfg.Plugins.Plugin(id); ok {
			if d, err := plugin.Describe(r.Context(), integration.DescribeRequest{}); err == nil {
				c.Name, c.Version = d.Name, d.Version
			}
		}
		choices = append(choices, c)
	}
	p.show(w, r, http.StatusOK, page{Title: "New integration", Template: "plugins", Nav: "integrations", Body: choices})
	return nil
}

// integration reads the one of the address; a deleted one is told of plainly.
func (p *Pages) integration(r *http.Request) (store.Integration, error) {
	in, err := p.cfg.Store.Integration(r.Context(), r.PathValue("id"))
	if integration.KindOf(err) == integration.KindNotFound {
		return in, &refusal{http.StatusNotFound, "No such integration", "It was deleted, or never existed. What you submitted was not saved."}
	}
	return in, err
}

func (p *Pages) showIntegration(w http.ResponseWriter, r *http.Request) error {
	in, err := p.integration(r)
	if err != nil {
		return err
	}
	d, err := storedDraft(in)
	if err != nil {
		return err
	}
	d.Warnings = p.warnings(r.Context(), in)
	var notices []notice
	switch {
	case r.URL.Query().Get("created") != "":
		notices = append(notices, notice{"ok", "Saved. Next, direct a phone number to the endpoint URL, with an action below or by hand."})
	case r.URL.Query().Get("saved") != "":
		notices = append(notices, notice{"ok", "Saved. New calls use these settings."})
	}
	return p.drawIntegration(w, r, http.StatusOK, d, notices)
}

func storedDraft(in store.Integration) (draft, error) {
	values, err := form.HideSecrets(in.Options, in.SecretFields)
	return draft{ID: in.ID, Plugin: in.Plugin, Name: in.Name, Enabled: in.Enabled, Maintenance: in.Maintenance, Urgency: in.Urgency,
		Chosen: in.Destinations, Revision: in.Revision, Nonce: newNonce(), Values: values}, err
}

// plugin finds the plugin of an integration and its form.
func (p *Pages) plugin(ctx context.Context, id string) (integration.Integration, *form.Form, error) {
	plugin, ok := p.cfg.Plugins.Plugin(id)
	if !ok {
		return nil, nil, &refusal{http.StatusNotFound, "Plugin not installed", "The plugin " + id + " is not installed here. Put it into the plugin directory as <id>/manifest.json and restart switchboard."}
	}
	schema, err := plugin.OptionsSchema(ctx, integration.OptionsSchemaRequest{})
	if err != nil {
		return nil, nil, err
	}
	f, err := form.Parse(schema.Schema)
	return plugin, f, err
}

// drawIntegration draws the form; of an integration that exists also what surrounds it.
func (p *Pages) drawIntegration(w http.ResponseWriter, r *http.Request, status int, d draft, notices []notice) error {
	ctx := r.Context()
	plugin, f, err := p.plugin(ctx, d.Plugin)
	if err != nil {
		return err
	}
	about, err := plugin.Describe(ctx, integration.DescribeRequest{})
	if err != nil {
		return err
	}
	body := integrationBody{draft: d, PluginName: about.Name, Heading: "New integration", Own: map[string][]string{}, Options: map[string]bool{}}
	if body.Destinations, err = p.destinationChoices(ctx, d); err != nil {
		return err
	}
	if body.Fields, err = f.HTML(form.View{
		Values: d.Values, Problems: formProblems(d.Problems), Warnings: formProblems(d.Warnings),
		MediaURL: func(ref string) string { return p.base + p.cfg.APIPath + "/media/" + ref },
	}); err != nil {
		return err
	}
	for _, problem := range d.Problems {
		body.Summary = append(body.Summary, linkOf(f, problem))
		key, _, _ := strings.Cut(problem.Path, "/")
		if _, own := ownFields[key]; own {
			body.Own[key] = append(body.Own[key], problem.Message)
		}
	}
	for _, u := range engine.Urgencies {
		label := "Default"
		if u != "" {
			label = plainWord(u)
		}
		body.Urgencies = append(body.Urgencies, filter{label, u, u == d.Urgency})
	}
	if d.ID != "" {
		in, err := p.cfg.Store.Integration(ctx, d.ID)
		if err != nil {
			return err
		}
		body.Heading, body.Endpoint, body.State, body.SavedAt = in.Name, p.cfg.EndpointURL(in.ID), stateBadge(in), in.UpdatedAt
		if body.Findings, err = p.cfg.Store.Findings(ctx, in.ID); err != nil {
			return err
		}
		for _, g := range f.Groups {
			for _, field := range g.Fields {
				body.Options[field.Key] = true
			}
		}
		body.Actions = p.actionForms(r, about.Actions)
	}
	p.show(w, r, status, page{Title: body.Heading, Template: "integration", Nav: "integrations", Notices: notices, Body: body})
	return nil
}

// linkOf leads from the list of problems to the field.
func linkOf(f *form.Form, problem integration.Problem) problemLink {
	key, _, _ := strings.Cut(problem.Path, "/")
	target := ""
	if id, own := ownFields[key]; own {
		target = id
	} else if _, ok := f.Field(key); ok {
		target = "option-" + key
	}
	return problemLink{sentence(problem.Message), target}
}

func formProblems(problems []integration.Problem) []form.Problem {
	out := make([]form.Problem, 0, len(problems))
	for _, problem := range problems {
		out = append(out, form.Problem{Path: problem.Path, Message: problem.Message})
	}
	return out
}

// destinationChoices are all teams and routers, and those of the integration that are no longer there.
func (p *Pages) destinationChoices(ctx context.Context, d draft) ([]destinationChoice, error) {
	teams, err := p.cfg.Platform.Teams(ctx, p.scope(d.ID))
	if err != nil {
		return nil, err
	}
	all := teams
	if p.routers != nil {
		all = append(slices.Clone(teams), p.routers.Routers()...)
	}
	var out []destinationChoice
	known := map[platform.Ref]bool{}
	add := func(dest integration.Destination) {
		ref := platform.Ref{Kind: dest.Kind, ID: dest.ID}
		if known[ref] {
			return
		}
		known[ref] = true
		out = append(out, destinationChoice{Value: string(ref.Kind) + ":" + ref.ID, ID: dest.ID, Name: destinationName(dest),
			Router: dest.Kind == integration.DestinationRouter, Checked: slices.Contains(d.Chosen, ref), Missing: dest.Missing})
	}
	for _, dest := range all {
		if dest.Kind == "" {
			dest.Kind = integration.DestinationTeam
		}
		add(dest)
	}
	chosen, err := p.cfg.Platform.Destinations(ctx, p.scope(d.ID), d.Chosen)
	if err != nil {
		return nil, err
	}
	for _, dest := range chosen {
		add(dest)
	}
	return out, nil
}

// warningTime bounds asking the plugin what it thinks of the stored options.
const warningTime = 3 * time.Second

// warnings is what the plugin says today of options that it accepted. Without an answer there are none: the page is more
// important.
func (p *Pages) warnings(ctx context.Context, in store.Integration) []integration.Problem {
	plugin, ok := p.cfg.Plugins.Plugin(in.Plugin)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, warningTime)
	defer cancel()
	destinations, err := p.cfg.Platform.Destinations(ctx, p.scope(in.ID), in.Destinations)
	if err != nil {
		return nil
	}
	capabilities, err := p.cfg.Platform.Capabilities(ctx, p.scope(in.ID))
	if err != nil {
		return nil
	}
	state := integration.HostActive
	switch {
	case !in.Enabled:
		state = integration.HostDisabled
	case in.Maintenance:
		state = integration.HostMaintenance
	}
	verdict, err := plugin.ValidateOptions(ctx, integration.ValidateOptionsRequest{
		Options: in.Options, Destinations: destinations, Now: p.cfg.Clock.Now(), Instance: integration.Instance{
			ID: in.ID, Name: in.Name, Revision: in.Revision, SavedAt: in.UpdatedAt, Options: in.Options, OptionsFormat: in.OptionsFormat,
			EndpointURL: p.cfg.EndpointURL(in.ID), TokenKey: in.TokenKey, State: state, Urgency: in.Urgency,
			Capabilities: capabilities, MediaURLs: p.mediaURLs(ctx, in.Options),
		},
	})
	if err != nil {
		p.log.WarnContext(ctx, "plugin could not validate the stored options", "integration", in.ID, "error", err.Error())
		return nil
	}
	return append(verdict.Warnings, verdict.Problems...)
}

// mediaURLs gives the public address of each file that the options name.
func (p *Pages) mediaURLs(ctx context.Context, options []byte) map[string]string {
	values := map[string]any{}
	if json.Unmarshal(options, &values) != nil {
		return nil
	}
	urls := map[string]string{}
	for _, v := range values {
		if ref, ok := v.(string); ok && strings.HasPrefix(ref, "media:") {
			if m, err := p.cfg.Store.MediumInfo(ctx, ref); err == nil {
				urls[ref] = httpkit.PublicMediaURL(p.cfg.PublicURL, m)
			}
		}
	}
	return urls
}
