package deletion

import (
	"net/http"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Bounds of what one page shows, so that it stays readable and quick after a large clean-up.
const (
	maxWaiting = 200 // deletions at the telephone service that one page lists
	maxShown   = 20  // calls that the question before forgetting lists
)

// pageBody is what the page of deletions shows.
type pageBody struct {
	Waiting []waiting
	More    bool // there are more than are listed
	Number  string
	Problem string
}

// waiting is something that is still to be deleted at the telephone service. It leaves the list
// once the plugin has confirmed its deletion there.
type waiting struct {
	store.Erasure
	Name string // of the integration
}

// What says what is to be deleted.
func (w waiting) What() string {
	switch {
	case w.Whole:
		return "The call with its recordings"
	case w.Media == nil:
		return "All recordings of the call"
	}
	return wording.Count(len(w.Media), "recording", "recordings")
}

// Why says why it was deleted here.
func (w waiting) Why() string {
	switch w.Cause {
	case store.CauseRetention:
		return "its retention was over"
	case store.CauseForgotten:
		return "its caller was forgotten"
	}
	return "somebody deleted it"
}

// Show shows what is not deleted yet, and the form that forgets a number. The number is never in an
// address, so the form is always shown empty here.
func (d *Deletion) Show(w http.ResponseWriter, r *http.Request) error {
	return d.draw(w, r, http.StatusOK, pageBody{})
}

// draw completes the body and shows it. One more than fits is read, which says whether there are
// more.
func (d *Deletion) draw(w http.ResponseWriter, r *http.Request, status int, body pageBody) error {
	list, err := d.store.ListErasures(r.Context(), "", maxWaiting+1)
	if err != nil {
		return err
	}
	if body.More = len(list) > maxWaiting; body.More {
		list = list[:maxWaiting]
	}
	names, err := d.integrationNames(r)
	if err != nil {
		return err
	}
	for _, x := range list {
		name := names[x.Integration]
		// Work for the telephone service outlives the integration that it belongs to.
		if name == "" {
			name = "a deleted integration"
		}
		body.Waiting = append(body.Waiting, waiting{x, name})
	}
	d.site.Show(w, r, status, layout.Page{Title: "Deletion", Template: "deletion", Nav: "deletion", Body: body})
	return nil
}

// integrationNames are the names of the integrations by their ids.
func (d *Deletion) integrationNames(r *http.Request) (map[string]string, error) {
	all, err := d.store.ListIntegrations(r.Context())
	names := map[string]string{}
	for _, in := range all {
		names[in.ID] = in.Name
	}
	return names, err
}

// forgetBody is what the question before forgetting shows.
type forgetBody struct {
	engine.Forgettable
	Alerts int          // of the calls
	Shown  []store.Call // the newest calls
	Rest   int          // calls beyond those
}

// Forget asks what would be removed of a number, and removes it once that is confirmed. The number
// is sent in the form alone: addresses are written to logs. The audit says that a caller was
// forgotten, and not who. The question is skipped in the audit: nothing has changed by it.
func (d *Deletion) Forget(w http.ResponseWriter, r *http.Request) error {
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	// Wall clock: a deadline of real I/O. For the question as well, which asks the platform for the
	// alert of each call.
	httpkit.Extend(w, time.Now(), httpkit.ForgetTime)
	number, sure := strings.TrimSpace(r.PostFormValue("number")), r.PostFormValue("sure") != ""
	if sure {
		return d.forget(w, r, number)
	}
	people.SkipAudit(r.Context())
	found, err := d.engine.Forgettable(r.Context(), number)
	if integration.KindOf(err) == integration.KindInvalid {
		return d.draw(w, r, http.StatusUnprocessableEntity, pageBody{Number: number, Problem: httpkit.Message(err)})
	}
	if err != nil {
		return err
	}
	d.ask(w, r, http.StatusOK, found)
	return nil
}

// ask shows what would be removed. Alerts are counted by the calls that have one, as the platform
// cannot be asked for a number.
func (d *Deletion) ask(w http.ResponseWriter, r *http.Request, status int, found engine.Forgettable) {
	body := forgetBody{Forgettable: found, Shown: found.Calls[:min(len(found.Calls), maxShown)]}
	body.Rest = len(found.Calls) - len(body.Shown)
	for _, c := range found.Calls {
		if c.Alert.Key != "" {
			body.Alerts++
		}
	}
	d.site.Show(w, r, status, layout.Page{Title: "Forget a number?", Template: "forget", Nav: "deletion", Body: body})
}

// forgottenBody is what the page afterwards shows. Pending, among the engine's fields, is what the
// telephone service has not deleted yet.
type forgottenBody struct {
	engine.Forgotten
	Nothing bool // nothing was known of the number
}

// forget removes what is known of a number, and says what that was. It goes on when the tab is
// closed.
func (d *Deletion) forget(w http.ResponseWriter, r *http.Request, number string) error {
	ctx, cancel := httpkit.Finish(r)
	defer cancel()
	got, err := d.engine.Forget(ctx, number, d.by(r))
	switch integration.KindOf(err) {
	case "":
	case integration.KindInvalid:
		return d.draw(w, r, http.StatusUnprocessableEntity, pageBody{Number: number, Problem: httpkit.Message(err)})
	// It began to call, or an alert was reopened.
	case integration.KindConflict: // since it was asked
		return &layout.Refusal{Status: http.StatusConflict, Title: "Nothing was forgotten", Message: httpkit.Message(err)}
	default:
		return err
	}
	// The number of calls alone: the audit must not keep the number that was to be forgotten.
	people.About(r.Context(), "", wording.Count(got.Calls, "call", "calls"))
	body := forgottenBody{Forgotten: got, Nothing: got.Calls+got.Sessions+got.Alerts+got.Texts == 0}
	d.site.Show(w, r, http.StatusOK, layout.Page{Title: "The number is forgotten", Template: "forgotten", Nav: "deletion", Body: body})
	return nil
}
