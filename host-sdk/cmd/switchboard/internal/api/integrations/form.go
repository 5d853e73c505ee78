package integrations

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/integrationform"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// formView is the form of an integration for the pages of another product. The product puts the
// HTML into its page as it is, with script and style of ours.
type formView struct {
	Integration *integrationView `json:"integration"` // as it is stored; null for a new one
	PluginName  string           `json:"plugin_name"`
	HTML        template.HTML    `json:"html"`
	Actions     []formActionView `json:"actions"`
	Problems    []apikit.Problem `json:"problems"`
	Warnings    []apikit.Problem `json:"warnings"`
	ScriptURL   string           `json:"script_url"`
	StyleURL    string           `json:"style_url"`
}

// formActionView is an action as a form of its own.
type formActionView struct {
	Name   string        `json:"name"`
	Label  string        `json:"label"`
	HTML   template.HTML `json:"html"`
	Result *actionView   `json:"result"`
}

// formSchemaView is the same form for a library that draws it. Such libraries have formats of their
// own for the look of a form.
type formSchemaView struct {
	Schema       json.RawMessage   `json:"schema"`
	Document     json.RawMessage   `json:"document"`
	RJSF         json.RawMessage   `json:"rjsf"`
	JSONForms    json.RawMessage   `json:"json_forms"`
	Destinations []destinationView `json:"destinations"`
	Urgencies    []string          `json:"urgencies"`
}

// destinationView is a team or router that may be chosen.
type destinationView struct {
	Kind    integration.DestinationKind `json:"kind"`
	ID      string                      `json:"id"`
	Name    string                      `json:"name"`
	Missing bool                        `json:"missing"`
	Chosen  bool                        `json:"chosen"`
}

// newForms makes the forms of the API. Files are heard at their public address, as whoever looks at
// the form has no login here.
func newForms(cfg Config) *integrationform.Forms {
	return integrationform.New(integrationform.Config{
		Engine: cfg.Engine, Store: cfg.Store, Platform: cfg.Platform, Plugins: cfg.Plugins, EndpointURL: cfg.EndpointURL,
		PublicURL: cfg.PublicURL, Tenant: cfg.Tenant, Clock: cfg.Clock, Log: cfg.Logger,
		Whose: people.Whose,
		MediaURL: func(ctx context.Context, ref string) string {
			m, err := cfg.Store.MediumInfo(ctx, ref)
			if err != nil {
				return "" // no player
			}
			return httpkit.PublicMediaURL(cfg.PublicURL, m)
		},
	})
}

// formDraft is the form that the address names: of an integration, or else of a new one of a
// plugin.
func (o *Operations) formDraft(r *http.Request, of func(*http.Request) (string, string)) (integrationform.Draft, error) {
	id, plugin := of(r)
	if id == "" {
		return integrationform.Empty(plugin), nil
	}
	in, err := o.Store.Integration(r.Context(), id)
	if err != nil {
		return integrationform.Draft{}, err
	}
	return o.forms.Stored(r.Context(), in)
}

// ofIntegration and ofPlugin say what the id in the address names.
func ofIntegration(r *http.Request) (id, plugin string) { return r.PathValue("id"), "" }
func ofPlugin(r *http.Request) (id, plugin string)      { return "", r.PathValue("id") }

// getForm answers GET …/form. Secrets are not in it.
func (o *Operations) getForm(of func(*http.Request) (string, string)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		d, err := o.formDraft(r, of)
		if err != nil {
			return err
		}
		return o.answerForm(w, r, http.StatusOK, d, integrationform.Done{})
	}
}

// postForm answers POST …/form: the fields of the form, as a browser posted them to the product,
// are saved, or run an action. Whatever came of it, the answer is the form to be shown next. A form
// that was refused has its status and the problems; the product shows it again.
func (o *Operations) postForm(of func(*http.Request) (string, string)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, plugin := of(r)
		in := store.Integration{Plugin: plugin}
		if id != "" {
			var err error
			if in, err = o.forms.Find(r.Context(), id); err != nil {
				return err
			}
		}
		s, err := integrationform.Read(w, r)
		if err != nil {
			return err
		}
		if name := s.ActionName(); name != "" {
			return o.actByForm(w, r, in, name, s)
		}
		return o.saveByForm(w, r, in, s)
	}
}

// actByForm runs an action and shows the stored form with its result. The result is part of this
// answer, as a product has no redirect to our pages.
func (o *Operations) actByForm(w http.ResponseWriter, r *http.Request, in store.Integration, name string, s integrationform.Submission) error {
	if in.ID == "" {
		return apikit.BadRequest("an action needs an integration that is saved: save the form first")
	}
	done, err := o.forms.RunAction(r.Context(), in.ID, name, s)
	if err != nil {
		return err
	}
	people.AboutAction(r.Context(), name)
	d, err := o.formDraft(r, ofIntegration)
	if err != nil {
		return err
	}
	return o.answerForm(w, r, http.StatusOK, d, done)
}

// saveByForm saves a form. A refused one is shown again as it was typed. Location names the
// integration that a new form has made.
func (o *Operations) saveByForm(w http.ResponseWriter, r *http.Request, in store.Integration, s integrationform.Submission) error {
	saved, err := o.forms.Save(r.Context(), s, in)
	var refused *integrationform.Refused
	if errors.As(err, &refused) {
		var notices []integrationform.Notice
		if refused.Notice != "" {
			notices = append(notices, integrationform.Notice{Tone: "bad", Text: refused.Notice})
		}
		return o.answerForm(w, r, refused.Status, refused.Draft, integrationform.Done{}, notices...)
	}
	if err != nil {
		return err
	}
	people.About(r.Context(), saved.ID, saved.Name)
	d, err := o.forms.Stored(r.Context(), saved.Integration)
	if err != nil {
		return err
	}
	status, text := http.StatusOK, integrationform.SavedText
	if saved.Created {
		status, text = http.StatusCreated, integrationform.CreatedText
		w.Header().Set("Location", apikit.Prefix+"/integrations/"+saved.ID)
	}
	return o.answerForm(w, r, status, d, integrationform.Done{}, integrationform.Notice{Tone: "ok", Text: text})
}

// answerForm sends a form. What the host itself warns of stands above it. d is what the fields
// show; what surrounds them is as it is stored.
func (o *Operations) answerForm(w http.ResponseWriter, r *http.Request, status int, d integrationform.Draft, done integrationform.Done, notices ...integrationform.Notice) error {
	loops, err := names.Loops(r.Context(), o.Platform, o.Store)
	if err != nil {
		o.Logger.WarnContext(r.Context(), "cannot compare phones with the hotline's own numbers", "error", err.Error())
	}
	for _, loop := range loops {
		notices = append(notices, integrationform.Notice{Tone: "warn", Text: httpkit.Sentence(loop.Message)})
	}
	v, err := o.forms.View(r.Context(), d, done, notices...)
	if err != nil {
		return err
	}
	view := formView{
		PluginName: v.About.Name, HTML: wrapped(v.Messages + v.Fields), Actions: []formActionView{},
		Problems: apikit.Problems(d.Problems), Warnings: apikit.Problems(append(d.Warnings, loops...)),
		ScriptURL: o.FormScriptURL, StyleURL: o.FormStyleURL,
	}
	for _, action := range v.Actions {
		shown := formActionView{Name: action.Name, Label: action.Label, HTML: wrapped(`<div class="action">` + "\n" + action.HTML + "</div>\n")}
		if action.Result != nil {
			shown.Result = viewResult(*action.Result)
		}
		view.Actions = append(view.Actions, shown)
	}
	if d.ID != "" {
		numbers, err := names.Numbers(r.Context(), o.Store)
		if err != nil {
			return err
		}
		stored, err := o.integrationView(r.Context(), v.Integration, numbers, nil)
		if err != nil {
			return err
		}
		view.Integration = &stored
	}
	httpkit.WriteJSON(w, status, view)
	return nil
}

// wrapped names the part of the other product's page to which the stylesheet is limited.
func wrapped(html template.HTML) template.HTML {
	return `<div class="integration-form">` + "\n" + html + "</div>\n"
}

// getFormSchema answers GET …/form/schema: what a form library needs. What such a form submits goes
// to PUT /integrations/{id}.
func (o *Operations) getFormSchema(of func(*http.Request) (string, string)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		d, err := o.formDraft(r, of)
		if err != nil {
			return err
		}
		v, err := o.forms.View(r.Context(), d, integrationform.Done{})
		if err != nil {
			return err
		}
		view := formSchemaView{Destinations: []destinationView{}, Urgencies: engine.Urgencies}
		var schema, document []byte
		if schema, document, err = form.Prepare(v.Schema, d.Values); err != nil {
			return err
		}
		view.Schema, view.Document = schema, document
		if view.RJSF, err = form.RJSF(schema); err != nil {
			return err
		}
		if view.JSONForms, err = form.JSONForms(schema); err != nil {
			return err
		}
		for _, dest := range v.Destinations {
			view.Destinations = append(view.Destinations, destinationView{dest.Kind, dest.ID, dest.Name, dest.Missing, dest.Chosen})
		}
		httpkit.WriteJSON(w, http.StatusOK, view)
		return nil
	}
}
