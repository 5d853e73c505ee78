package integrations

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// integrationView is an integration as answers show it: its secrets are {"set": true}. A client may
// send it back as it got it; see draftBody.
type integrationView struct {
	ID           string           `json:"id"`
	Plugin       string           `json:"plugin"`
	Name         string           `json:"name"`
	Enabled      bool             `json:"enabled"`
	Maintenance  bool             `json:"maintenance"`
	Urgency      string           `json:"urgency"`
	Destinations []platform.Ref   `json:"destinations"`
	Options      json.RawMessage  `json:"options"`
	Revision     int64            `json:"revision"`
	EndpointURL  string           `json:"endpoint_url"`
	Numbers      []string         `json:"numbers"`
	Findings     []findingView    `json:"findings"`
	Warnings     []apikit.Problem `json:"warnings"`
	CreatedAt    *time.Time       `json:"created_at"`
	UpdatedAt    *time.Time       `json:"updated_at"`
}

// findingView is something that the plugin, or the host, found wrong while the integration was in
// use.
type findingView struct {
	Code     string                      `json:"code"`
	Severity integration.FindingSeverity `json:"severity"`
	Message  string                      `json:"message"`
	Field    string                      `json:"field"`
	At       *time.Time                  `json:"at"`
}

// draftBody is an integration as a client sends it. What only answers carry is taken and ignored,
// so that a client may read, change and send back; except revision, which is checked, and id, which
// must be that of the address. Enabled is a pointer to tell false from missing.
type draftBody struct {
	Plugin       string          `json:"plugin"`
	Name         string          `json:"name"`
	Enabled      *bool           `json:"enabled"`
	Maintenance  bool            `json:"maintenance"`
	Urgency      string          `json:"urgency"`
	Destinations []platform.Ref  `json:"destinations"`
	Options      json.RawMessage `json:"options"`
	Revision     int64           `json:"revision"`
	ID           string          `json:"id"`

	EndpointURL json.RawMessage `json:"endpoint_url"`
	Numbers     json.RawMessage `json:"numbers"`
	Findings    json.RawMessage `json:"findings"`
	Warnings    json.RawMessage `json:"warnings"`
	CreatedAt   json.RawMessage `json:"created_at"`
	UpdatedAt   json.RawMessage `json:"updated_at"`
}

// draft is what the engine is asked to save. online makes the plugin ask the external service too.
func (b draftBody) draft(online bool) engine.Draft {
	return engine.Draft{
		Plugin: b.Plugin, Name: b.Name,
		// An integration that nobody asked to switch off serves calls.
		Enabled:     b.Enabled == nil || *b.Enabled,
		Maintenance: b.Maintenance, Urgency: b.Urgency, Destinations: b.Destinations, Options: b.Options, Online: online,
	}
}

// integrationView shows an integration without its secrets. numbers are the hotline's own, see
// names.Numbers. warnings are those of the save that the answer is for; reading an integration does
// not ask the plugin.
func (o *Operations) integrationView(ctx context.Context, in store.Integration, numbers map[string]string, warnings []integration.Problem) (integrationView, error) {
	options, err := form.HideSecrets(in.Options, in.SecretFields)
	if err != nil {
		return integrationView{}, err
	}
	findings, err := o.Store.Findings(ctx, in.ID)
	if err != nil {
		return integrationView{}, err
	}
	view := integrationView{
		ID: in.ID, Plugin: in.Plugin, Name: in.Name, Enabled: in.Enabled, Maintenance: in.Maintenance, Urgency: in.Urgency,
		Destinations: apikit.List(in.Destinations), Options: options, Revision: in.Revision, EndpointURL: o.EndpointURL(in.ID),
		Numbers: []string{}, Findings: []findingView{}, Warnings: apikit.Problems(warnings),
		CreatedAt: apikit.Moment(in.CreatedAt), UpdatedAt: apikit.Moment(in.UpdatedAt),
	}
	for _, number := range slices.Sorted(maps.Keys(numbers)) {
		if numbers[number] == in.ID {
			view.Numbers = append(view.Numbers, number)
		}
	}
	for _, f := range findings {
		view.Findings = append(view.Findings, findingView{f.Code, f.Severity, f.Message, f.Field, apikit.Moment(f.At)})
	}
	return view, nil
}

// listIntegrations answers GET /integrations: all of them, by name. There are few, so the list has
// no limit. The numbers are read once for all of them.
func (o *Operations) listIntegrations(w http.ResponseWriter, r *http.Request) error {
	all, err := o.Store.ListIntegrations(r.Context())
	if err != nil {
		return err
	}
	numbers, err := names.Numbers(r.Context(), o.Store)
	if err != nil {
		return err
	}
	views := make([]integrationView, 0, len(all))
	for _, in := range all {
		view, err := o.integrationView(r.Context(), in, numbers, nil)
		if err != nil {
			return err
		}
		views = append(views, view)
	}
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}

// getIntegration answers GET /integrations/{id}.
func (o *Operations) getIntegration(w http.ResponseWriter, r *http.Request) error {
	in, err := o.Store.Integration(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return o.answerIntegration(w, r, http.StatusOK, in, nil)
}

// answerIntegration sends an integration, with its revision as ETag: a client that sends it back as
// If-Match cannot overwrite what it has not seen.
func (o *Operations) answerIntegration(w http.ResponseWriter, r *http.Request, status int, in store.Integration, warnings []integration.Problem) error {
	numbers, err := names.Numbers(r.Context(), o.Store)
	if err != nil {
		return err
	}
	view, err := o.integrationView(r.Context(), in, numbers, warnings)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", strconv.Quote(strconv.FormatInt(in.Revision, 10)))
	if status == http.StatusCreated {
		w.Header().Set("Location", apikit.Prefix+"/integrations/"+in.ID)
	}
	httpkit.WriteJSON(w, status, view)
	return nil
}

// answerSaved sends an integration that was saved, with the plugin's warnings and the host's own.
func (o *Operations) answerSaved(w http.ResponseWriter, r *http.Request, status int, in store.Integration, warnings []integration.Problem) error {
	people.About(r.Context(), in.ID, in.Name)
	loops, err := names.Loops(r.Context(), o.Platform, o.Store)
	if err != nil {
		// Only logged: the integration is saved.
		o.Logger.WarnContext(r.Context(), "cannot compare phones with the hotline's own numbers", "error", err.Error())
	}
	return o.answerIntegration(w, r, status, in, append(warnings, loops...))
}

// createIntegration answers POST /integrations. An id in the body is refused, as it would read like
// an update of another integration. With ?online=true the plugin asks the telephone service whether
// the credentials are right.
func (o *Operations) createIntegration(w http.ResponseWriter, r *http.Request) error {
	var body draftBody
	if err := apikit.ReadJSON(w, r, &body); err != nil {
		return err
	}
	if body.ID != "" {
		return apikit.BadRequest("id is given by the host: leave it out, or use PUT %s/integrations/{id} to replace an integration", apikit.Prefix)
	}
	online, err := apikit.QueryBool(r, "online")
	if err != nil {
		return err
	}
	in, warnings, err := o.Engine.Configure(r.Context(), "", 0, body.draft(online))
	if err != nil {
		return err
	}
	return o.answerSaved(w, r, http.StatusCreated, in, warnings)
}

// replaceIntegration answers PUT /integrations/{id}. What the body leaves out gets its default,
// except for the plugin and secrets, which stay as they are. Another revision than the client has
// seen is a conflict.
func (o *Operations) replaceIntegration(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	var body draftBody
	if err := apikit.ReadJSON(w, r, &body); err != nil {
		return err
	}
	if body.ID != "" && body.ID != id {
		return apikit.BadRequest("id differs from the id in the address: leave it out")
	}
	revision, err := wantedRevision(r, body.Revision)
	if err != nil {
		return err
	}
	online, err := apikit.QueryBool(r, "online")
	if err != nil {
		return err
	}
	in, warnings, err := o.Engine.Configure(r.Context(), id, revision, body.draft(online))
	if err != nil {
		return err
	}
	return o.answerSaved(w, r, http.StatusOK, in, warnings)
}

// wantedRevision is the revision the client saw, by If-Match or in the body; 0: any.
func wantedRevision(r *http.Request, body int64) (int64, error) {
	if body < 0 {
		return 0, apikit.BadRequest("revision must be the number from the response, or be left out")
	}
	tag := strings.TrimSpace(r.Header.Get("If-Match"))
	// "*" stands for any revision (RFC 9110, If-Match).
	if tag == "" || tag == "*" {
		return body, nil
	}
	n, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), 10, 64)
	if err != nil || n < 1 {
		return 0, apikit.BadRequest("If-Match must be the ETag from the response, such as \"3\"")
	}
	if body != 0 && body != n {
		return 0, apikit.BadRequest("If-Match and revision name different revisions: give one of them")
	}
	return n, nil
}

// deleteIntegration answers DELETE /integrations/{id} with 204. Calls in progress go on to their
// end. A second time is 404.
func (o *Operations) deleteIntegration(w http.ResponseWriter, r *http.Request) error {
	if err := o.Engine.Remove(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// actionBody holds the values of an action's fields, by name.
type actionBody struct {
	Values map[string]string `json:"values"`
}

// actionView is the result of an action.
type actionView struct {
	OK       bool             `json:"ok"`
	Lines    []actionLineView `json:"lines"`
	Findings []findingView    `json:"findings"`
}

// actionLineView is one line of a result.
type actionLineView struct {
	Level  string `json:"level"`
	Text   string `json:"text"`
	Field  string `json:"field"`
	Choice string `json:"choice"`
}

// runAction answers POST /integrations/{id}/actions/{name}. An action that fails is an answer with
// "ok": false; an error means that it could not be run. It is run each time it is asked for: unlike
// a form it carries no number.
func (o *Operations) runAction(w http.ResponseWriter, r *http.Request) error {
	var body actionBody
	if r.ContentLength != 0 { // an action without values needs no body
		if err := apikit.ReadJSON(w, r, &body); err != nil {
			return err
		}
	}
	result, err := o.Engine.RunAction(r.Context(), r.PathValue("id"), r.PathValue("name"), body.Values)
	if err != nil {
		return err
	}
	people.AboutAction(r.Context(), r.PathValue("name"))
	httpkit.WriteJSON(w, http.StatusOK, viewResult(result))
	return nil
}

// viewResult shows the result of an action.
func viewResult(result integration.ActionResult) *actionView {
	view := &actionView{OK: result.OK, Lines: []actionLineView{}, Findings: []findingView{}}
	for _, l := range result.Lines {
		view.Lines = append(view.Lines, actionLineView(l))
	}
	for _, f := range result.Findings {
		view.Findings = append(view.Findings, findingView{f.Code, f.Severity, f.Message, f.Field, apikit.Moment(f.At)})
	}
	return view
}
