package integrations

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// draft holds the values of the form: from the store, or as they were typed. No secret is among
// them.
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

// destinationChoice is a team or router that callers may reach. One that no longer exists stays in
// the list while it is chosen: unseen, it could not be removed.
type destinationChoice struct {
	Value, Name string
	Router      bool
	Checked     bool
}

// integrationBody is what the page of an integration shows.
type integrationBody struct {
	draft
	PluginName   string
	Heading      string
	Endpoint     string
	State        layout.Badge
	SavedAt      time.Time
	Destinations []destinationChoice
	Fields       template.HTML
	Own          map[string][]string // problems of the host's own fields, by ownFields
	Summary      []problemLink
	Findings     []integration.Finding
	Options      map[string]bool // fields that findings and results may link to
	Actions      []actionForm
	Urgencies    []choice
}

// choice is an entry of a list to choose from.
type choice struct {
	Label, Value string
	Current      bool
}

// problemLink is a problem in the summary above the form, with the id of the control that it leads
// to; "" if there is none.
type problemLink struct{ Text, Target string }

// actionForm is one of the plugin's actions, with the result of its last run if this page shows it.
type actionForm struct {
	integration.ActionDescription
	Nonce  string
	Result *integration.ActionResult
	Failed string
	Values map[string]string
}

// ownFields are the fields of the host rather than the plugin: the path of a problem, and the id of
// the control.
var ownFields = map[string]string{"name": "name", "plugin": "plugin", "urgency": "urgency", "destinations": "destinations"}

// Show shows one integration: its form, findings and actions.
func (i *Integrations) Show(w http.ResponseWriter, r *http.Request) error {
	in, err := i.stored(r)
	if err != nil {
		return err
	}
	d, err := storedDraft(in)
	if err != nil {
		return err
	}
	d.Warnings = i.warnings(r.Context(), in)
	var notices []layout.Notice
	switch {
	case r.URL.Query().Get("created") != "":
		notices = append(notices, layout.Notice{Tone: "ok", Text: "Saved. Next, direct a phone number to the endpoint URL, with an action below or by hand."})
	case r.URL.Query().Get("saved") != "":
		notices = append(notices, layout.Notice{Tone: "ok", Text: "Saved. New calls use these settings."})
	}
	loops, err := names.Loops(r.Context(), i.site.Platform, i.Store)
	if err != nil {
		i.site.Log.WarnContext(r.Context(), "cannot compare phones with the hotline's own numbers", "error", err.Error())
	}
	for _, loop := range loops {
		notices = append(notices, layout.Notice{Tone: "warn", Text: loop.Message + "."})
	}
	return i.draw(w, r, http.StatusOK, d, notices)
}

// storedDraft is the form of an integration as it is stored, without secrets.
func storedDraft(in store.Integration) (draft, error) {
	values, err := form.HideSecrets(in.Options, in.SecretFields)
	return draft{ID: in.ID, Plugin: in.Plugin, Name: in.Name, Enabled: in.Enabled, Maintenance: in.Maintenance, Urgency: in.Urgency,
		Chosen: in.Destinations, Revision: in.Revision, Nonce: newNonce(), Values: values}, err
}

// draw shows the form, and for an integration that exists its endpoint, findings and actions.
func (i *Integrations) draw(w http.ResponseWriter, r *http.Request, status int, d draft, notices []layout.Notice) error {
	ctx := r.Context()
	plugin, f, err := i.plugin(ctx, d.Plugin)
	if err != nil {
		return err
	}
	about, err := plugin.Describe(ctx, integration.DescribeRequest{})
	if err != nil {
		return err
	}
	body := integrationBody{draft: d, PluginName: about.Name, Heading: "New integration", Own: map[string][]string{}, Options: map[string]bool{}}
	if body.Destinations, err = i.destinationChoices(ctx, d); err != nil {
		return err
	}
	if body.Fields, err = f.HTML(form.View{
		Values: d.Values, Problems: formProblems(d.Problems), Warnings: formProblems(d.Warnings),
		MediaURL: func(ref string) string { return i.site.URL(i.site.APIPath + "/media/" + ref) },
	}); err != nil {
		return err
	}
	// Each problem stands twice: above the form, as a link, so that nobody has to search a long
	// form, and beside its field. Those of the plugin's fields are placed by the renderer.
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
			label = layout.PlainWord(u)
		}
		body.Urgencies = append(body.Urgencies, choice{label, u, u == d.Urgency})
	}
	// What surrounds the form is read again: after a refused save it shows the stored state, not
	// the typed one.
	if d.ID != "" {
		in, err := i.Store.Integration(ctx, d.ID)
		if err != nil {
			return err
		}
		body.Heading, body.Endpoint, body.State, body.SavedAt = in.Name, i.EndpointURL(in.ID), stateBadge(in), in.UpdatedAt
		if body.Findings, err = i.Store.Findings(ctx, in.ID); err != nil {
			return err
		}
		for _, g := range f.Groups {
			for _, field := range g.Fields {
				body.Options[field.Key] = true
			}
		}
		body.Actions = i.actionForms(r, about.Actions)
	}
	i.show(w, r, status, layout.Page{Title: body.Heading, Template: "integration", Notices: notices, Body: body})
	return nil
}

// linkOf leads from the summary of problems to the field. The path of a problem may go on below the
// field, as in banned_phones/2.
func linkOf(f *form.Form, problem integration.Problem) problemLink {
	key, _, _ := strings.Cut(problem.Path, "/")
	target := ""
	if id, own := ownFields[key]; own {
		target = id
	} else if _, ok := f.Field(key); ok {
		target = "option-" + key
	}
	return problemLink{layout.Sentence(problem.Message), target}
}

// formProblems are problems as the renderer of the plugin's fields takes them.
func formProblems(problems []integration.Problem) []form.Problem {
	out := make([]form.Problem, 0, len(problems))
	for _, problem := range problems {
		out = append(out, form.Problem{Path: problem.Path, Message: problem.Message})
	}
	return out
}

// destinationChoices are all teams and routers, followed by those that the integration has chosen
// and that no longer exist.
func (i *Integrations) destinationChoices(ctx context.Context, d draft) ([]destinationChoice, error) {
	teams, err := i.site.Platform.Teams(ctx, i.site.Scope(d.ID))
	if err != nil {
		return nil, err
	}
	all := teams
	if i.routers != nil {
		all = append(slices.Clone(teams), i.routers.Routers()...)
	}
	var out []destinationChoice
	known := map[platform.Ref]bool{}
	add := func(dest integration.Destination) {
		ref := platform.Ref{Kind: dest.Kind, ID: dest.ID}
		if known[ref] {
			return
		}
		known[ref] = true
		out = append(out, destinationChoice{Value: string(ref.Kind) + ":" + ref.ID, Name: destinationName(dest),
			Router: dest.Kind == integration.DestinationRouter, Checked: slices.Contains(d.Chosen, ref)})
	}
	for _, dest := range all {
		// Teams() may leave the kind out, as it lists nothing else.
		if dest.Kind == "" {
			dest.Kind = integration.DestinationTeam
		}
		add(dest)
	}
	chosen, err := i.site.Platform.Destinations(ctx, i.site.Scope(d.ID), d.Chosen)
	if err != nil {
		return nil, err
	}
	// Those that exist are known by now; what is added here is missing.
	for _, dest := range chosen {
		add(dest)
	}
	return out, nil
}
