package layout

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Handler answers a request, or returns why it cannot: Site.Handle shows the error as a page.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Handle makes a Handler an http.Handler. A request ends after httpkit.RequestTime; one that
// uploads files gets the time for the upload in addition.
func (s *Site) Handle(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := httpkit.RequestTime
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			limit += httpkit.UploadTime // most of it may be over when the files have arrived
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		r = r.WithContext(ctx)
		if err := h(w, r); err != nil {
			s.Fail(w, r, err)
		}
	})
}

// Refusal is an error with a status and a text for people.
type Refusal struct {
	Status         int // of HTTP
	Title, Message string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

// NothingHere is the answer to an unknown address.
func NothingHere(http.ResponseWriter, *http.Request) error {
	return &Refusal{http.StatusNotFound, "Not found", "There is no page at this address."}
}

// Fail shows an error as a page. Texts of internal errors go to the log, never to a person.
func (s *Site) Fail(w http.ResponseWriter, r *http.Request, err error) {
	var own *Refusal
	var known *integration.Error
	switch {
	case errors.As(err, &own):
		s.ShowError(w, r, *own)
	case r.Context().Err() != nil:
		s.ShowError(w, r, Refusal{http.StatusGatewayTimeout, "No answer in time", "Something behind this page took too long. Try again."})
	case errors.As(err, &known) && known.Kind == integration.KindNotFound:
		s.ShowError(w, r, Refusal{http.StatusNotFound, "Not found", Sentence(known.Message)})
	case errors.As(err, &known) && (known.Kind == integration.KindUnavailable || known.Kind == integration.KindDeadline):
		s.ShowError(w, r, Refusal{http.StatusServiceUnavailable, "Temporarily unavailable", Sentence(known.Message) + " Try again in a moment."})
	case errors.As(err, &known) && known.Kind != integration.KindInternal:
		s.ShowError(w, r, Refusal{http.StatusBadRequest, "Not possible", Sentence(known.Message)})
	default:
		id := httpkit.RequestID(r.Context())
		s.Log.ErrorContext(r.Context(), "page failed", "request", id, "route", r.Pattern, "error", err.Error())
		s.ShowError(w, r, Refusal{http.StatusInternalServerError, "Something went wrong", "The log has the details under request " + id})
	}
}

// ShowError shows the page of an error.
func (s *Site) ShowError(w http.ResponseWriter, r *http.Request, e Refusal) {
	s.Show(w, r, e.Status, Page{Title: e.Title, Template: "error", Body: e.Message})
}

// Message is the part of an error that is written for people, as a sentence.
func Message(err error) string {
	var known *integration.Error
	if errors.As(err, &known) && known.Kind != integration.KindInternal {
		return Sentence(known.Message)
	}
	return "Something went wrong."
}

// Sentence makes an error's text, lower-case and without a period, a sentence.
func Sentence(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}

// maxSmallForm bounds forms without files, in bytes.
const maxSmallForm = 64 << 10

// ReadForm parses a form without files into r.PostForm.
func ReadForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxSmallForm)
	if err := r.ParseForm(); err != nil {
		return &Refusal{http.StatusBadRequest, "Not understood", "The request of your browser could not be read. Go back and try again."}
	}
	return nil
}
