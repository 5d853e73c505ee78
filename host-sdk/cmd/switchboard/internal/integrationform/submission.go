package integrationform

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/audio"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Limits of a form. They bound the memory that one request can take, before anything in it is
// looked at.
const (
	maxSubmission = 64 << 20 // bytes of a form with its files
	maxFieldText  = 64 << 10 // bytes of one text field
	maxFields     = 1000     // parts of a form
)

// Submission is a form as it was posted. It is not trusted: nothing of it has been looked at.
type Submission struct {
	Values url.Values
	files  map[string]file // by the name of the control
}

// file is an uploaded file. One that is too large has a problem instead of data. At most
// audio.MaxBytes are kept.
type file struct {
	name    string
	data    []byte
	problem error
}

var (
	errNoForm     = &httpkit.Refusal{Status: http.StatusUnsupportedMediaType, Title: "Not understood", Message: "Post the form's fields as multipart/form-data or application/x-www-form-urlencoded."}
	errUnreadable = &httpkit.Refusal{Status: http.StatusBadRequest, Title: "Not understood", Message: "The upload could not be read completely. Go back and try again."}
	errTooSlow    = &httpkit.Refusal{Status: http.StatusRequestTimeout, Title: "Too slow", Message: "The upload took longer than 5 minutes. Go back and upload smaller files, or one at a time."}
	errTooMuch    = &httpkit.Refusal{Status: http.StatusRequestEntityTooLarge, Title: "Too large", Message: "The files are larger than 64 MiB in total. Go back and upload them one at a time."}
)

// Read reads a posted form part by part, so that a file which is too large spoils no other
// field.
func Read(w http.ResponseWriter, r *http.Request) (Submission, error) {
	s := Submission{url.Values{}, map[string]file{}}
	httpkit.Extend(w, time.Now(), httpkit.UploadTime) // wall clock: a deadline of real I/O
	r.Body = http.MaxBytesReader(w, r.Body, maxSubmission)
	switch contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); contentType {
	case "multipart/form-data":
	case "application/x-www-form-urlencoded", "":
		// Some browsers name no type for a form without a field.
		if err := r.ParseForm(); err != nil {
			return s, bodyError(err)
		}
		s.Values = r.PostForm
		return s, nil
	default:
		return s, errNoForm
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return s, errUnreadable
	}
	// A limit on the parts, as each costs memory beyond its bytes.
	for range maxFields {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return s, bodyError(err)
		}
		if err := s.add(part); err != nil {
			return s, bodyError(err)
		}
	}
	return s, errUnreadable
}

// sum is a digest of all that was posted for this integration: a second click posts the same. The
// form's random number is among the values.
func (s Submission) sum(id string) [sha256.Size]byte {
	h := sha256.New()
	// A hash takes everything, and strings always have a JSON form.
	_ = json.NewEncoder(h).Encode([]any{id, s.Values})
	// Maps have no order, and the digest needs one; url.Values is sorted by its encoder.
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		_ = json.NewEncoder(h).Encode([]any{name, s.files[name].name, sha256.Sum256(s.files[name].data)})
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// add reads one part of the form: a field's value, or a file. Files are recognised by a file name
// or by the name of the control, as some browsers leave the former out.
func (s *Submission) add(part *multipart.Part) error {
	name := part.FormName()
	if part.FileName() == "" && !strings.HasSuffix(name, ".upload") {
		data, err := io.ReadAll(io.LimitReader(part, maxFieldText+1))
		if err != nil {
			return err
		}
		if len(data) > maxFieldText {
			return errUnreadable
		}
		s.Values.Add(name, string(data))
		return nil
	}
	// One byte more than allowed tells too large from just large enough.
	data, err := io.ReadAll(io.LimitReader(part, audio.MaxBytes+1))
	if err != nil || part.FileName() == "" && len(data) == 0 {
		return err // an input in which no file was chosen
	}
	f := file{name: part.FileName(), data: data}
	if len(data) > audio.MaxBytes {
		f.data, f.problem = nil, audio.ErrTooLarge
		// The rest must be read, or the parts behind it could not be.
		if _, err := io.Copy(io.Discard, part); err != nil {
			return err
		}
	}
	s.files[name] = f
	return nil
}

// bodyError is the refusal of a form that could not be read. A connection that broke off reads as
// an unreadable form.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	var own *httpkit.Refusal
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &tooLarge):
		return errTooMuch
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errTooSlow
	}
	return errUnreadable
}

// keepUploads stores the files of the form's fields as prompts, and returns their references by
// field. A file that is not audio is a problem of its field. A file whose form is refused stays
// stored: it is found again by its content when the form is submitted again. Prompts are public,
// since the foreign service fetches them without a login.
func (f *Forms) keepUploads(ctx context.Context, parsed *form.Form, s Submission) (map[string]string, []integration.Problem, error) {
	refs := map[string]string{}
	var problems []integration.Problem
	for _, key := range parsed.Uploadable() {
		up, ok := s.files[form.Prefix+key+".upload"]
		if !ok {
			continue
		}
		field, _ := parsed.Field(key)
		info, err := audio.Info{}, up.problem
		if err == nil {
			info, err = audio.Inspect(up.data)
		}
		// The field's own limit, which the plugin has set below the host's.
		if limit := field.Media.MaxBytes; err == nil && limit > 0 && int64(len(up.data)) > limit {
			err = fmt.Errorf("the file is larger than %d MiB: shorten it, or save it as MP3", limit>>20)
		}
		if err != nil {
			problems = append(problems, integration.Problem{Path: key, Code: "upload", Message: field.Title + ": " + err.Error()})
			continue
		}
		// The type comes from the content, not from what the browser claims.
		ref := integration.MediaRef{Name: up.name, ContentType: info.ContentType, Duration: info.Duration}
		ref.Name = httpkit.FileName(ref)
		m, err := f.cfg.Store.PutMedium(ctx, store.Medium{MediaRef: ref, Public: true, Data: up.data})
		if err != nil {
			return nil, nil, err
		}
		refs[key] = m.Ref
	}
	return refs, problems, nil
}
