package integrations

import (
	"net/http"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/integrationform"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// integrationRow is an integration in the list.
type integrationRow struct {
	store.Integration
	State        layout.Badge
	Destinations string
	Worst        layout.Badge // of its findings; no text: none
}

// integrationsBody is what the list shows.
type integrationsBody struct {
	Rows  []integrationRow
	None  bool   // no plugin is installed: none can be created
	Steps []step // of the first integration; nil: it has had calls
}

// List shows the integrations with their state and the worst of their findings.
func (i *Integrations) List(w http.ResponseWriter, r *http.Request) error {
	all, err := i.Store.ListIntegrations(r.Context())
	if err != nil {
		return err
	}
	var notices []layout.Notice
	if r.URL.Query().Get("deleted") != "" {
		notices = append(notices, layout.Notice{Tone: "ok", Text: "The integration was deleted. Callers of its number now hear that it is not in service."})
	}
	// Without a plugin the steps could not be followed.
	body := integrationsBody{None: len(i.Plugins.PluginIDs()) == 0}
	if !body.None {
		if body.Steps, err = i.firstSteps(r.Context(), all); err != nil {
			return err
		}
	}
	for _, in := range all {
		row := integrationRow{Integration: in, State: stateBadge(in)}
		var labels []string
		// A platform that does not answer costs the names in this column, not the list.
		if dests, err := i.site.Platform.Destinations(r.Context(), i.site.Scope(in.ID), in.Destinations); err == nil {
			for _, d := range dests {
				labels = append(labels, integrationform.DestinationName(d))
			}
		}
		row.Destinations = strings.Join(labels, ", ")
		// One short query for each integration: a host has a few.
		findings, err := i.Store.Findings(r.Context(), in.ID)
		if err != nil {
			return err
		}
		row.Worst = worst(findings)
		body.Rows = append(body.Rows, row)
	}
	i.show(w, r, http.StatusOK, layout.Page{Title: "Integrations", Template: "integrations", Notices: notices, Body: body})
	return nil
}

// stateBadge says whether an integration takes calls. An integration that is off and in maintenance
// is off: its callers hear so.
func stateBadge(in store.Integration) layout.Badge {
	switch {
	case !in.Enabled:
		return layout.Badge{Tone: "quiet", Text: "Off"}
	case in.Maintenance:
		return layout.Badge{Tone: "warn", Text: "Maintenance"}
	}
	return layout.Badge{Tone: "ok", Text: "On"}
}

// worst sums up findings for a list: errors if there are any, else warnings. Information is no
// reason to look.
func worst(findings []integration.Finding) layout.Badge {
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
		return layout.Badge{Tone: "bad", Text: wording.Count(errors, "error", "errors")}
	case warnings > 0:
		return layout.Badge{Tone: "warn", Text: wording.Count(warnings, "warning", "warnings")}
	}
	return layout.Badge{}
}

// ShowNew shows an empty form. With several plugins one is chosen first. With one there is nothing
// to choose.
func (i *Integrations) ShowNew(w http.ResponseWriter, r *http.Request) error {
	ids := slices.Sorted(slices.Values(i.Plugins.PluginIDs()))
	chosen := r.URL.Query().Get("plugin")
	switch {
	case len(ids) == 0:
		return &layout.Refusal{Status: http.StatusConflict, Title: "No plugin is installed", Message: "Put one into the plugin directory as <id>/manifest.json, restart switchboard and reload this page."}
	case chosen == "" && len(ids) == 1:
		chosen = ids[0]
	case chosen == "":
		return i.choosePlugin(w, r, ids)
	}
	return i.draw(w, r, http.StatusOK, integrationform.Empty(chosen), nil)
}

// pluginChoice is a plugin that a new integration may use.
type pluginChoice struct{ ID, Name, Version string }

// choosePlugin lists the plugins. One that does not answer is listed by its id: choosing it says
// what is wrong.
func (i *Integrations) choosePlugin(w http.ResponseWriter, r *http.Request, ids []string) error {
	var choices []pluginChoice
	for _, id := range ids {
		c := pluginChoice{ID: id, Name: id}
		if plugin, ok := i.Plugins.Plugin(id); ok {
			if d, err := plugin.Describe(r.Context(), integration.DescribeRequest{}); err == nil {
				c.Name, c.Version = d.Name, d.Version
			}
		}
		choices = append(choices, c)
	}
	i.show(w, r, http.StatusOK, layout.Page{Title: "New integration", Template: "plugins", Body: choices})
	return nil
}

// ConfirmDelete asks before an integration is deleted. It names the integration, as its callers
// will hear at once that it is not in service.
func (i *Integrations) ConfirmDelete(w http.ResponseWriter, r *http.Request) error {
	in, err := i.forms.Find(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	i.show(w, r, http.StatusOK, layout.Page{Title: "Delete " + in.Name + "?", Template: "delete", Body: in})
	return nil
}

// Delete deletes an integration. Its callers then hear that the number is not in service. Calls in
// progress go on to their end, with the options they began with.
func (i *Integrations) Delete(w http.ResponseWriter, r *http.Request) error {
	// Already deleted, by somebody else or by a second click, is a success: it is what was wanted.
	if err := i.Engine.Remove(r.Context(), r.PathValue("id")); integration.KindOf(err) == integration.KindNotFound {
		people.SkipAudit(r.Context()) // somebody else was faster
	} else if err != nil {
		return err
	}
	i.site.Redirect(w, r, "/settings/integrations?deleted=1")
	return nil
}
