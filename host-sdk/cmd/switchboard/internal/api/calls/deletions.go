package calls

import (
	"net/http"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// DeletedRecording says what became of a recording that is to be deleted. Its JSON is read by the
// command line, too.
type DeletedRecording struct {
	Ref   string   `json:"ref"`
	Calls []string `json:"calls"` // the ids of the calls whose record had it
	// Pending says that it is still to be deleted at the telephone service; GET /erasures lists it
	// until then.
	Pending bool `json:"pending"`
}

// deletion says who deletes, and why.
func (o *Operations) deletion(r *http.Request) store.Deletion {
	return store.Deletion{By: people.From(r.Context()).Who(), At: o.Clock.Now(), Cause: store.CauseDeleted}
}

// mediaRef is a reference as people write it: the prefix may be left out.
func mediaRef(text string) string {
	return "media:" + strings.TrimPrefix(text, "media:")
}

// deleteRecording answers DELETE /recordings/{ref}. Calls that recorded the very same sound have
// one medium: it is deleted for all of them.
func (o *Operations) deleteRecording(w http.ResponseWriter, r *http.Request) error {
	ref := mediaRef(r.PathValue("ref"))
	calls, err := o.Store.RecordingCalls(r.Context(), ref)
	if err != nil {
		return err
	}
	if len(calls) == 0 {
		return apikit.Refuse(http.StatusNotFound, "not_found", "there is no recording %q: take its ref from the record of its call", ref)
	}
	out := DeletedRecording{Ref: ref, Calls: []string{}, Pending: true}
	for _, c := range calls {
		if gone := deletedRecording(c, ref); gone != nil {
			continue
		}
		// The first failure ends it: the client asks again, and those that are done are passed
		// over.
		if err := o.Engine.DeleteRecording(r.Context(), c.Integration, c.Key, ref, o.deletion(r)); err != nil {
			return err
		}
		out.Calls = append(out.Calls, c.Key)
	}
	if len(out.Calls) == 0 {
		return o.refuseDeleted(calls, ref)
	}
	httpkit.WriteJSON(w, http.StatusOK, out)
	return nil
}

// deletedRecording is the recording of a call if it is deleted, else nil.
func deletedRecording(c store.Call, ref string) *store.Recording {
	for i, one := range c.Recordings {
		if one.Media.Ref == ref && !one.DeletedAt.IsZero() {
			return &c.Recordings[i]
		}
	}
	return nil
}

// refuseDeleted says when a recording was deleted, and by whom; nil: it was not. 410 rather than
// 404 tells a client that it is gone for good.
func (o *Operations) refuseDeleted(calls []store.Call, ref string) error {
	for _, c := range calls {
		if gone := deletedRecording(c, ref); gone != nil {
			who := "as its retention was over"
			if gone.DeletedBy != "" {
				who = "by " + gone.DeletedBy
			}
			return apikit.Refuse(http.StatusGone, "not_found", "the recording was deleted on %s, %s", gone.DeletedAt.UTC().Format("2 January 2006 at 15:04 UTC"), who)
		}
	}
	return nil
}

// goneMedium replaces the error for a medium that is not there by when it was deleted, if it was.
// Another error is returned as it is.
func (o *Operations) goneMedium(r *http.Request, ref string, err error) error {
	if integration.KindOf(err) != integration.KindNotFound {
		return err
	}
	calls, lookErr := o.Store.RecordingCalls(r.Context(), ref)
	if lookErr != nil {
		return err
	}
	if deleted := o.refuseDeleted(calls, ref); deleted != nil {
		return deleted
	}
	return err
}

// Erasure is something that is still to be deleted at the telephone service. It is in the list
// until the plugin has said that it is done.
type Erasure struct {
	IntegrationID string     `json:"integration_id"`
	Call          string     `json:"call"`
	Recordings    []string   `json:"recordings"` // their file names; none: all of the call
	Cause         string     `json:"cause"`
	AskedAt       *time.Time `json:"asked_at"`
	NextTry       *time.Time `json:"next_try"` // null: it is not tried again
	Attempts      int        `json:"attempts"`
	Reason        string     `json:"reason"` // why the last attempt failed; "": there was none
}

// listErasures answers GET /erasures. The oldest first.
func (o *Operations) listErasures(w http.ResponseWriter, r *http.Request) error {
	limit, err := apikit.QueryInt(r, "limit", 100, apikit.MaxList)
	if err != nil {
		return err
	}
	of := r.URL.Query().Get("integration")
	list, err := o.Store.ListErasures(r.Context(), of, limit)
	if err == nil && len(list) == 0 {
		err = o.lists().KnownIntegration(r.Context(), of)
	}
	if err != nil {
		return err
	}
	httpkit.WriteJSON(w, http.StatusOK, viewErasures(list))
	return nil
}

// viewErasures shows what is still to be deleted. File names and not references: at the telephone
// service nobody knows the latter.
func viewErasures(list []store.Erasure) []Erasure {
	out := make([]Erasure, 0, len(list))
	for _, x := range list {
		v := Erasure{IntegrationID: x.Integration, Call: x.Key, Recordings: []string{}, Cause: x.Cause, AskedAt: apikit.Moment(x.AskedAt), Attempts: x.Attempt, Reason: x.Reason}
		if !x.GivenUp {
			v.NextTry = apikit.Moment(x.Due)
		}
		for _, m := range x.Media {
			v.Recordings = append(v.Recordings, m.Name)
		}
		out = append(out, v)
	}
	return out
}

// deleteAlert answers DELETE /alerts/{id}: an alert that nobody has to do with any more, with its
// log. The record of its call stays. An alert that is still open is a conflict.
func (o *Operations) deleteAlert(w http.ResponseWriter, r *http.Request) error {
	rec, err := o.findAlert(r)
	if err == nil {
		err = o.Engine.DeleteAlert(r.Context(), rec.Integration, rec.Key)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// Forgotten says what was removed about a caller, and what lies outside.
type Forgotten struct {
	store.Forgotten
	Alerts int `json:"alerts"`
	// Still to be deleted at the telephone service; it is tried again.
	Pending []Erasure `json:"pending"`
	Outside []string  `json:"outside"` // what this did not change, a sentence each
}

// forgetBody names the caller.
type forgetBody struct {
	Number string `json:"number"`
}

// forget answers POST /forget. The audit says that a caller was forgotten, and not who. It may take
// minutes, see httpkit.TimeFor, and goes on when the client has gone.
func (o *Operations) forget(w http.ResponseWriter, r *http.Request) error {
	var body forgetBody
	if err := apikit.ReadJSON(w, r, &body); err != nil {
		return err
	}
	httpkit.Extend(w, time.Now(), httpkit.ForgetTime) // wall clock: a deadline of real I/O
	ctx, cancel := httpkit.Finish(r)
	defer cancel()
	got, err := o.Engine.Forget(ctx, strings.TrimSpace(body.Number), o.deletion(r))
	if err != nil {
		return err
	}
	people.About(r.Context(), "", wording.Count(got.Calls, "call", "calls"))
	out := Forgotten{Forgotten: got.Forgotten, Alerts: got.Alerts, Pending: viewErasures(got.Pending), Outside: got.Outside()}
	httpkit.WriteJSON(w, http.StatusOK, out)
	return nil
}
