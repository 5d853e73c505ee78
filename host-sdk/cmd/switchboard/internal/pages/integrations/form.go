package integrations

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/integrationform"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// integrationBody is what the page of an integration shows. Heading and State are those of what is
// stored, also above a form that was refused.
type integrationBody struct {
	integrationform.View
	Heading string
	State   layout.Badge
	SavedAt time.Time
}

// Show shows one integration: its form, findings and actions. Notices of a redirect, and of phones
// that are the hotline's own numbers, stand above it.
func (i *Integrations) Show(w http.ResponseWriter, r *http.Request) error {
	in, err := i.forms.Find(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	d, err := i.forms.Stored(r.Context(), in)
	if err != nil {
		return err
	}
	var notices []layout.Notice
	switch {
	case r.URL.Query().Get("created") != "":
		notices = append(notices, layout.Notice{Tone: "ok", Text: integrationform.CreatedText})
	case r.URL.Query().Get("saved") != "":
		notices = append(notices, layout.Notice{Tone: "ok", Text: integrationform.SavedText})
	}
	// A person whose phone is the hotline would have it call itself. A warning that cannot be
	// computed is no reason to withhold the form.
	loops, err := names.Loops(r.Context(), i.site.Platform, i.Store)
	if err != nil {
		i.site.Log.WarnContext(r.Context(), "cannot compare phones with the hotline's own numbers", "error", err.Error())
	}
	for _, loop := range loops {
		notices = append(notices, layout.Notice{Tone: "warn", Text: loop.Message + "."})
	}
	return i.draw(w, r, http.StatusOK, d, notices)
}

// draw shows the form, and for an integration that exists its endpoint, findings and actions. The
// result in the address is that of an action that was run before a redirect; see RunAction.
func (i *Integrations) draw(w http.ResponseWriter, r *http.Request, status int, d integrationform.Draft, notices []layout.Notice) error {
	view, err := i.forms.View(r.Context(), d, i.forms.Done(r.URL.Query().Get("result")))
	if err != nil {
		return err
	}
	body := integrationBody{View: view, Heading: "New integration"}
	if d.ID != "" {
		body.Heading, body.State, body.SavedAt = view.Integration.Name, stateBadge(view.Integration), view.Integration.UpdatedAt
	}
	i.show(w, r, status, layout.Page{Title: body.Heading, Template: "integration", Notices: notices, Body: body})
	return nil
}

// Create saves the form of a new integration. The plugin is a hidden field of the form; all else is
// checked when it is saved.
func (i *Integrations) Create(w http.ResponseWriter, r *http.Request) error {
	s, err := integrationform.Read(w, r)
	if err != nil {
		return err
	}
	return i.save(w, r, s, store.Integration{Plugin: s.Values.Get("plugin")})
}

// Save saves the form of an integration that exists.
func (i *Integrations) Save(w http.ResponseWriter, r *http.Request) error {
	in, s, err := i.submitted(w, r)
	if err != nil {
		return err
	}
	return i.save(w, r, s, in)
}

// submitted reads a form of an integration that exists. The integration is looked for first:
// without it, files need not be read.
func (i *Integrations) submitted(w http.ResponseWriter, r *http.Request) (store.Integration, integrationform.Submission, error) {
	in, err := i.forms.Find(r.Context(), r.PathValue("id"))
	if err != nil {
		return in, integrationform.Submission{}, integrationform.Unsaved(err)
	}
	s, err := integrationform.Read(w, r)
	return in, s, err
}

// save acts on a submitted form. A saved form leads to the integration's page; a refused one is
// shown again as it was typed. old is the stored integration, or a new one with the plugin alone.
func (i *Integrations) save(w http.ResponseWriter, r *http.Request, s integrationform.Submission, old store.Integration) error {
	saved, err := i.forms.Save(r.Context(), s, old)
	var refused *integrationform.Refused
	switch {
	case errors.As(err, &refused):
		var notices []layout.Notice
		if refused.Notice != "" {
			notices = append(notices, layout.Notice{Tone: "bad", Text: refused.Notice})
		}
		return i.draw(w, r, refused.Status, refused.Draft, notices)
	case err != nil:
		return err
	}
	// A new integration has no id in its address.
	people.About(r.Context(), saved.ID, saved.Name)
	done := "saved"
	if saved.Created {
		done = "created"
	}
	i.site.Redirect(w, r, "/settings/integrations/"+saved.ID+"?"+done+"=1")
	return nil
}

// RunAction runs an action once and leads back to the integration's page, which shows its result: a
// reload of it shows the result again and does not run the action again.
func (i *Integrations) RunAction(w http.ResponseWriter, r *http.Request) error {
	in, s, err := i.submitted(w, r)
	if err != nil {
		return err
	}
	done, err := i.forms.RunAction(r.Context(), in.ID, r.PathValue("name"), s)
	if err != nil {
		return err
	}
	people.AboutAction(r.Context(), done.Name)
	// The nonce finds the result in this host's memory for an hour; the fragment scrolls to the
	// action.
	i.site.Redirect(w, r, "/settings/integrations/"+in.ID+"?result="+done.Nonce+"#action-"+url.PathEscape(done.Name))
	return nil
}
