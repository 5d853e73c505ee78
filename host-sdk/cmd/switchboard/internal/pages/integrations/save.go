package integrations

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Create saves the form of a new integration.
func (i *Integrations) Create(w http.ResponseWriter, r *http.Request) error {
	return i.save(w, r, store.Integration{})
}

// Save saves the form of an integration that exists.
func (i *Integrations) Save(w http.ResponseWriter, r *http.Request) error {
	in, err := i.stored(r)
	if err != nil {
		return err
	}
	return i.save(w, r, in)
}

// entered is a form as it was typed, to be saved or shown again. Its draft is what may be shown,
// its options what is saved.
type entered struct {
	draft
	form    *form.Form
	options []byte   // with the secrets that were typed
	typed   []string // secrets that were typed: they cannot be shown again
}

// save acts on a submitted form. A saved form leads to the integration's page; a refused one is
// shown again as it was typed. old is the zero Integration for a new one.
func (i *Integrations) save(w http.ResponseWriter, r *http.Request, old store.Integration) error {
	sub, err := readSubmission(w, r)
	if err != nil {
		return err
	}
	e, err := i.enter(r.Context(), sub, old)
	if err != nil {
		return err
	}
	// A second click submits the same form with the same revision: without once it would be a
	// conflict with oneself.
	goTo, err := i.once.do(e.Nonce, func() (string, any, error) {
		if len(e.Problems) > 0 { // of uploads: the engine would not know of them
			return "", nil, &engine.ProblemsError{Problems: e.Problems}
		}
		saved, _, err := i.Engine.Configure(r.Context(), old.ID, e.Revision, engine.Draft{
			Plugin: e.Plugin, Name: e.Name, Enabled: e.Enabled, Maintenance: e.Maintenance, Urgency: e.Urgency,
			Destinations: e.Chosen, Options: e.options,
		})
		if err != nil {
			return "", nil, err
		}
		done := "saved"
		if old.ID == "" {
			done = "created"
		}
		return "/settings/integrations/" + saved.ID + "?" + done + "=1", nil, nil
	})
	var refused *engine.ProblemsError
	switch {
	case err == nil:
		i.site.Redirect(w, r, goTo)
		return nil
	case errors.As(err, &refused):
		e.Problems = refused.Problems
		e.askSecretsAgain()
		return i.draw(w, r, http.StatusUnprocessableEntity, e.draft, nil)
	case old.ID != "" && integration.KindOf(err) == integration.KindConflict:
		return i.overtaken(w, r, e)
	case old.ID != "" && integration.KindOf(err) == integration.KindNotFound:
		// Something else than the integration may not be found, such as its plugin.
		if _, gone := i.stored(r); gone != nil {
			return gone
		}
	}
	// A failure that passes must not cost what was typed.
	if known := integration.KindOf(err); known == integration.KindUnavailable || known == integration.KindDeadline {
		e.askSecretsAgain()
		return i.draw(w, r, http.StatusServiceUnavailable, e.draft, []layout.Notice{{Tone: "bad", Text: "Not saved: " + layout.Message(err) + " Your values are still below: try again in a moment."}})
	}
	return err
}

// enter reads the form's values and stores its files. The files are stored before the form is
// accepted, so that a form that is refused for another reason need not upload them again.
func (i *Integrations) enter(ctx context.Context, sub submission, old store.Integration) (entered, error) {
	v := sub.values
	e := entered{draft: draft{ID: old.ID, Plugin: old.Plugin, Name: strings.TrimSpace(v.Get("name")), Enabled: v.Get("enabled") != "",
		Maintenance: v.Get("maintenance") != "", Urgency: v.Get("urgency"), Nonce: v.Get("nonce")}}
	if old.ID == "" {
		e.Plugin = v.Get("plugin")
	}
	// A form without a revision replaces whatever is stored, as the API does.
	e.Revision, _ = strconv.ParseInt(v.Get("revision"), 10, 64)
	for _, value := range v["destination"] {
		if kind, id, ok := strings.Cut(value, ":"); ok {
			e.Chosen = append(e.Chosen, platform.Ref{Kind: integration.DestinationKind(kind), ID: id})
		}
	}
	var err error
	if _, e.form, err = i.plugin(ctx, e.Plugin); err != nil {
		return e, err
	}
	uploads, problems, err := i.keepUploads(ctx, e.form, sub)
	if err != nil {
		return e, err
	}
	e.Problems = problems
	if e.options, err = e.form.Decode(v, old.Options, uploads); err != nil {
		return e, err
	}
	e.Values, e.typed, err = shown(e.form, e.options, old.Options)
	return e, err
}

// shown is a typed document as it may be shown again: secrets are as the store has them, and none
// that was typed is in it. typed lists the fields of those.
func shown(f *form.Form, options, old []byte) (values []byte, typed []string, err error) {
	doc, before := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal(options, &doc); err != nil {
		return nil, nil, err
	}
	if len(old) > 0 {
		if err := json.Unmarshal(old, &before); err != nil {
			return nil, nil, err
		}
	}
	for _, g := range f.Groups {
		for _, field := range g.Fields {
			if !field.Secret {
				continue
			}
			if v, ok := doc[field.Key]; ok && string(v) != "null" {
				typed = append(typed, field.Key)
			}
			delete(doc, field.Key)
			if _, ok := before[field.Key]; ok {
				doc[field.Key] = json.RawMessage(`{"set":true}`)
			}
		}
	}
	values, err = json.Marshal(doc)
	return values, typed, err
}

// askSecretsAgain says beside each secret that was typed that the form no longer holds it: secrets
// are never sent to a browser.
func (e *entered) askSecretsAgain() {
	for _, key := range e.typed {
		e.Warnings = append(e.Warnings, integration.Problem{Path: key, Message: "This value was not saved and cannot be shown again. Type it again."})
	}
}

// overtaken shows the form as it was typed and says that somebody else saved first, and which
// fields differ. Submitted again, it replaces what they saved: a person has seen the difference.
func (i *Integrations) overtaken(w http.ResponseWriter, r *http.Request, e entered) error {
	now, err := i.stored(r)
	if err != nil {
		return err
	}
	theirs, err := storedDraft(now)
	if err != nil {
		return err
	}
	text := "Somebody else saved this integration while you were editing it, so your changes were not saved. Your values are still below. "
	if fields := differing(e, theirs); len(fields) > 0 {
		text += "Theirs differ in: " + strings.Join(fields, ", ") + ". Open this page in another tab to see them. "
	}
	text += "Save again to replace their values with yours."
	// The form now names the revision that its reader has been told of.
	e.Revision = now.Revision
	e.askSecretsAgain()
	return i.draw(w, r, http.StatusConflict, e.draft, []layout.Notice{{Tone: "bad", Text: text}})
}

// differing lists, by label, what would change if the form replaced what is stored.
func differing(e entered, theirs draft) []string {
	var out []string
	for _, c := range []struct {
		label string
		same  bool
	}{
		{"Name", e.Name == theirs.Name}, {"On", e.Enabled == theirs.Enabled}, {"Maintenance", e.Maintenance == theirs.Maintenance},
		{"Urgency", e.Urgency == theirs.Urgency}, {"Destinations", slices.Equal(e.Chosen, theirs.Chosen)},
	} {
		if !c.same {
			out = append(out, c.label)
		}
	}
	mine, stored := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if json.Unmarshal(e.Values, &mine) != nil || json.Unmarshal(theirs.Values, &stored) != nil {
		return out
	}
	for _, g := range e.form.Groups {
		for _, field := range g.Fields {
			if !field.Secret && !bytes.Equal(orDefault(mine[field.Key], field), orDefault(stored[field.Key], field)) {
				out = append(out, field.Title)
			}
		}
	}
	return out
}

// orDefault is a value, or what its absence means: a field that was never saved is no difference to
// one that holds the default.
func orDefault(v json.RawMessage, field form.Field) json.RawMessage {
	if v != nil {
		return v
	}
	if field.Default != nil {
		return bytes.TrimSpace(field.Default)
	}
	switch field.Type {
	case "boolean":
		return json.RawMessage("false")
	case "array":
		return json.RawMessage("[]")
	case "string":
		return json.RawMessage(`""`)
	}
	return nil
}
