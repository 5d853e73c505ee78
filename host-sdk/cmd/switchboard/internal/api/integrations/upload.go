package integrations

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/audio"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
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
func (o *Operations) uploadMedia(w http.ResponseWriter, r *http.Request) error {
	httpkit.Extend(w, time.Now(), httpkit.UploadTime) // wall clock: a deadline of real I/O
	name, data, err := readUpload(w, r)
	if err != nil {
		return err
	}
	info, err := audio.Inspect(data)
	switch {
	case errors.Is(err, audio.ErrTooLarge):
		return apikit.Refuse(http.StatusRequestEntityTooLarge, "invalid", "%s", err)
	case errors.Is(err, audio.ErrType):
		return apikit.Refuse(http.StatusUnsupportedMediaType, "invalid", "%s", err)
	case err != nil:
		return apikit.BadRequest("%s", err)
	}
	ref := integration.MediaRef{Name: name, ContentType: info.ContentType, Duration: info.Duration}
	ref.Name = httpkit.FileName(ref)
	m, err := o.Store.PutMedium(r.Context(), store.Medium{MediaRef: ref, Public: true, Data: data})
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
			return "", nil, apikit.BadRequest("the form cannot be read: send the file as part \"file\" of multipart/form-data")
		}
		for {
			part, err := form.NextPart()
			if errors.Is(err, io.EOF) {
				return "", nil, apikit.BadRequest("the form has no part \"file\"")
			}
			if err != nil {
				return "", nil, apikit.BodyError(err, "16 MiB")
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
		return "", nil, apikit.BodyError(err, "16 MiB")
	}
	return name, data, nil
}
