package live

import (
	"net/http"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// callBody is what the page of a call shows. All of it but the integration's name today and the
// alert's id comes from the record, so old calls show as they were.
type callBody struct {
	store.Call
	NameOfIntegration string // today's, or the one that the call remembers
	IntegrationID     string // "" where the integration was deleted
	AlertID           string // page of its alert here; "" if there is none
	AlertPage         string // page of its alert at the platform; "" if there is none
	Story             []storyLine
	Facts             []integration.AlertField // without the transcripts
	Recordings        recordings
	Notes             notes
	Draft             string // a note that was refused
	Summary           string
}

// note is a note with the name of the person who wrote it.
type note struct {
	store.Note
	Who string
}

// notes are what people wrote about a call, as calls and their alerts show it. Alert leads a form
// back to the page that it was filled in on.
type notes struct {
	Call  string // its key
	Alert string // id of the alert on whose page they are; "": on the call's
	Write bool   // whoever looks may write and delete them
	List  []note
}

// newNotes names those who have written about a call. n remembers names for the whole page.
func (l *Live) newNotes(r *http.Request, c store.Call, n *names.Lookup, alert string) notes {
	out := notes{Call: c.Key, Alert: alert, Write: people.From(r.Context()).May(people.Respond, "") && !l.onlyLooks(r, l.site.Me(r).ID)}
	for _, one := range c.Notes {
		out.List = append(out.List, note{one, n.User(one.By)})
	}
	return out
}

// recordings are what a call recorded, as calls and their alerts show it. Hear and Erase decide
// which controls are shown; the routes check the right again.
type recordings struct {
	Call       string // its key
	Alert      string // id of the alert on whose page they are; "": on the call's
	Me         string
	Hear       bool // whoever looks may hear them
	Erase      bool // whoever looks may delete them
	List       []recording
	Transcript []integration.AlertField
}

// recording is a recording with the names of those who have heard it.
type recording struct {
	store.Recording
	By   []hearer
	Mine bool // the person who looks has heard it
}

// hearer is a person who has heard a recording.
type hearer struct {
	Who string
	store.Heard
}

// onRecord is the platform's id of the person who hears what is played on a page; "": nobody who is
// to be on record for it.
func (l *Live) onRecord(r *http.Request) string {
	if me := l.site.Me(r).ID; !l.onlyLooks(r, me) {
		return me
	}
	return ""
}

// newRecordings names those who have heard the recordings of a call, and finds the transcripts,
// which are shown below them. A recording of a live call cannot be deleted: the plugin may still be
// writing about it.
func newRecordings(c store.Call, n *names.Lookup, me string, who people.Identity) recordings {
	out := recordings{Call: c.Key, Me: me, Hear: who.May(people.Hear, ""), Erase: who.May(people.Erase, "") && !c.Live}
	for _, r := range c.Recordings {
		shown := recording{Recording: r}
		for _, h := range r.Heard {
			shown.By = append(shown.By, hearer{n.User(h.By), h})
			shown.Mine = shown.Mine || h.By == me
		}
		out.List = append(out.List, shown)
	}
	if len(out.List) > 0 {
		out.Transcript, _ = transcripts(c.Fields)
	}
	return out
}

// transcripts parts fields with what was said in a recording from the others. Labels are the
// plugin's words for people; there is no other mark of a transcript.
func transcripts(fields []integration.AlertField) (said, others []integration.AlertField) {
	for _, f := range fields {
		if strings.Contains(strings.ToLower(f.Label), "transcript") {
			said = append(said, f)
		} else {
			others = append(others, f)
		}
	}
	return said, others
}

// findCall reads the record that an address names; of several of one key, the newest. None is a
// refusal with status 404.
func (l *Live) findCall(r *http.Request) (store.Call, error) {
	calls, err := l.store.CallsByKey(r.Context(), r.PathValue("sid"))
	if err == nil && len(calls) == 0 {
		return store.Call{}, &layout.Refusal{Status: http.StatusNotFound, Title: "No such call", Message: "There is no call with this id, or its record has been deleted."}
	}
	if err != nil {
		return store.Call{}, err
	}
	return calls[0], nil
}

// ShowCall shows one call: what happened, its phones, recordings and notes. It shows a call in
// progress and one that is over alike; the first is kept current.
func (l *Live) ShowCall(w http.ResponseWriter, r *http.Request) error {
	c, err := l.findCall(r)
	if err != nil {
		return err
	}
	var notices []layout.Notice
	if text := callNotices[r.URL.Query().Get("done")]; text != "" {
		notices = append(notices, layout.Notice{Tone: "ok", Text: text})
	}
	l.drawCall(w, r, http.StatusOK, c, notices, "")
	return nil
}

// drawCall shows a call below notices. draft is a note that was refused. It cannot fail: what
// cannot be read beside the record is left out.
func (l *Live) drawCall(w http.ResponseWriter, r *http.Request, status int, c store.Call, notices []layout.Notice, draft string) {
	n := l.site.Names(r)
	body := callBody{Call: c, NameOfIntegration: c.IntegrationName, Facts: c.Fields, Draft: draft, Recordings: newRecordings(c, n, l.onRecord(r), people.From(r.Context()))}
	// The name of today, if there still is one: people know it by that.
	if in, err := l.store.Integration(r.Context(), c.Integration); err == nil {
		body.NameOfIntegration, body.IntegrationID = in.Name, in.ID
	}
	if len(c.Recordings) > 0 {
		_, body.Facts = transcripts(c.Fields)
	}
	// The page repeats what is known: the number is in its heading.
	body.Facts = slices.DeleteFunc(slices.Clone(body.Facts), func(f integration.AlertField) bool { return f.Value == c.View.From })
	for _, line := range c.Story {
		body.Story = append(body.Story, storyLine{platform.LogEntry{At: line.At, Actor: line.Actor, Message: line.Text}, n.User(line.Actor)})
	}
	body.Notes = l.newNotes(r, c, n, "")
	body.AlertID, body.AlertPage = l.alertOf(r, c)
	// Screen readers say the state again when it changes, and nothing else of the page.
	body.Summary = callBadge(c.View).Text
	l.site.Show(w, r, status, layout.Page{Title: "Call from " + layout.Phone(c.View.From), Template: "call", Nav: "calls", Live: true, Still: !c.Live, Notices: notices, Body: body})
}

// alertOf is where the alert of a call is shown: its id on these pages, or its page at the
// platform. An alert that no commit has seen yet is asked for; while the platform does not answer,
// the page goes without. At most one of both is given.
func (l *Live) alertOf(r *http.Request, c store.Call) (id, page string) {
	known := c.Alert
	if known.ID == "" && known.Key != "" {
		if snap, err := l.site.Platform.Alert(r.Context(), l.site.Scope(c.Integration), known.Key); err == nil {
			known.ID, known.URL = snap.ID, snap.URL
		}
	}
	if l.browser != nil {
		return known.ID, ""
	}
	return "", layout.WebAddress(known.URL)
}
