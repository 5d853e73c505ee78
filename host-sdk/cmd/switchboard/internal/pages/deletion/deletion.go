package deletion

import (
	"context"
	"embed"
	"net/http"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

//go:embed templates
var templates embed.FS

// Engine is what these pages need of *engine.Engine. The engine and not the store deletes, as it
// also changes the platform's alert and has the telephone service delete its copies.
type Engine interface {
	DeleteRecording(ctx context.Context, integrationID, key, ref string, d store.Deletion) error
	DeleteCall(ctx context.Context, integrationID, key string, d store.Deletion) error
	DeleteAlert(ctx context.Context, integrationID, alertKey string) error
	Forgettable(ctx context.Context, number string) (engine.Forgettable, error)
	Forget(ctx context.Context, number string, d store.Deletion) (engine.Forgotten, error)
}

// Deletion serves the pages. Each deletion has a page that asks first, so that a single click, or a
// link that somebody sends, deletes nothing.
type Deletion struct {
	site    *layout.Site
	store   store.Store
	engine  Engine
	browser platform.AlertBrowser // nil: the platform shows its alerts itself
}

// New adds the pages to a site.
func New(site *layout.Site, s store.Store, engine Engine) (*Deletion, error) {
	d := &Deletion{site: site, store: s, engine: engine}
	d.browser, _ = site.Platform.(platform.AlertBrowser)
	return d, site.Parse(templates, nil, "alertdelete", "calldelete", "deletion", "forget", "forgotten", "recordingdelete")
}

// by says who deletes. It goes into the call's story and into what waits to be deleted at the
// telephone service; CauseDeleted, as a person has asked for it rather than a retention.
func (d *Deletion) by(r *http.Request) store.Deletion {
	return store.Deletion{By: people.From(r.Context()).Who(), At: d.site.Clock.Now(), Cause: store.CauseDeleted}
}

// refused is the answer to what cannot be deleted now; other errors are returned as they are. A
// conflict is a call in progress, or an alert that is still open.
func refused(err error) error {
	if integration.KindOf(err) == integration.KindConflict {
		return &layout.Refusal{Status: http.StatusConflict, Title: "Nothing was deleted", Message: httpkit.Message(err)}
	}
	return err
}

// skipped leaves a deletion out of the audit of which the error says that somebody else was faster.
func skipped(r *http.Request, err error) {
	if integration.KindOf(err) == integration.KindNotFound {
		people.SkipAudit(r.Context())
	}
}

// call reads the record that an address names; of several of one key, the newest. Keys are the
// telephone service's ids, unique within an integration; two integrations of one account may both
// have had the call.
func (d *Deletion) call(r *http.Request) (store.Call, error) {
	calls, err := d.store.CallsByKey(r.Context(), r.PathValue("sid"))
	if err == nil && len(calls) == 0 {
		return store.Call{}, &layout.Refusal{Status: http.StatusNotFound, Title: "No such call", Message: "There is no call with this id, or its record has been deleted."}
	}
	if err != nil {
		return store.Call{}, err
	}
	return calls[0], nil
}

// ConfirmCall asks before the record of a call is deleted.
func (d *Deletion) ConfirmCall(w http.ResponseWriter, r *http.Request) error {
	c, err := d.call(r)
	if err != nil {
		return err
	}
	d.site.Show(w, r, http.StatusOK, layout.Page{Title: "Delete this call?", Template: "calldelete", Nav: "calls", Body: c})
	return nil
}

// Call deletes the record of a call. A second click is no error. Its recordings go with it; its
// alert stays.
func (d *Deletion) Call(w http.ResponseWriter, r *http.Request) error {
	c, err := d.call(r)
	if err == nil {
		err = d.engine.DeleteCall(r.Context(), c.Integration, c.Key, d.by(r))
	}
	if err != nil && integration.KindOf(err) != integration.KindNotFound {
		return refused(err)
	}
	skipped(r, err)
	d.site.Redirect(w, r, "/calls?deleted=1")
	return nil
}

// recordingBody is what the page that asks about a recording shows.
type recordingBody struct {
	Recording store.Recording
	Call      store.Call
	Others    int // calls that have the very same recording besides
}

// recording reads the recording that an address names, with the newest call that has it. Addresses
// leave the prefix of references out; both ways are read. calls are all that have the recording, as
// equal files are stored once.
func (d *Deletion) recording(r *http.Request) (recordingBody, []store.Call, error) {
	ref := "media:" + strings.TrimPrefix(r.PathValue("ref"), "media:")
	calls, err := d.store.RecordingCalls(r.Context(), ref)
	if err != nil {
		return recordingBody{}, nil, err
	}
	for _, c := range calls {
		for _, one := range c.Recordings {
			if one.Media.Ref == ref {
				return recordingBody{Recording: one, Call: c, Others: len(calls) - 1}, calls, nil
			}
		}
	}
	return recordingBody{}, nil, &layout.Refusal{Status: http.StatusNotFound, Title: "No such recording", Message: "There is no recording with this id, or the record of its call has been deleted."}
}

// ConfirmRecording asks before a recording is deleted.
func (d *Deletion) ConfirmRecording(w http.ResponseWriter, r *http.Request) error {
	body, _, err := d.recording(r)
	if err != nil {
		return err
	}
	d.site.Show(w, r, http.StatusOK, layout.Page{Title: "Delete this recording?", Template: "recordingdelete", Nav: "calls", Body: body})
	return nil
}

// Recording deletes a recording of all calls that have it. A second click is no error. The same
// bytes are one file: left in one call, they would still be heard.
func (d *Deletion) Recording(w http.ResponseWriter, r *http.Request) error {
	body, calls, err := d.recording(r)
	if err != nil {
		return err
	}
	// There is no transaction around the calls: if one fails, those before it are done, and the
	// person tries again. A call that lost it meanwhile is passed over.
	gone := error(integration.Errorf(integration.KindNotFound, "no call has the recording any more"))
	for _, c := range calls {
		err := d.engine.DeleteRecording(r.Context(), c.Integration, c.Key, body.Recording.Media.Ref, d.by(r))
		if err != nil && integration.KindOf(err) != integration.KindNotFound {
			return refused(err)
		}
		if err == nil {
			gone = nil
		}
	}
	skipped(r, gone)
	d.site.Redirect(w, r, "/calls/"+url.PathEscape(body.Call.Key)+"?done=unrecorded")
	return nil
}
