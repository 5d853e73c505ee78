package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// CodeToken is the code of errors because of the token. Their kind is unavailable: who repairs the
// token loses no command.
const CodeToken = "remote_token"

const (
	maxDetail  = 500              // characters of a problem's detail that are shown
	longestAsk = 60 * time.Second // that a platform can ask commands to wait
)

// read reads an answer into out. An answer that is not what the document says is never taken in
// part: half a list of people on call would be worse than an error, after which the engine uses its
// last copy.
func (p *Platform) read(ctx context.Context, r request, resp *http.Response, out any) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return over(ctx.Err())
	case err != nil:
		return platform.Away(integration.KindUnavailable, "the platform's answer was cut short: %w", cause(err))
	// A part of an answer is never used, as nobody could say what is missing.
	case len(body) > maxBody:
		return p.strange(r.name, "the answer is larger than %d bytes", maxBody)
	case resp.StatusCode != http.StatusOK:
		return p.problem(r, resp, body)
	}
	// Unknown members are passed over, as a later minor of the protocol may add some.
	d := json.NewDecoder(bytes.NewReader(body))
	err = d.Decode(out)
	var wrongType *json.UnmarshalTypeError
	var wrongTime *time.ParseError
	switch {
	// encoding/json takes null for anything, without an error.
	case bytes.Equal(bytes.TrimSpace(body), []byte("null")):
		return p.strange(r.name, "the answer is null: an empty answer has lists and members")
	// Two answers in one body: which of them counts could not be said.
	case err == nil && !errors.Is(d.Decode(&struct{}{}), io.EOF):
		return p.strange(r.name, "more follows after the answer's JSON")
	// The body ended within the JSON, though the connection did not break: the next try may be
	// whole.
	case errors.Is(err, io.ErrUnexpectedEOF):
		return platform.Away(integration.KindUnavailable, "the platform's answer was cut short")
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return p.strange(r.name, "the type of %s is %s: the document has another", wrongType.Field, wrongType.Value)
	case errors.As(err, &wrongType):
		return p.strange(r.name, "the answer is JSON of the type %s: the document has an object", wrongType.Value)
	case errors.As(err, &wrongTime):
		return p.strange(r.name, "%.60q is no time as in RFC 3339", strings.Trim(wrongTime.Value, `"`))
	case err != nil:
		return p.strange(r.name, "status 200 came with %s: %s", contents(resp, body), err)
	}
	p.findings.clear(r.name)
	p.misspelt(r.name, body, out)
	return nil
}

// misspelt makes a finding of members that are not known but like one that is missing: such an
// answer can be used, without the value. Members that are only unknown are passed over without a
// word: a later minor of the protocol may have added them.
func (p *Platform) misspelt(name string, body []byte, out any) {
	var likely []string
	for _, m := range wire.UnknownMembers(body, out) {
		if m.Meant != "" {
			likely = append(likely, fmt.Sprintf("%s, which is not in the document: is %s meant?", m.Path, m.Meant))
		}
	}
	p.findings.set("members of "+name, len(likely) > 0, "%s: the answer has %s", name, p.clean(strings.Join(likely, "; ")))
}

// strange is the error of an answer that the protocol does not know, and makes a finding of it. It
// is not final: a proxy or a login page may have answered. It is internal, which the outbox
// repeats.
func (p *Platform) strange(name, format string, args ...any) error {
	text := p.clean(fmt.Sprintf(format, args...))
	p.findings.note(name, "%s: %s", name, text)
	return integration.Errorf(integration.KindInternal, "%s: %s", name, text)
}

// contents says what a body is, without quoting it. The body may be a login page with somebody's
// data, and it goes into findings that all administrators see.
func contents(resp *http.Response, body []byte) string {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	start := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 200)]))
	switch {
	case len(start) == 0:
		return "no body"
	case kind == "text/html" || bytes.HasPrefix(start, []byte("<!doctype")) || bytes.HasPrefix(start, []byte("<html")):
		return "an HTML page"
	case json.Valid(body):
		return "other JSON"
	case kind == "":
		return "a body without a media type"
	}
	return "a body of type " + oneline.Clean(kind, 60)
}

// The kinds that a problem document may name. Any other counts as internal, so a word that somebody
// made up never ends a command.
var kinds = []integration.Kind{
	integration.KindInvalid, integration.KindUnauthorized, integration.KindNotFound, integration.KindUnsupported,
	integration.KindConflict, integration.KindUnavailable, integration.KindDeadline, integration.KindInternal,
}

// problem is the error of an answer that is not 200. Only a problem document can say something
// final. A proxy, a gateway or a wrong base URL answers with bare statuses; if one of them counted
// as final, alerts would be lost for a mistake in a configuration.
func (p *Platform) problem(r request, resp *http.Response, body []byte) error {
	status := resp.StatusCode
	if status == http.StatusUnauthorized {
		p.findings.note("token", "the platform refuses the token (status 401): set the same one on both sides")
		return &integration.Error{Kind: integration.KindUnavailable, Code: CodeToken, Message: "the platform refuses the token: set the same one on both sides"}
	}
	p.findings.clear("token")
	// The platform was updated and dropped this protocol: the next request agrees anew.
	if status == http.StatusPreconditionFailed {
		p.renew.Store(true)
		return integration.Errorf(integration.KindUnavailable, "the platform does not speak this protocol any more (status 412)")
	}
	var doc wire.Problem
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if (media != wire.ProblemType && media != "application/json") || json.Unmarshal(body, &doc) != nil || doc.Kind == "" {
		return p.bareStatus(r, resp, body, doc)
	}
	p.findings.clear(r.name)
	kind := integration.Kind(doc.Kind)
	if !slices.Contains(kinds, kind) {
		kind = integration.KindInternal
	}
	// The platform may ask for a pause; only commands keep it.
	if kind == integration.KindUnavailable {
		p.wait(resp.Header.Get("Retry-After"))
	}
	return &integration.Error{Kind: kind, Message: p.message(status, doc), Field: p.clean(doc.Field), Code: p.clean(doc.Code)}
}

// bareStatus is the error of a status without a problem document that says its kind. Nothing here
// is final: none of these answers need have come from the platform.
func (p *Platform) bareStatus(r request, resp *http.Response, body []byte, doc wire.Problem) error {
	switch resp.StatusCode {
	// Gateways send these by themselves, so they count without a document too.
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		p.wait(resp.Header.Get("Retry-After"))
		return platform.Away(integration.KindUnavailable, "%s", p.message(resp.StatusCode, doc))
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return platform.Away(integration.KindDeadline, "%s", p.message(resp.StatusCode, doc))
	case http.StatusNotFound:
		p.renew.Store(true) // perhaps this protocol is gone
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return p.strange(r.name, "the answer is a redirect (status %d), which is not followed: correct the base URL, or the server's rule about a slash at the end", resp.StatusCode)
	}
	return p.strange(r.name, "status %d came with %s in place of a problem document with a kind: is the base URL right, and does the platform answer itself?",
		resp.StatusCode, contents(resp, body))
}

// message is a sentence for the operator. The platform's own words come first, cleaned and
// shortened.
func (p *Platform) message(status int, doc wire.Problem) string {
	for _, text := range []string{doc.Detail, doc.Title} {
		if text = p.clean(text); text != "" {
			return text
		}
	}
	return "the platform answered with status " + strconv.Itoa(status)
}

// clean makes one line of what a platform wrote, without our token. A platform may repeat the
// headers of a request in an error.
func (p *Platform) clean(text string) string {
	return oneline.Clean(strings.ReplaceAll(text, p.credentials.Load().token, "(token)"), maxDetail)
}

// wait keeps commands back as Retry-After asks, in seconds or as a date; anything else asks
// nothing. It is bounded, so that a wrong date cannot keep commands back for a year.
func (p *Platform) wait(after string) {
	now := time.Now()
	until, err := http.ParseTime(after)
	if seconds, bad := strconv.ParseInt(strings.TrimSpace(after), 10, 32); bad == nil {
		until, err = now.Add(time.Duration(seconds)*time.Second), nil
	}
	if err != nil || until.Before(now) {
		return
	}
	if limit := now.Add(longestAsk); until.After(limit) {
		until = limit
	}
	p.pause.ask(until)
}
