package integrationform

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Saved is an integration that a form has saved. Created tells a new integration's first page from
// a later one.
type Saved struct {
	store.Integration
	Created bool
}

// What a saved form says.
const (
	CreatedText = "Saved. Next, direct a phone number to the endpoint URL, with an action below or by hand."
	SavedText   = "Saved. New calls use these settings."
)

// Refused is a form that was not saved, to be shown again as it was typed.
type Refused struct {
	Draft
	Status int // of HTTP, that says why
	Notice string
}

// Error implements error.
func (r *Refused) Error() string { return "the form was not saved: " + http.StatusText(r.Status) }

// entered is a form as it was typed, to be saved or shown again. Its draft is what may be shown,
// its options what is saved. The two are kept apart so that no secret can reach a page by mistake.
type entered struct {
	Draft
	form    *form.Form
	options []byte   // with the secrets that were typed
	typed   []string // secrets that were typed: they cannot be shown again
	who     keptForm // under which they are kept
	lost    bool     // some that the form counts on are not kept
}

// Save saves a form once, however often it is posted: a second click would else make a second
// integration, or be a conflict with oneself. old is the stored integration, or a new one with the
// plugin alone. A *Refused is a form that a person can correct.
func (f *Forms) Save(ctx context.Context, s Submission, old store.Integration) (Saved, error) {
	e, err := f.enter(ctx, s, old)
	if err != nil {
		return Saved{}, err
	}
	sum := s.sum(old.ID)
	// The uploads are stored before it, as their names go into the digest by their content anyway.
	result, err := f.once.do(e.Nonce, sum, func() (any, error) {
		// A second click that met another host, which has no secrets for it: the first one has
		// made the integration.
		if e.lost && old.ID == "" {
			if in, err := f.cfg.Store.Integration(ctx, newID(sum)); err == nil {
				return Saved{in, true}, nil
			}
		}
		if len(e.Problems) > 0 { // the engine would not know of them
			return nil, &engine.ProblemsError{Problems: e.Problems}
		}
		draft := engine.Draft{
			Plugin: e.Plugin, Name: e.Name, Enabled: e.Enabled, Maintenance: e.Maintenance, Urgency: e.Urgency,
			Destinations: e.Chosen, Options: e.options,
		}
		// Without a number of the usual length the form is a program's, which gets a random id.
		if old.ID == "" && len(e.Nonce) == nonceLength {
			draft.NewID = newID(sum)
		}
		in, _, err := f.cfg.Engine.Configure(ctx, old.ID, e.Revision, draft)
		if draft.NewID != "" && integration.KindOf(err) == integration.KindConflict {
			in, err = f.cfg.Store.Integration(ctx, draft.NewID) // another host got the first click
		}
		return Saved{in, old.ID == ""}, err
	})
	if err != nil {
		return Saved{}, f.refused(ctx, e, err)
	}
	f.kept.keep(e.who, nil)
	saved, _ := result.(Saved)
	return saved, nil
}

// newID is the id of the integration that a form makes. It follows from what was posted, the form's
// random number included: so hosts that share a store make one integration of a form that each of
// them gets. It has the form of any other id of ours, but no time in it.
func newID(sum [sha256.Size]byte) string {
	return "int_" + strings.ToLower(ulid.ULID(sum[:16]).String())
}

// refused is why a form was not saved: a *Refused if it can be posted again. Everything else is an
// error of the page.
func (f *Forms) refused(ctx context.Context, e entered, err error) error {
	var problems *engine.ProblemsError
	kind := integration.KindOf(err)
	switch {
	case errors.As(err, &problems):
		e.Problems = inFormWords(problems.Problems)
		return f.again(e, http.StatusUnprocessableEntity, "")
	case e.ID != "" && kind == integration.KindConflict:
		return f.overtaken(ctx, e)
	case e.ID != "" && kind == integration.KindNotFound:
		// Something else than the integration may not be found, such as its plugin.
		if _, gone := f.Find(ctx, e.ID); gone != nil {
			return Unsaved(gone)
		}
	case kind == integration.KindUnavailable || kind == integration.KindDeadline:
		// A failure that passes must not cost what was typed.
		return f.again(e, http.StatusServiceUnavailable, "Not saved: "+httpkit.Message(err)+" Your values are still below: try again in a moment.")
	}
	return err
}

// again is the form as it was typed, to be posted again.
func (f *Forms) again(e entered, status int, notice string) error {
	if err := f.keepSecrets(&e); err != nil {
		return err
	}
	return &Refused{Draft: e.Draft, Status: status, Notice: notice}
}

// inFormWords are problems of the engine, which speaks of an API's fields, in the words of the
// form.
func inFormWords(problems []integration.Problem) []integration.Problem {
	out := slices.Clone(problems)
	for i := range out {
		if out[i].Path == "destinations" && out[i].Code == "required" {
			out[i].Message = "Who callers can reach is missing: choose at least one team or router"
		}
	}
	return out
}

// enter reads the form's values and stores its files. The files are stored before the form is
// accepted, so that a form that is refused for another reason need not upload them again. Errors
// are those of the plugin and of the store; what is wrong with the values is among the draft's
// problems, or found when it is saved.
func (f *Forms) enter(ctx context.Context, s Submission, old store.Integration) (entered, error) {
	who := keptForm{f.cfg.Whose(ctx), s.Values.Get("nonce"), old.ID, old.Plugin}
	v, lost := f.kept.fill(who, s.Values)
	e := entered{who: who, Draft: Draft{ID: old.ID, Plugin: old.Plugin, Name: strings.TrimSpace(v.Get("name")), Enabled: v.Get("enabled") != "",
		Maintenance: v.Get("maintenance") != "", Urgency: v.Get("urgency"), Nonce: v.Get("nonce")}}
	// A form without a revision replaces whatever is stored, as the API does.
	e.Revision, _ = strconv.ParseInt(v.Get("revision"), 10, 64)
	for _, value := range v["destination"] {
		if kind, id, ok := strings.Cut(value, ":"); ok {
			e.Chosen = append(e.Chosen, platform.Ref{Kind: integration.DestinationKind(kind), ID: id})
		}
	}
	var err error
	if _, _, e.form, err = f.plugin(ctx, e.Plugin); err != nil {
		return e, err
	}
	uploads, problems, err := f.keepUploads(ctx, e.form, s)
	if err != nil {
		return e, err
	}
	e.Problems = problems
	e.lost = len(lost) > 0
	for _, key := range lost {
		if field, ok := e.form.Field(key); ok && field.Secret {
			e.Problems = append(e.Problems, integration.Problem{Path: key, Code: "required", Message: field.Title + " is no longer kept: type it again"})
		}
	}
	// Secrets that were left empty keep their stored value; Decode takes it from old.
	if e.options, err = e.form.Decode(v, old.Options, uploads); err != nil {
		return e, err
	}
	e.Values, e.typed, err = shown(e.form, e.options, old.Options)
	return e, err
}

// shown is a typed document as it may be shown again: secrets are as the store has them, and none
// that was typed is in it. typed lists the fields of those. It works on the decoded document, so
// that no secret survives in an order or a spelling that was overlooked.
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
			// null takes a secret away and is nothing to type again.
			if v, ok := doc[field.Key]; ok && string(v) != "null" {
				typed = append(typed, field.Key)
			}
			delete(doc, field.Key)
			// The renderer shows that a value is set, without it.
			if _, ok := before[field.Key]; ok {
				doc[field.Key] = json.RawMessage(`{"set":true}`)
			}
		}
	}
	values, err = json.Marshal(doc)
	return values, typed, err
}

// overtaken shows the form as it was typed and says that somebody else saved first, and which
// fields differ. Submitted again, it replaces what they saved: a person has seen the difference. It
// is decided by the revision, not by the values.
func (f *Forms) overtaken(ctx context.Context, e entered) error {
	now, err := f.Find(ctx, e.ID)
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
	return f.again(e, http.StatusConflict, text)
}

// differing lists, by label, what would change if the form replaced what is stored. Secrets are
// left out: neither page nor notice may say anything about them.
func differing(e entered, theirs Draft) []string {
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
