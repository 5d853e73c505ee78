package integrationform

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

//go:embed templates/form.tmpl
var templates embed.FS

var parts = template.Must(template.New("").Funcs(template.FuncMap{
	"iso":      func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") },
	"word":     func(w string) string { return strings.ToUpper(w[:1]) + w[1:] },
	"readable": phone.DisplayIn,
	"moment":   func(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 MST") },
}).ParseFS(templates, "templates/form.tmpl"))

// View is a form as it is shown. Its HTML has neither form elements nor a button to save, as these
// belong to the page around it. It is what both the pages and the API hand on.
type View struct {
	Draft
	// As it is stored, which a refused form is not; zero for a new one.
	Integration  store.Integration
	About        integration.Description
	Schema       []byte // of the options, as the plugin wrote it
	Endpoint     string // URL; "" for a new one
	Messages     template.HTML
	Fields       template.HTML // all that is posted
	Actions      []Action      // none for a new one
	Sections     []Section     // the parts of Fields, in their order
	Destinations []Destination
}

// Destination is a team or router that callers may reach. One that no longer exists stays in the
// list while it is chosen: unseen, it could not be removed.
type Destination struct {
	integration.Destination
	Chosen bool
}

// Value is what the control of the destination posts.
func (d Destination) Value() string { return string(d.Kind) + ":" + d.ID }

// Label is the name of the destination, marked if the platform no longer knows it.
func (d Destination) Label() string { return DestinationName(d.Destination) }

// IsRouter reports whether it is a router rather than a team.
func (d Destination) IsRouter() bool { return d.Kind == integration.DestinationRouter }

// DestinationName is the name of a destination, marked if the platform no longer knows it.
func DestinationName(d integration.Destination) string {
	name := d.Name
	if name == "" {
		name = d.ID
	}
	if d.Missing {
		return name + " (no longer exists)"
	}
	return name
}

// Notice is a message above the form.
type Notice struct {
	Tone string // ok, info, warn, bad
	Text string
}

// problemLink is a problem in the summary above the form, with the id of the control that it leads
// to; "" if there is none. Text is a sentence.
type problemLink struct{ Text, Target string }

// ownFields are the fields of the host rather than the plugin: the path of a problem, and the id of
// the control.
var ownFields = map[string]string{"name": "name", "plugin": "plugin", "urgency": "urgency", "destinations": "destinations"}

// View is what a form shows. done is the action that this page shows the result of, the zero Done
// for none. Notices are for pages that have no place of their own for them.
func (f *Forms) View(ctx context.Context, d Draft, done Done, notices ...Notice) (View, error) {
	plugin, schema, parsed, err := f.plugin(ctx, d.Plugin)
	if err != nil {
		return View{}, err
	}
	v := View{Draft: d, Schema: schema}
	if v.About, err = plugin.Describe(ctx, integration.DescribeRequest{}); err != nil {
		return View{}, err
	}
	if v.Destinations, err = f.destinations(ctx, d); err != nil {
		return View{}, err
	}
	// What surrounds the form is read again: after a refused save it shows the stored state, not
	// the typed one.
	var findings []integration.Finding
	if d.ID != "" {
		if v.Integration, err = f.cfg.Store.Integration(ctx, d.ID); err != nil {
			return View{}, err
		}
		v.Endpoint = f.cfg.EndpointURL(d.ID)
		if findings, err = f.cfg.Store.Findings(ctx, d.ID); err != nil {
			return View{}, err
		}
		// A new integration has none: actions need stored options.
		if v.Actions, err = actions(v.About.Actions, parsed, done); err != nil {
			return View{}, err
		}
	}
	d.Problems = inOrder(parsed, d.Problems)
	v.Problems, v.Sections = d.Problems, sections(parsed, d.Problems)
	if v.Messages, err = render("messages", map[string]any{
		"Notices": notices, "Problems": summary(parsed, d.Problems), "Findings": findings, "Options": keys(parsed),
	}); err != nil {
		return View{}, err
	}
	v.Fields, err = f.fields(ctx, v, parsed)
	return v, err
}

// render executes one of the templates. Its error is a defect of the template.
func render(name string, data any) (template.HTML, error) {
	var b bytes.Buffer
	err := parts.ExecuteTemplate(&b, name, data)
	return template.HTML(b.String()), err // #nosec G203 -- made by html/template
}

// keys are the plugin's fields, to which findings and results may link.
func keys(parsed *form.Form) map[string]bool {
	all := map[string]bool{}
	for _, g := range parsed.Groups {
		for _, field := range g.Fields {
			all[field.Key] = true
		}
	}
	return all
}

// summary is the list of problems above the form, as links, so that nobody has to search a long
// form for them. The path of a problem may go on below the field, as in banned_phones/2.
func summary(parsed *form.Form, problems []integration.Problem) []problemLink {
	var links []problemLink
	for _, problem := range problems {
		key, _, _ := strings.Cut(problem.Path, "/")
		link := problemLink{Text: httpkit.Sentence(problem.Message), Target: ownFields[key]}
		if _, ok := parsed.Field(key); ok && link.Target == "" {
			link.Target = "option-" + key
		}
		links = append(links, link)
	}
	return links
}

// fields renders the host's own fields and the plugin's. Problems stand beside their field, those
// of the plugin's fields by the renderer. MediaURL gets the context of the request, as its address
// may depend on who asks.
func (f *Forms) fields(ctx context.Context, v View, parsed *form.Form) (template.HTML, error) {
	options, err := parsed.HTML(form.View{
		Values: v.Values, Problems: formProblems(v.Problems), Warnings: formProblems(v.Warnings),
		MediaURL: func(ref string) string { return f.cfg.MediaURL(ctx, ref) },
	})
	if err != nil {
		return "", err
	}
	own := map[string][]string{}
	for _, problem := range v.Problems {
		key, _, _ := strings.Cut(problem.Path, "/")
		if _, is := ownFields[key]; is {
			own[key] = append(own[key], httpkit.Sentence(problem.Message))
		}
	}
	return render("fields", map[string]any{
		"Draft": v.Draft, "Destinations": v.Destinations, "Own": own, "Urgencies": engine.Urgencies, "Options": options,
	})
}

// formProblems are problems as the renderer of the plugin's fields takes them.
func formProblems(problems []integration.Problem) []form.Problem {
	out := make([]form.Problem, 0, len(problems))
	for _, problem := range problems {
		out = append(out, form.Problem{Path: problem.Path, Message: httpkit.Sentence(problem.Message)})
	}
	return out
}

// destinations are all teams and routers, followed by those that the integration has chosen and
// that no longer exist. The platform must answer: a form without its destinations would save that
// there are none.
func (f *Forms) destinations(ctx context.Context, d Draft) ([]Destination, error) {
	teams, err := f.cfg.Platform.Teams(ctx, f.scope(d.ID))
	if err != nil {
		return nil, err
	}
	all := slices.Clone(teams)
	if f.routers != nil {
		all = append(all, f.routers.Routers()...)
	}
	// Those that exist are known by then; what is added here is missing, or is a router of a
	// platform that lists none.
	chosen, err := f.cfg.Platform.Destinations(ctx, f.scope(d.ID), d.Chosen)
	if err != nil {
		return nil, err
	}
	var out []Destination
	// The first of equal ones counts.
	known := map[platform.Ref]bool{}
	for _, dest := range append(all, chosen...) {
		// Teams() may leave the kind out, as it lists nothing else.
		if dest.Kind == "" {
			dest.Kind = integration.DestinationTeam
		}
		ref := platform.Ref{Kind: dest.Kind, ID: dest.ID}
		if !known[ref] {
			out = append(out, Destination{dest, slices.Contains(d.Chosen, ref)})
		}
		known[ref] = true
	}
	return out, nil
}
