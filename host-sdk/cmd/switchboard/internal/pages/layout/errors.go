package layout

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Handler answers a request, or returns why it cannot: Site.Handle shows the error as a page.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Handle makes a Handler an http.Handler. A request ends after httpkit.RequestTime; one that
// uploads files gets the time for the upload in addition. The limit reaches store, platform and
// plugin by the request's context.
func (s *Site) Handle(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), httpkit.TimeFor(r))
		defer cancel()
		r = r.WithContext(ctx)
		if err := h(w, r); err != nil {
			s.Fail(w, r, err)
		}
	})
}

// Refusal is an error with a status and a text for people.
type Refusal = httpkit.Refusal

// NothingHere is the answer to an unknown address.
func NothingHere(http.ResponseWriter, *http.Request) error {
	return &Refusal{Status: http.StatusNotFound, Title: "Not found", Message: "There is no page at this address."}
}

// Fail shows an error as a page. Texts of internal errors go to the log, never to a person. Kinds
// of the contract are translated to statuses, and their messages are written for people; anything
// else is a defect or a failure, whose text may hold an address or a query.
func (s *Site) Fail(w http.ResponseWriter, r *http.Request, err error) {
	var own *Refusal
	var known *integration.Error
	switch {
	case errors.As(err, &own):
		s.ShowError(w, r, *own)
	// Before the kinds: whatever a callee made of a context that has ended, this is why.
	case r.Context().Err() != nil:
		s.ShowError(w, r, Refusal{Status: http.StatusGatewayTimeout, Title: "No answer in time", Message: "Something behind this page took too long. Try again."})
	case httpkit.Away(err) != "":
		s.Log.WarnContext(r.Context(), "page not shown: the "+httpkit.Away(err)+" does not answer", "request", httpkit.RequestID(r.Context()), "route", r.Pattern, "error", err.Error())
		s.ShowError(w, r, Refusal{Status: http.StatusServiceUnavailable, Title: "Temporarily unavailable", Message: httpkit.Message(err) + " Try again in a moment. If it stays away, the log of switchboard says why."})
	case errors.As(err, &known) && known.Kind == integration.KindNotFound:
		s.ShowError(w, r, Refusal{Status: http.StatusNotFound, Title: "Not found", Message: httpkit.Sentence(known.Message)})
	case errors.As(err, &known) && (known.Kind == integration.KindUnavailable || known.Kind == integration.KindDeadline):
		s.ShowError(w, r, Refusal{Status: http.StatusServiceUnavailable, Title: "Temporarily unavailable", Message: httpkit.Sentence(known.Message) + " Try again in a moment."})
	case errors.As(err, &known) && known.Kind != integration.KindInternal:
		s.ShowError(w, r, Refusal{Status: http.StatusBadRequest, Title: "Not possible", Message: httpkit.Sentence(known.Message)})
	default:
		id := httpkit.RequestID(r.Context())
		s.Log.ErrorContext(r.Context(), "page failed", "request", id, "route", r.Pattern, "error", err.Error())
		s.ShowError(w, r, Refusal{Status: http.StatusInternalServerError, Title: "Something went wrong", Message: "The log has the details under request " + id})
	}
}

// failure is what the page of an error shows.
type failure struct {
	Message string
	Again   string // path of the same page, where the next try may find it; "": it would not
	Back    string // path of the page that led here; "": it is unknown
}

// ShowError shows the page of an error, with the ways out of it. A form that could not be sent has
// none: a link would lose what was typed, which the browser's own way back keeps.
func (s *Site) ShowError(w http.ResponseWriter, r *http.Request, e Refusal) {
	body := failure{Message: e.Message}
	switch passing := e.Status >= http.StatusInternalServerError; {
	case passing && r.Method == http.MethodGet:
		body.Again = s.Path(r.URL.RequestURI())
	case !passing:
		body.Back = s.cameFrom(r)
	}
	s.Show(w, r, e.Status, Page{Title: e.Title, Template: "error", Body: body})
}

// cameFrom is the path of the other page of this host that led to a request; "": none did.
func (s *Site) cameFrom(r *http.Request) string {
	from, err := url.Parse(r.Referer())
	if err != nil || from.Host != r.Host || from.Path == r.URL.Path && r.Method == http.MethodGet || !strings.HasPrefix(from.Path, s.base+"/") {
		return ""
	}
	return s.Path(from.RequestURI())
}

// maxSmallForm bounds forms without files, in bytes. The longest of them is a note, far below it.
const maxSmallForm = 64 << 10

// ReadForm parses a form without files into r.PostForm. An error is a refusal for people.
func ReadForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxSmallForm)
	if err := r.ParseForm(); err != nil {
		return &Refusal{Status: http.StatusBadRequest, Title: "Not understood", Message: "The request of your browser could not be read. Go back and try again."}
	}
	return nil
}
