package live

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// words are the functions of these pages' templates.
var words = template.FuncMap{"alertBadge": alertBadge, "callBadge": callBadge, "legBadge": legBadge, "as": as, "notHeard": notHeard, "gone": lists.Gone, "noted": noted, "talkedTo": talkedTo}

// asked is a control in which a person says who they are. Templates take one value, hence the pair.
type asked struct {
	layout.Page
	ID string // of the control
}

// as is the control of an id on a page. A browser that acts as somebody is not asked. Ids differ,
// as a page may have several such controls.
func as(p layout.Page, id string) asked { return asked{p, id} }

// notedPage is a page with notes.
type notedPage struct {
	layout.Page
	Notes notes
	Draft string
}

// noted are the notes of a page, with the form that adds one.
func noted(p layout.Page, n notes, draft string) notedPage { return notedPage{p, n, draft} }

// notHeard marks a recording, or a call with recordings, that nobody has heard. n is at least 1.
func notHeard(n int) layout.Badge {
	if n > 1 {
		return layout.Badge{Tone: "bad", Text: fmt.Sprintf("%d recordings not heard", n)}
	}
	return layout.Badge{Tone: "bad", Text: "Not heard yet"}
}

// alertBadges are the states of alerts. Open is the loudest: somebody waits and nobody has taken
// the alert. Colours: bad asks to act at once, warn to look, the others to know.
var alertBadges = map[integration.AlertStatus]layout.Badge{
	integration.AlertQueued:       {Tone: "info", Text: "Queued"},
	integration.AlertOpen:         {Tone: "bad", Text: "Open"},
	integration.AlertAcknowledged: {Tone: "ok", Text: "Acknowledged"},
	integration.AlertResolved:     {Tone: "quiet", Text: "Resolved"},
	integration.AlertDropped:      {Tone: "warn", Text: "Dropped"},
	integration.AlertDeleted:      {Tone: "quiet", Text: "Deleted"},
}

// alertBadge is the state of an alert. A status of a later contract is shown as its own word.
func alertBadge(s integration.AlertStatus) layout.Badge {
	if b, ok := alertBadges[s]; ok {
		return b
	}
	return layout.Badge{Tone: "info", Text: layout.PlainWord(string(s))}
}

// The words that flows use for calls and legs. Others are shown as they are. callBadges are the
// states of a call that is in progress. The host knows none of them otherwise: they are the
// plugin's.
var callBadges = map[string]layout.Badge{
	"arrived":            {Tone: "info", Text: "Arriving"},
	"choosing":           {Tone: "info", Text: "Choosing a team"},
	"holding":            {Tone: "warn", Text: "On hold"},
	"connecting":         {Tone: "info", Text: "Connecting"},
	"talking":            {Tone: "ok", Text: "Talking"},
	"leaving_message":    {Tone: "info", Text: "Leaving a message"},
	"awaiting_recording": {Tone: "info", Text: "Fetching the message"},
	"delivering":         {Tone: "warn", Text: "Left a message, people are called"},
}

// endBadges are the ways in which a call ends, by the words of lists.Ends. They are also what the
// form above a list of calls offers.
var endBadges = map[string]layout.Badge{
	"connected":    {Tone: "ok", Text: "Connected"},
	"message_left": {Tone: "info", Text: "Left a message"},
	"no_message":   {Tone: "quiet", Text: "Left no message"},
	"told_goodbye": {Tone: "warn", Text: "Not connected"},
	"hung_up":      {Tone: "warn", Text: "Hung up"},
	"rejected":     {Tone: "quiet", Text: "Rejected"},
}

// callBadge is the state of a call, or how it ended. A word that is not known here is shown as it
// is: another plugin may have words of its own.
func callBadge(c integration.CallView) layout.Badge {
	// A delivered message is news after the call's end: as long as it is being delivered, that is
	// its state.
	if c.Ended != "" && c.State != "delivering" {
		if b, ok := endBadges[c.Ended]; ok {
			return b
		}
		return layout.Badge{Tone: "quiet", Text: layout.PlainWord(c.Ended)}
	}
	if b, ok := callBadges[c.State]; ok {
		return b
	}
	return layout.Badge{Tone: "info", Text: layout.PlainWord(c.State)}
}

// legBadges are the states of a responder's leg. The keys are the plugin's words.
var legBadges = map[string]layout.Badge{
	"planned":   {Tone: "quiet", Text: "Calling soon"},
	"ringing":   {Tone: "warn", Text: "Ringing"},
	"asked":     {Tone: "info", Text: "Answered, confirming"},
	"taking":    {Tone: "info", Text: "Connecting"},
	"talking":   {Tone: "ok", Text: "Talking"},
	"hearing":   {Tone: "ok", Text: "Hearing the message"},
	"declined":  {Tone: "quiet", Text: "Declined"},
	"unreached": {Tone: "warn", Text: "Not reached"},
	"ended":     {Tone: "quiet", Text: "Ended"},
}

// reasons say why a leg ended. "" adds nothing to the state.
var reasons = map[string]string{
	"no_answer": "no answer", "busy": "busy", "failed": "the call failed", "bad_number": "the number cannot be dialed",
	"no_key": "answered, pressed no key", "hung_up": "hung up", "passed": "", "taken": "somebody else took the call",
	"caller": "the caller no longer waited", "lost": "lost before it was connected, or at once", "occupied": "was on another call", "talked": "talked",
	"heard": "heard the message", "no_longer": "no longer needed", "yielded": "a caller came first",
}

// talkedTo names those who have spoken with the caller of a call, in the order of their legs.
func talkedTo(c integration.CallView) (names []string) {
	for _, l := range c.Legs {
		if l.Reason == integration.LegTalked && l.Name != "" && !slices.Contains(names, l.Name) {
			names = append(names, l.Name)
		}
	}
	return names
}

// legBadge is the state of a leg. The caller's leg has the state of the call until it ends. A
// reason that is not known is shown as its own word, behind the state.
func legBadge(l integration.LegView) layout.Badge {
	if l.Role == "caller" {
		if !l.EndedAt.IsZero() {
			return layout.Badge{Tone: "quiet", Text: "Ended"}
		}
		return callBadge(integration.CallView{State: l.State})
	}
	b, ok := legBadges[l.State]
	if !ok {
		b = layout.Badge{Tone: "info", Text: layout.PlainWord(l.State)}
	}
	reason, ok := reasons[l.Reason]
	if !ok {
		reason = strings.ToLower(layout.PlainWord(l.Reason))
	}
	if reason != "" {
		b.Text += ": " + reason
	}
	return b
}
