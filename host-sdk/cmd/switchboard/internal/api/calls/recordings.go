package calls

import (
	"net/http"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// mayHear refuses a recording to the link in a page that is about another alert, and has the audit
// note who heard it. What players fetch of one later on is not noted again. A prompt is heard by
// every caller, and is not noted.
func (o *Operations) mayHear(r *http.Request, m store.Medium) error {
	who := people.From(r.Context())
	if who.Alert != "" && !o.recordingOf(r, who.Alert, m.Ref) {
		return apikit.Refuse(http.StatusForbidden, "unauthorized", "%s", who.Refuse(people.Hear).Message)
	}
	if !m.Public {
		o.People.Heard(r, m.Ref, m.Name)
	}
	return nil
}

// recordingOf reports whether a recording belongs to an alert, or to its call. What cannot be read
// belongs to nobody: it is refused.
func (o *Operations) recordingOf(r *http.Request, alert, ref string) bool {
	if o.browser == nil {
		return false
	}
	rec, err := o.browser.GetAlert(r.Context(), alert)
	if err != nil {
		return false
	}
	if slices.ContainsFunc(rec.Attachments, func(t platform.Attachment) bool { return t.Media.Ref == ref }) {
		return true
	}
	c, err := o.Store.CallByAlert(r.Context(), rec.Integration, rec.Key)
	return err == nil && slices.ContainsFunc(c.Recordings, func(one store.Recording) bool { return one.Media.Ref == ref })
}

// getMedium gives a recording or a prompt to those who may hear it; ?download=true as a file to
// save. Browsers may keep it but must ask each time, as it may have been deleted.
func (o *Operations) getMedium(w http.ResponseWriter, r *http.Request) error {
	download, err := apikit.QueryBool(r, "download")
	if err != nil {
		return err
	}
	ref := r.PathValue("ref")
	// A path of something else must not be looked up as if it were a reference.
	if !strings.HasPrefix(ref, "media:") {
		return apikit.Refuse(http.StatusNotFound, "not_found", "there is no such medium: references begin with media:")
	}
	m, err := o.Store.Medium(r.Context(), ref)
	if err != nil {
		return o.goneMedium(r, ref, err)
	}
	if err := o.mayHear(r, m); err != nil {
		return err
	}
	disposition := "inline"
	if download {
		disposition = "attachment"
	}
	httpkit.ServeMedium(w, r, m, "private, no-cache", disposition)
	return nil
}
