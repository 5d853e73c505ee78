package people

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// auditTime bounds writing a line, which goes on when the request has ended.
const auditTime = 10 * time.Second

// Audit keeps a line: who, where and when are those of the request, unless the line says who. What
// has happened has happened: a line that cannot be written goes to the log. r may be nil, for what
// the host does by itself. It is not written in the transaction of what it tells: a full audit must
// not keep people from acting.
func (p *People) Audit(r *http.Request, l store.AuditLine) {
	ctx := context.Background()
	if r != nil {
		// The browser may have gone, which changes nothing of what it did.
		ctx = context.WithoutCancel(r.Context())
		l.Remote = httpkit.Remote(r)
		if l.Who == "" {
			l.Who = From(r.Context()).Who()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, auditTime)
	defer cancel()
	l.At = p.cfg.Clock.Now()
	if err := p.cfg.Store.AddAudit(ctx, l); err != nil {
		p.cfg.Log.ErrorContext(ctx, "a line of the audit could not be written", "who", l.Who, "action", l.Action, "about", l.About, "error", err.Error())
	}
}

// Actions are what the audit tells of, with what it is called for people, in the order in which
// they are offered. An action that is missing here, of another release, is still shown by its own
// word.
var Actions = []struct{ Action, Words string }{
	{"login", "Logged in"}, {"logout", "Logged out"}, {"login.end", "Ended a login"},
	{"integration.create", "Created an integration"}, {"integration.change", "Changed an integration"}, {"integration.delete", "Deleted an integration"}, {"integration.action", "Ran an action"},
	{"recording.hear", "Heard a recording"}, {"recording.delete", "Deleted a recording"}, {"call.delete", "Deleted a call and its recordings"}, {"alert.delete", "Deleted an alert"}, {"caller.forget", "Forgot a number"}, {"note.add", "Wrote a note"}, {"note.delete", "Deleted a note"},
	{"shift.change", "Changed a shift"}, {"shift.remove", "Removed a changed shift"},
	{"token.create", "Created a token"}, {"token.revoke", "Revoked a token"}, {"user.test", "Sent a person a test"}, {"host.examine", "Examined a host"}, {"file.push", "Put a switchboard file into force"},
	{"plugin.switch", "Took a version of a plugin into use"}, {"plugin.remove", "Removed a plugin"},
}

// ListAudit lists lines, the newest first. The string is the cursor of the next page; "" at the
// end. An action that there is not is invalid, and so is somebody who could be nobody.
func (p *People) ListAudit(ctx context.Context, f store.AuditFilter) ([]store.AuditLine, string, error) {
	lines, next, err := p.cfg.Store.ListAudit(ctx, f)
	if err == nil && len(lines) == 0 && next == "" {
		err = p.couldBe(ctx, f)
	}
	return lines, next, err
}

// couldBe is nil where an audit without lines may be so. What is misspelt would read as if nothing
// had happened. An address may be anybody's, whom a provider has let in.
func (p *People) couldBe(ctx context.Context, f store.AuditFilter) error {
	if f.Action != "" {
		var there []string
		for _, a := range Actions {
			there = append(there, a.Action)
		}
		if !slices.Contains(there, f.Action) {
			return integration.Errorf(integration.KindInvalid, "action %.60q is unknown: use one of %s", f.Action, strings.Join(there, ", "))
		}
	}
	if f.Who == "" || strings.Contains(f.Who, "@") || f.Who == (Identity{How: store.LoginByToken}).Who() || p.hasUser(f.Who) {
		return nil
	}
	tokens, err := p.Tokens(ctx)
	if err != nil || slices.ContainsFunc(tokens, func(t store.Token) bool { return Identity{How: ByNamedToken, Token: t.Name}.Who() == f.Who }) {
		return err
	}
	// Who was in the file, or is a user of another platform, is known by what they have done.
	lines, _, err := p.cfg.Store.ListAudit(ctx, store.AuditFilter{Who: f.Who, Limit: 1})
	if err != nil || len(lines) > 0 {
		return err
	}
	return integration.Errorf(integration.KindInvalid, "who %.60q is unknown: give an e-mail address, a user's id, %q, or %q with its name", f.Who, "the API token", "token")
}

// entry is the line that a request writes if it succeeds. Handlers add to it by way of the context
// while they run; one request has one goroutine, so it needs no lock.
type entry struct {
	store.AuditLine
	skip bool
}

// entryKey is the key of the entry in a context.
type entryKey struct{}

// About says what a request that is audited was done to, where its address does not say it, and
// adds words for people. Without effect on others.
func About(ctx context.Context, about, detail string) {
	if e, ok := ctx.Value(entryKey{}).(*entry); ok {
		if about != "" {
			e.About = about
		}
		e.Detail = detail
	}
}

// AboutAction says that a request has run an action of an integration. One that only looks is not
// audited.
func AboutAction(ctx context.Context, name string) {
	About(ctx, "", name)
	if name == integration.ActionWhoWouldAnswer {
		SkipAudit(ctx)
	}
}

// SkipAudit leaves the line of a request out, as nothing has changed. Without effect on others.
func SkipAudit(ctx context.Context) {
	if e, ok := ctx.Value(entryKey{}).(*entry); ok {
		e.skip = true
	}
}

// Audited is a handler that writes a line when it has succeeded: with a status that is no error.
// about is the name of the value in the address that says what it is done to; "": the handler says
// it by About.
func (p *People) Audited(action, about string, h func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		e := &entry{AuditLine: store.AuditLine{Action: action}}
		if about != "" {
			e.About = r.PathValue(about)
		}
		// The status is looked at besides the error, as a handler may show a refusal as a page of
		// its own.
		seen := &statusWriter{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), entryKey{}, e))
		if err := h(seen, r); err != nil {
			return err
		}
		if seen.status < http.StatusBadRequest && !e.skip {
			p.Audit(r, e.AuditLine)
		}
		return nil
	}
}

// statusWriter remembers the status of an answer. 0: the handler has written none, which net/http
// sends as 200.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// Unwrap is used by http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	// Only the first one is sent.
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

const (
	// heardAgain is how long hearing the same recording is not written down again: players fetch it
	// piece by piece.
	heardAgain = 10 * time.Minute
	maxHeard   = 1000 // remembered at once
)

// recentlyHeard is what was heard lately, by whom and what. Its zero value is ready. It is this
// process's own: behind several hosts, each may write a line.
type recentlyHeard struct {
	mu sync.Mutex
	at map[[2]string]time.Time
}

// first reports whether somebody has not heard a recording lately, and remembers it. The clock
// decides and not the store, which would be asked for each piece of a recording.
func (h *recentlyHeard) first(who, ref string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := [2]string{who, ref}
	if last, ok := h.at[key]; ok && now.Sub(last) < heardAgain {
		return false
	}
	if h.at == nil || len(h.at) >= maxHeard {
		h.at = map[[2]string]time.Time{} // a line too many does no harm
	}
	h.at[key] = now
	return true
}

// Heard writes down that the request fetches a recording, once in ten minutes. name is what people
// know the recording by.
func (p *People) Heard(r *http.Request, ref, name string) {
	if p.heard.first(From(r.Context()).Who(), ref, p.cfg.Clock.Now()) {
		p.Audit(r, store.AuditLine{Action: "recording.hear", About: ref, Detail: name})
	}
}
