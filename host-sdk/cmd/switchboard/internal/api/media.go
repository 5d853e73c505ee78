package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/audio"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// mediumView says how an uploaded prompt is named in an option.
type mediumView struct {
	Ref         string  `json:"ref"`
	Name        string  `json:"name"`
	ContentType string  `json:"content_type"`
	Bytes       int64   `json:"bytes"`
	Duration    float64 `json:"duration"` // seconds
}

// uploadMedia takes a prompt: as the part "file" of a form, or as the body itself with its name in
// ?name=. The type is found in the content; what the client says of it is not believed, as the file
// is served to the public. The same file again is the same reference.
func (a *API) uploadMedia(w http.ResponseWriter, r *http.Request) error {
	httpkit.Extend(w, time.Now(), httpkit.UploadTime) // wall clock: a deadline of real I/O
	name, data, err := readUpload(w, r)
	if err != nil {
		return err
	}
	info, err := audio.Inspect(data)
	switch {
	case errors.Is(err, audio.ErrTooLarge):
		return refuse(http.StatusRequestEntityTooLarge, "invalid", "%s", err)
	case errors.Is(err, audio.ErrType):
		return refuse(http.StatusUnsupportedMediaType, "invalid", "%s", err)
	case err != nil:
		return badRequest("%s", err)
	}
	ref := integration.MediaRef{Name: name, ContentType: info.ContentType, Duration: info.Duration}
	ref.Name = httpkit.FileName(ref)
	m, err := a.cfg.Store.PutMedium(r.Context(), store.Medium{MediaRef: ref, Public: true, Data: data})
	if err != nil {
		return err
	}
	httpkit.WriteJSON(w, http.StatusCreated, mediumView{
		Ref: m.Ref, Name: m.Name, ContentType: m.ContentType, Bytes: m.Bytes, Duration: m.Duration.Seconds(),
	})
	return nil
}

// readUpload reads the file of a request and its name. A form is read part by part, so that nothing
// but the file is kept in memory. The other parts of a form are skipped.
func readUpload(w http.ResponseWriter, r *http.Request) (name string, data []byte, err error) {
	const envelope = 64 << 10 // what a form adds around the file
	r.Body = http.MaxBytesReader(w, r.Body, audio.MaxBytes+envelope)
	content := io.Reader(r.Body)
	name = r.URL.Query().Get("name")
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t == "multipart/form-data" {
		form, err := r.MultipartReader()
		if err != nil {
			return "", nil, badRequest("the form cannot be read: send the file as part \"file\" of multipart/form-data")
		}
		for {
			part, err := form.NextPart()
			if errors.Is(err, io.EOF) {
				return "", nil, badRequest("the form has no part \"file\"")
			}
			if err != nil {
				return "", nil, bodyError(err, "16 MiB")
			}
			if part.FormName() == "file" {
				name, content = part.FileName(), part
				break
			}
		}
	}
	// One byte more than allowed, so that a file which is too large is noticed by audio.Inspect.
	data, err = io.ReadAll(io.LimitReader(content, audio.MaxBytes+1))
	if err != nil {
		return "", nil, bodyError(err, "16 MiB")
	}
	return name, data, nil
}

// mayHear refuses a recording to the link in a page that is about another alert, and has the audit
// note who heard it. What players fetch of one later on is not noted again. A prompt is heard by
// every caller, and is not noted.
func (a *API) mayHear(r *http.Request, m store.Medium) error {
	who := people.From(r.Context())
	if who.Alert != "" && !a.recordingOf(r, who.Alert, m.Ref) {
		return refuse(http.StatusForbidden, "unauthorized", "%s", who.Refuse(people.Hear).Message)
	}
	if !m.Public {
		a.cfg.People.Heard(r, m.Ref, m.Name)
	}
	return nil
}

// recordingOf reports whether a recording belongs to an alert, or to its call. What cannot be read
// belongs to nobody: it is refused.
func (a *API) recordingOf(r *http.Request, alert, ref string) bool {
	if a.browser == nil {
		return false
	}
	rec, err := a.browser.GetAlert(r.Context(), alert)
	if err != nil {
		return false
	}
	if slices.ContainsFunc(rec.Attachments, func(t platform.Attachment) bool { return t.Media.Ref == ref }) {
		return true
	}
	c, err := a.cfg.Store.CallByAlert(r.Context(), rec.Integration, rec.Key)
	return err == nil && slices.ContainsFunc(c.Recordings, func(one store.Recording) bool { return one.Media.Ref == ref })
}

// getMedium gives a recording or a prompt to those who may hear it; ?download=true as a file to
// save. Browsers may keep it but must ask each time, as it may have been deleted.
func (a *API) getMedium(w http.ResponseWriter, r *http.Request) error {
	download, err := queryBool(r, "download")
	if err != nil {
		return err
	}
	ref := r.PathValue("ref")
	// A path of something else must not be looked up as if it were a reference.
	if !strings.HasPrefix(ref, "media:") {
		return refuse(http.StatusNotFound, "not_found", "there is no such medium: references begin with media:")
	}
	m, err := a.cfg.Store.Medium(r.Context(), ref)
	if err != nil {
		return a.goneMedium(r, ref, err)
	}
	if err := a.mayHear(r, m); err != nil {
		return err
	}
	disposition := "inline"
	if download {
		disposition = "attachment"
	}
	httpkit.ServeMedium(w, r, m, "private, no-cache", disposition)
	return nil
}
