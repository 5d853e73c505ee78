package live

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// at is where people find the platform, for a sentence.
func at(page string) string {
	if page == "" {
		return ""
	}
	return " at " + page
}

// whoHas says who took an alert, or for whom it waits. The log of the alert has the details; this
// is what fits into a row.
func whoHas(n *names.Lookup, rec platform.AlertRecord) string {
	switch rec.Status {
	case integration.AlertAcknowledged:
		var who []string
		for _, k := range rec.Acknowledgements {
			// A platform may acknowledge by rules of its own.
			if k.User == "" {
				who = append(who, "an automation")
			} else {
				who = append(who, n.User(k.User))
			}
		}
		return strings.Join(who, ", ")
	case integration.AlertOpen:
		if len(rec.Paged) > 0 {
			return "on call: " + strings.Join(n.Users(rec.Paged), ", ")
		}
		return "nobody is being paged"
	case integration.AlertDropped:
		return "nobody acknowledged it"
	case integration.AlertQueued:
		return "the caller has not chosen a team yet"
	case integration.AlertResolved, integration.AlertDeleted:
	}
	return ""
}

// storyLine is a line of an alert's log with the name of the person.
type storyLine struct {
	platform.LogEntry
	Who string
}

// By is who did it, unless the line says so itself.
func (l storyLine) By() string {
	if strings.Contains(l.Message, l.Who) {
		return ""
	}
	return l.Who
}

// alertBody is what the page of an alert shows. It is drawn from the platform's alert, and from the
// call's record where there still is one.
type alertBody struct {
	alertRow
	// References of attachments that are gone, as with the record of their call.
	Deleted       map[string]bool
	Story         []storyLine
	Transcript    []integration.AlertField
	Facts         []integration.AlertField // the other fields
	Integration   string                   // its name
	IntegrationID string
	Can           map[string]bool
	Others        bool   // others could act on it, and whoever looks cannot
	Unknown       string // why not, where it is not the role
	Over          bool   // nobody has to do with it any more
	Notes         notes  // of the call
	Draft         string // a note that was refused
	Summary       string
}

// ShowAlert shows one alert. An unknown word in the query says nothing: people may edit the
// address.
func (l *Live) ShowAlert(w http.ResponseWriter, r *http.Request) error {
	var notices []layout.Notice
	done := r.URL.Query().Get("done")
	if text := doneNotices[platform.AlertAction(done)] + callNotices[done]; text != "" {
		notices = append(notices, layout.Notice{Tone: "ok", Text: text})
	}
	return l.drawAlert(w, r, http.StatusOK, l.site.Me(r).ID, notices)
}

// drawAlert shows an alert to the person me, below the notices: after an action that was refused
// the page shows what the alert has become. me is a platform's id, "" while nobody was chosen.
func (l *Live) drawAlert(w http.ResponseWriter, r *http.Request, status int, me string, notices []layout.Notice) error {
	if l.browser == nil {
		return layout.NothingHere(w, r)
	}
	rec, err := l.browser.GetAlert(r.Context(), r.PathValue("id"))
	if integration.KindOf(err) == integration.KindNotFound {
		return &layout.Refusal{Status: http.StatusNotFound, Title: "No such alert", Message: "There is no alert with this id, or it was deleted."}
	}
	if err != nil {
		return err
	}
	n := l.site.Names(r)
	body := alertBody{alertRow: alertRow{Alert: lists.Alert{AlertRecord: rec}, Teams: strings.Join(n.Teams(rec.Teams), ", "), Who: whoHas(n, rec)}, Draft: r.PostFormValue("text")}
	// The platform logs ids; the page has names.
	for _, l := range rec.Log {
		body.Story = append(body.Story, storyLine{l, n.User(l.Actor)})
	}
	// A transcript is shown below the recording it belongs to, which people play first.
	body.Facts = rec.Fields
	if len(rec.Attachments) > 0 {
		body.Transcript, body.Facts = transcripts(rec.Fields)
	}
	// Errors are passed over, as the alert itself is what people came for.
	// The integration and the call add to the page; an alert outlives both.
	if in, err := l.store.Integration(r.Context(), rec.Integration); err == nil {
		body.Integration, body.IntegrationID = in.Name, in.ID
	}
	if c, err := l.store.CallByAlert(r.Context(), rec.Integration, rec.Key); err == nil {
		body.Call, body.Recordings = &c, newRecordings(c, n, l.onRecord(r), people.From(r.Context()))
		body.Recordings.Alert, body.Recordings.Transcript = rec.ID, body.Transcript
		body.Notes = l.newNotes(r, c, n, rec.ID)
		if waited, known := lists.Waited(&c, l.site.Clock.Now()); known {
			body.Waited = oneline.Lasting(waited)
		}
	}
	body.Caller = lists.CallerOf(rec, body.Call)
	// With the call's record its recordings are shown; without it the alert's attachments are all
	// there is, and may point to what was deleted.
	if len(body.Recordings.List) == 0 {
		body.Deleted = l.deleted(r, rec.Attachments)
	}
	if !l.onlyLooks(r, me) {
		body.Can = possible(rec, me, people.From(r.Context()))
	}
	body.Others = anything(possible(rec, "", people.Identity{Role: people.Responder, How: store.LoginByToken})) && !anything(body.Can)
	// Then nothing changes any more and the page need not be read again.
	body.Over = (rec.Status == integration.AlertResolved || rec.Status == integration.AlertDropped) && (body.Call == nil || !body.Call.Live)
	if who := people.From(r.Context()); body.Others && me == "" && who.Person() && who.May(people.Respond, rec.ID) {
		body.Unknown = unknownPerson
	}
	body.Summary = alertBadge(rec.Status).Text + " " + body.Who
	l.site.Show(w, r, status, layout.Page{Title: phone.DisplayIn(rec.Title), Template: "alert", Nav: "alerts", Live: true, Still: body.Over, Notices: notices, Body: body})
	return nil
}

// anything reports whether one of some actions is possible.
func anything(can map[string]bool) bool {
	return slices.Contains(slices.Collect(maps.Values(can)), true)
}

// deleted finds the attachments whose media are no longer stored. A store that cannot be read
// counts as having them: the player will say so.
func (l *Live) deleted(r *http.Request, attachments []platform.Attachment) map[string]bool {
	gone := map[string]bool{}
	for _, a := range attachments {
		_, err := l.store.MediumInfo(r.Context(), a.Media.Ref)
		gone[a.Media.Ref] = integration.KindOf(err) == integration.KindNotFound
	}
	return gone
}
