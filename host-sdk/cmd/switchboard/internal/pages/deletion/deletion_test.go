package deletion_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/deletion"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testmain"
)

func TestMain(m *testing.M) { os.Exit(testmain.Run(m)) }

// records is a store with the calls and erasures of a test.
type records struct {
	store.Store
	calls    []store.Call // the newest first
	erasures []store.Erasure
	failed   error
}

func (r *records) ListIntegrations(context.Context) ([]store.Integration, error) {
	return []store.Integration{{ID: "in", Name: "Hotline"}}, r.failed
}

func (r *records) ListErasures(_ context.Context, _ string, limit int) ([]store.Erasure, error) {
	return r.erasures[:min(limit, len(r.erasures))], nil
}

func (r *records) CallsByKey(_ context.Context, key string) (found []store.Call, err error) {
	for _, c := range r.calls {
		if c.Key == key {
			found = append(found, c)
		}
	}
	return found, r.failed
}

func (r *records) CallByAlert(_ context.Context, _, alertKey string) (store.Call, error) {
	for _, c := range r.calls {
		if c.Alert.Key == alertKey {
			return c, nil
		}
	}
	return store.Call{}, integration.Errorf(integration.KindNotFound, "no call")
}

func (r *records) RecordingCalls(_ context.Context, ref string) (found []store.Call, err error) {
	for _, c := range r.calls {
		for _, one := range c.Recordings {
			if one.Media.Ref == ref {
				found = append(found, c)
			}
		}
	}
	return found, r.failed
}

// eraser is an engine that notes what it is asked for.
type eraser struct {
	asked       []string
	failed      map[string]error // by what is asked for
	forgettable engine.Forgettable
	forgotten   engine.Forgotten
}

func (e *eraser) do(what string, d store.Deletion) error {
	if d.At.IsZero() || d.Cause != store.CauseDeleted {
		what += fmt.Sprintf(" at %v, as %q", d.At, d.Cause)
	}
	e.asked = append(e.asked, strings.TrimSpace(what+" "+d.By))
	return e.failed[what]
}

func (e *eraser) DeleteRecording(_ context.Context, in, key, ref string, d store.Deletion) error {
	return e.do(in+"/"+key+"/"+ref, d)
}

func (e *eraser) DeleteCall(_ context.Context, in, key string, d store.Deletion) error {
	return e.do(in+"/"+key, d)
}

func (e *eraser) DeleteAlert(_ context.Context, in, key string) error {
	return e.do(in+"/"+key, store.Deletion{At: time.Now(), Cause: store.CauseDeleted})
}

func (e *eraser) Forgettable(_ context.Context, number string) (engine.Forgettable, error) {
	return e.forgettable, e.failed["ask "+number]
}

func (e *eraser) Forget(ctx context.Context, number string, d store.Deletion) (engine.Forgotten, error) {
	if err := ctx.Err(); err != nil {
		return engine.Forgotten{}, err
	}
	return e.forgotten, e.do("forget "+number, d)
}

// incidents is a platform with one alert.
type incidents struct {
	*embedded.Platform
	failed error
}

func (p incidents) GetAlert(_ context.Context, id string) (platform.AlertRecord, error) {
	if id != "A1" {
		return platform.AlertRecord{}, integration.Errorf(integration.KindNotFound, "no alert")
	}
	a := platform.AlertRecord{Integration: "in", Title: "Call from +12025550191"}
	a.ID, a.Key = "A1", "key"
	return a, p.failed
}

// foreign is a platform that shows its alerts itself.
type foreign struct{ platform.Platform }

// site is the pages for an admin, on a store and an engine of the test.
type site struct {
	t      testing.TB
	store  *records
	engine *eraser
	mux    *http.ServeMux
}

func newSite(t testing.TB, platforms func(*embedded.Platform) platform.Platform) *site {
	t.Helper()
	h := hosttest.New(t)
	public, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, store: &records{Store: h.Store}, engine: &eraser{failed: map[string]error{}}, mux: http.NewServeMux()}
	pages, err := layout.New(layout.Config{Platform: platforms(h.Platform), File: h.File, PublicURL: public, APIPath: "/api/v1", Clock: h.Clock, Log: h.Logger, People: h.People(nil)})
	if err != nil {
		t.Fatal(err)
	}
	d, err := deletion.New(pages, s.store, s.engine)
	if err != nil {
		t.Fatal(err)
	}
	for pattern, handler := range map[string]layout.Handler{
		"GET /alerts/{id}/delete": d.ConfirmAlert, "POST /alerts/{id}/delete": d.Alert,
		"GET /calls/{sid}/delete": d.ConfirmCall, "POST /calls/{sid}/delete": d.Call,
		"GET /recordings/{ref}/delete": d.ConfirmRecording, "POST /recordings/{ref}/delete": d.Recording,
		"GET /settings/deletion": d.Show, "POST /settings/deletion/forget": d.Forget,
	} {
		s.mux.Handle(pattern, pages.Handle(handler))
	}
	return s
}

// own shows the alerts of the platform.
func own(p *embedded.Platform) platform.Platform { return incidents{Platform: p} }

// unbroken finds a number that stays on one line, which tests look for as text.
var unbroken = regexp.MustCompile(`<span class="number">([^<]*)</span>`)

// answer is what a browser gets.
type answer struct {
	t    testing.TB
	code int
	to   string // where it is sent
	text string // of its main part, with the markup
}

func (s *site) do(method, path string, form url.Values) answer {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r.WithContext(people.With(r.Context(), people.Identity{Role: people.Admin, How: store.LoginByMail, Email: "alice@example.com"})))
	_, main, _ := strings.Cut(w.Body.String(), "<main")
	return answer{s.t, w.Code, w.Header().Get("Location"), html.UnescapeString(unbroken.ReplaceAllString(main, "$1"))}
}

func (s *site) get(path string) answer { s.t.Helper(); return s.do("GET", path, nil) }

// is checks the status and that the answer has some texts.
func (a answer) is(code int, texts ...string) answer {
	a.t.Helper()
	if a.code != code {
		a.t.Errorf("status %d, want %d\n%s", a.code, code, a.text)
	}
	for _, text := range texts {
		if !strings.Contains(a.text, text) {
			a.t.Errorf("the page does not say %q:\n%s", text, a.text)
		}
	}
	return a
}

// not checks that the answer has none of some texts.
func (a answer) not(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(a.text, text) {
			a.t.Errorf("the page says %q:\n%s", text, a.text)
		}
	}
	return a
}

// leads checks that the browser is sent on.
func (a answer) leads(to string) {
	a.t.Helper()
	if a.is(http.StatusSeeOther); a.to != to {
		a.t.Errorf("it leads to %q, want %q", a.to, to)
	}
}

// did checks what the engine was asked for since the last time.
func (s *site) did(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.engine.asked); diff != "" {
		s.t.Errorf("what was asked for (-want +got):\n%s", diff)
	}
	s.engine.asked = nil
}

// one is a call with a recording.
func one(in, key, ref string) store.Call {
	c := store.Call{Integration: in, Key: key, Recordings: []store.Recording{{Label: "Voicemail", Media: integration.MediaRef{Ref: ref, Duration: 9 * time.Second}}}}
	c.View.From = "+12025550191"
	return c
}

var errDown = integration.Errorf(integration.KindUnavailable, "the database cannot be reached")

// Each thing that is not deleted yet at the telephone service is told with what it is, why it was
// deleted here, and what is done about it.
func TestWhatIsNotDeletedYetIsToldInWords(t *testing.T) {
	t.Parallel()
	s := newSite(t, own)
	s.get("/settings/deletion").is(200, "Nothing: what was deleted here is deleted there too.").not(`id="waiting"`)
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	ref := integration.MediaRef{Ref: "media:1"}
	s.store.erasures = []store.Erasure{
		{Integration: "in", Key: "CA1", Whole: true, Cause: store.CauseForgotten, AskedAt: at, Due: at.Add(time.Hour), Attempt: 2, Reason: "the service is down"},
		{Integration: "in", Key: "CA2", Cause: store.CauseRetention, AskedAt: at, Due: at, Attempt: 1, Reason: "refused", GivenUp: true},
		{Integration: "gone", Key: "CA3", Media: []integration.MediaRef{ref, ref}, Cause: store.CauseDeleted, AskedAt: at, Due: at},
		{Integration: "in", Key: "CA4", Media: []integration.MediaRef{ref}, AskedAt: at, Due: at},
	}
	rows := strings.Split(s.get("/settings/deletion").is(200, `<span class="count">4</span>`).not("There are more").text, `<li class="row`)[1:]
	for i, texts := range [][]string{
		{"The call with its recordings", "CA1", "Hotline", "its caller was forgotten", "the service is down", "tried 2 times, again ", "5 Jan 10:00"},
		{"All recordings of the call", "its retention was over", "refused", "not tried again: delete it at the telephone service"},
		{"2 recordings", "a deleted integration", "somebody deleted it", "it was not tried yet", "tried 0 times"},
		{"1 recording", "Hotline"},
	} {
		for _, text := range texts {
			if i >= len(rows) || !strings.Contains(rows[i], text) {
				t.Errorf("row %d of %q does not say %q", i, rows, text)
			}
		}
	}
	s.store.failed = errDown
	s.get("/settings/deletion").is(503, "The database cannot be reached. Try again in a moment.")
}

// The page lists 200, and says where the rest is.
func TestTheListOfWhatIsNotDeletedYetIsBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, own)
	s.store.erasures = make([]store.Erasure, 200)
	s.get("/settings/deletion").is(200, `<span class="count">200</span>`).not("There are more")
	s.store.erasures = make([]store.Erasure, 300)
	a := s.get("/settings/deletion").is(200, `<span class="count">200</span>`, "There are more", "GET /api/v1/erasures")
	if n := strings.Count(a.text, `<li class="row`); n != 200 {
		t.Errorf("%d rows, want 200", n)
	}
}

// Before a number is forgotten the page says what would go: all calls are counted, and the newest
// shown.
func TestTheQuestionBeforeForgettingSaysWhatGoes(t *testing.T) {
	t.Parallel()
	s := newSite(t, own)
	number := url.Values{"number": {" +12025550191 "}}
	ask := func() answer { t.Helper(); return s.do("POST", "/settings/deletion/forget", number) }
	s.engine.forgettable.Number = "+12025550191"
	ask().is(200, "Forget +1 202-555-0191?", "no call: none from this number is kept", `id="forget"`).not("of these calls, unless", `id="calls"`, "older")
	for i := range 23 {
		c := store.Call{Key: fmt.Sprintf("CA%02d", i)}
		if i < 2 {
			c.Alert.Key = "key"
		}
		s.engine.forgettable.Calls = append(s.engine.forgettable.Calls, c)
	}
	a := ask().is(200, "23 calls from this number, with", "2 alerts of these calls", "/calls/CA00", "/calls/CA19", "And 3 older ones.").not("/calls/CA20", "there may be more")
	if n := strings.Count(a.text, `<li class="row`); n != 20 {
		t.Errorf("%d calls are shown, want 20", n)
	}
	s.engine.forgettable.Calls, s.engine.forgettable.More = s.engine.forgettable.Calls[3:], true
	ask().is(200, "20 calls from this number (the newest; there may be more, which are removed when it is forgotten again), with", `id="calls"`).not("of these calls, unless", "older")
	s.engine.forgettable.Refused = "a call is in progress"
	ask().is(200, "a call is in progress.", "Cancel").not(`id="forget"`, "cannot be recovered", `name="sure"`)
	s.did() // nothing, as it was only asked
}

// What cannot be asked, or is refused, is said where it was typed.
func TestANumberThatCannotBeForgotten(t *testing.T) {
	t.Parallel()
	s := newSite(t, own)
	const number = "+12025550191"
	post := func(sure string) answer {
		t.Helper()
		return s.do("POST", "/settings/deletion/forget", url.Values{"number": {number}, "sure": {sure}})
	}
	s.engine.failed["ask "+number] = integration.Errorf(integration.KindInvalid, "%q is no number", number)
	post("").is(422, `id="number-error"`, `"+12025550191" is no number.`, `value="+12025550191"`, "Not deleted yet")
	s.engine.failed["ask "+number] = errDown
	post("").is(503)
	s.did()
	for kind, code := range map[integration.Kind]int{integration.KindInvalid: 422, integration.KindConflict: 409, integration.KindUnavailable: 503} {
		s.engine.failed["forget "+number] = integration.Errorf(kind, "a call is in progress")
		post("yes").is(code, "A call is in progress.").not("The number is forgotten")
		s.did("forget " + number + " alice@example.com")
	}
}

// The page afterwards says what went, and what is left elsewhere.
func TestThePageAfterForgettingSaysWhatWent(t *testing.T) {
	t.Parallel()
	s := newSite(t, own)
	post := func() answer {
		t.Helper()
		return s.do("POST", "/settings/deletion/forget", url.Values{"number": {" +12025550191 "}, "sure": {"yes"}})
	}
	post().is(200, "Nothing was known of this number.").not("This was removed", "telephone service keeps nothing", "0191")
	s.did("forget +12025550191 alice@example.com")
	s.engine.forgotten.Texts = 3
	post().is(200, "This was removed", "<dd>3</dd>").not("Nothing was known")
	for _, f := range []engine.Forgotten{{Alerts: 1}, {Forgotten: store.Forgotten{Calls: 1}}, {Forgotten: store.Forgotten{Sessions: 1}}} {
		s.engine.forgotten = f
		post().is(200, "<dd>1</dd>").not("Nothing was known")
	}
	s.engine.forgotten = engine.Forgotten{Forgotten: store.Forgotten{Calls: 2}, Pending: make([]store.Erasure, 2)}
	post().is(200, "At the telephone service 2 calls are not deleted yet").not("keeps nothing of these calls")
}

// A recording is deleted of all calls that have it, and somebody who was faster is no error.
func TestARecordingIsDeletedOfAllItsCalls(t *testing.T) {
	t.Parallel()
	s := newSite(t, own)
	s.get("/recordings/1/delete").is(404, "There is no recording with this id")
	s.do("POST", "/recordings/1/delete", nil).is(404)
	s.store.calls = []store.Call{one("in", "CA3", "media:1"), one("in", "CA2", "media:1"), one("other", "CA1", "media:1"), one("in", "CA0", "media:2")}
	s.store.calls[0].Recordings = append([]store.Recording{{Label: "Greeting", Media: integration.MediaRef{Ref: "media:0"}}}, s.store.calls[0].Recordings...)
	s.get("/recordings/1/delete").is(200, "Delete this recording?", "Voicemail, 9 s,", "+1 202-555-0191", "Other calls recorded exactly the same").not("Greeting")
	s.get("/recordings/media:2/delete").is(200, "/calls/CA0").not("Other calls")
	s.did()
	s.engine.failed["in/CA2/media:1"] = integration.Errorf(integration.KindNotFound, "gone")
	s.do("POST", "/recordings/media:1/delete", nil).leads("/calls/CA3?done=unrecorded")
	s.did("in/CA3/media:1 alice@example.com", "in/CA2/media:1 alice@example.com", "other/CA1/media:1 alice@example.com")
	s.engine.failed["in/CA2/media:1"] = integration.Errorf(integration.KindConflict, "the call is in progress")
	s.do("POST", "/recordings/1/delete", nil).is(409, "Nothing was deleted", "The call is in progress.")
	s.did("in/CA3/media:1 alice@example.com", "in/CA2/media:1 alice@example.com")
	s.store.calls[3].Recordings[0].DeletedAt, s.store.calls[3].Recordings[0].DeletedBy = time.Now(), "bob@example.com"
	s.get("/recordings/2/delete").is(200, "It was deleted by bob@example.com on").not(`id="delete"`)
	s.store.failed = errDown
	s.get("/recordings/1/delete").is(503)
}

// Of several calls of one key the newest is deleted.
func TestACallIsDeletedOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, own)
	s.get("/calls/CA1/delete").is(404, "There is no call with this id, or its record has been deleted.")
	s.do("POST", "/calls/CA1/delete", nil).is(404)
	s.did()
	s.store.calls = []store.Call{one("in", "CA1", "media:1"), one("old", "CA1", "media:1")}
	s.get("/calls/CA1/delete").is(200, "Delete the call from +1 202-555-0191?", `id="delete"`)
	s.did()
	for _, err := range []error{nil, integration.Errorf(integration.KindNotFound, "gone")} {
		s.engine.failed["in/CA1"] = err
		s.do("POST", "/calls/CA1/delete", nil).leads("/calls?deleted=1")
		s.did("in/CA1 alice@example.com")
	}
	s.engine.failed["in/CA1"] = integration.Errorf(integration.KindConflict, "it is in progress")
	s.do("POST", "/calls/CA1/delete", nil).is(409, "It is in progress.")
	s.engine.failed["in/CA1"] = errDown
	s.do("POST", "/calls/CA1/delete", nil).is(503)
	s.store.failed = errDown
	s.get("/calls/CA1/delete").is(503)
}

// An alert is deleted where the platform lets it be; the page before says whether the record of its
// call stays.
func TestAnAlertIsDeletedWhereThePlatformLetsIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, own)
	s.get("/alerts/A2/delete").is(404, "There is no alert with this id, or it has been deleted.")
	s.get("/alerts/A1/delete").is(200, "Call from +1 202-555-0191", "There is no record of its call any more.", `id="delete"`)
	c := one("in", "CA1", "media:1")
	c.Alert.Key = "key"
	s.store.calls = []store.Call{c}
	s.get("/alerts/A1/delete").is(200, "The record of its call stays", "/calls/CA1").not("no record of its call")
	s.did()
	for _, err := range []error{nil, integration.Errorf(integration.KindNotFound, "gone")} {
		s.engine.failed["in/key"] = err
		s.do("POST", "/alerts/A1/delete", nil).leads("/alerts?deleted=1")
		s.did("in/key")
	}
	for kind, code := range map[integration.Kind]int{integration.KindUnsupported: 501, integration.KindConflict: 409} {
		s.engine.failed["in/key"] = integration.Errorf(kind, "resolve it first")
		s.do("POST", "/alerts/A1/delete", nil).is(code, "Nothing was deleted", "Resolve it first.")
	}
	s.engine.failed["in/key"] = errDown
	s.do("POST", "/alerts/A1/delete", nil).is(503)
}

// While the alert cannot be read nothing is deleted, nor where the platform keeps its alerts.
func TestAnAlertThatCannotBeReadIsNotDeleted(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(p *embedded.Platform) platform.Platform { return incidents{p, errDown} })
	s.get("/alerts/A1/delete").is(503)
	s.do("POST", "/alerts/A1/delete", nil).is(503)
	s.did()
	s = newSite(t, func(p *embedded.Platform) platform.Platform { return foreign{p} })
	s.get("/alerts/A1/delete").is(404, "Alerts are kept elsewhere", "delete them there")
	s.do("POST", "/alerts/A1/delete", nil).is(404)
	s.did()
}

// connection notes the deadline for writing that a handler sets.
type connection struct {
	*httptest.ResponseRecorder
	write time.Time
}

func (c *connection) SetWriteDeadline(at time.Time) error { c.write = at; return nil }

// Forgetting, and the question before it, may take minutes; a tab that is closed meanwhile leaves
// nothing half forgotten.
func TestForgettingTakesItsTime(t *testing.T) {
	t.Parallel()
	s := newSite(t, own)
	for _, sure := range []string{"", "yes"} {
		ctx, leave := context.WithCancel(t.Context())
		leave()
		form := url.Values{"number": {"+12025550191"}, "sure": {sure}}
		r := httptest.NewRequestWithContext(ctx, "POST", "/settings/deletion/forget", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		c := &connection{ResponseRecorder: httptest.NewRecorder()}
		asked := time.Now()
		s.mux.ServeHTTP(c, r.WithContext(people.With(ctx, people.Identity{Role: people.Admin, How: store.LoginByMail, Email: "alice@example.com"})))
		if over := asked.Add(httpkit.TimeFor(r)); c.Code != 200 || !c.write.After(over) {
			t.Errorf("sure %q: status %d, and the connection lasts until %v, want after %v\n%s", sure, c.Code, c.write, over, c.Body)
		}
	}
	s.did("forget +12025550191 alice@example.com")
}
