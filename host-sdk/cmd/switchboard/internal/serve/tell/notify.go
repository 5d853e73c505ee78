package tell

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// What a notice is for, as a label of its metric.
const (
	noticeOfPage    = "page"    // tells a person on call of an alert
	noticeOfChannel = "channel" // tells a team's channel of an alert
	// Tells a person of a shift or an absence that somebody else changed for them.
	noticeOfShift = "shift"
	noticeOfTest  = "test" // somebody tries a person's ways
)

// NewNoticeCounter counts what becomes of notices to addresses.
func NewNoticeCounter() *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "switchboard_notify_attempts_total",
		Help: "Attempts to notify one address of a person or channel, by purpose (page: a person on call; channel: a team's channel; shift: a shift or an absence that somebody else changed; test) and result (sent, refused: for good, failed: tried again).",
	}, []string{"purpose", "result"})
	for _, purpose := range []string{noticeOfPage, noticeOfChannel, noticeOfShift, noticeOfTest} {
		for _, result := range []string{"sent", "refused", "failed"} {
			// From the start, so that the first failure is a rise.
			c.WithLabelValues(purpose, result)
		}
	}
	return c
}

// Pager tells people and channels of alerts. It is handed to the embedded platform, which decides
// whom to tell and when.
type Pager struct {
	Sender     *notify.Sender
	Sends      *prometheus.CounterVec
	PersonLink func(user, alert string) string // opens an alert as that person
	AlertLink  func(alert string) string       // opens it for whoever is signed in
}

// Mail tells a person by mail that an alert waits for them. nil without a mail server: then other
// ways, the alert list and the phone are all there is.
func (p Pager) Mail(mailer engine.Mailer) func(context.Context, alerts.Page) error {
	if mailer == nil {
		return nil
	}
	return func(ctx context.Context, page alerts.Page) error {
		// The same for every attempt: a mail that goes out twice is shown once. User ids may hold
		// what a Message-ID may not.
		id := sha256.Sum256([]byte(page.ID + "\x00" + page.User.ID))
		return mailer.Send(ctx, engine.OutgoingMail{
			MessageID: hex.EncodeToString(id[:16]),
			To:        page.User.Email,
			Subject:   subject(page),
			Text:      pageText(page),
			AlertURL:  p.PersonLink(page.User.ID, page.Alert.ID),
		})
	}
}

// Send notifies an address of a person or channel. A page with a team is for its channel, any other
// for a person.
func (p Pager) Send(ctx context.Context, to notify.Address, page alerts.Page) error {
	m := notify.Message{Title: subject(page), Text: noticeText(page, p.PersonLink(page.User.ID, page.Alert.ID))}
	purpose := noticeOfPage
	if page.Team != "" {
		purpose = noticeOfChannel
		m.Text = channelText(page, p.AlertLink(page.Alert.ID))
	}
	return p.count(purpose, p.Sender.Send(ctx, to, m))
}

// SendText notifies an address of anything else. purpose is one of those above.
func (p Pager) SendText(ctx context.Context, purpose string, to notify.Address, m notify.Message) error {
	return p.count(purpose, p.Sender.Send(ctx, to, m))
}

// count counts an attempt to notify an address. It returns err.
func (p Pager) count(purpose string, err error) error {
	result := "sent"
	switch {
	case err == nil:
	case integration.KindOf(err).Final():
		result = "refused"
	default:
		result = "failed"
	}
	p.Sends.WithLabelValues(purpose, result).Inc()
	return err
}

// noticeText is what a person sees on the lock screen of their phone: what the mail says, with the
// personal link. The link is last, where telephones show it whole.
func noticeText(page alerts.Page, link string) string {
	return pageText(page) + "\n" + link + "\n"
}

// channelText tells a channel what happened. The link there is one for people who sign in: a
// channel has readers who were not paged. Some notes are sentences already.
func channelText(page alerts.Page, link string) string {
	return page.Team + ": " + wording.Sentence(page.Note) + "\n\n" + link + "\n"
}

// OfShift tells a person, by each of their ways, of a shift or an absence that somebody else
// changed for them. file is the switchboard file in force. A team that is gone meanwhile is told of
// to nobody. The id of a message is the same for each attempt.
func OfShift(w *ways.Ways, public string, file func() *switchboardfile.File) func(context.Context, shifts.News, integration.User) error {
	return func(ctx context.Context, n shifts.News, to integration.User) error {
		id := "shift-" + n.ID
		if n.What != shifts.Given {
			id += "-" + strings.ReplaceAll(string(n.What), " ", "-")
		}
		if n.Away() {
			title, text := absenceText(n)
			return w.Tell(ctx, to.ID, id, noticeOfShift, title, text+"\nWho is on call: "+public+"/oncall\n")
		}
		t := file().Team(n.Team)
		if t == nil {
			return nil
		}
		title, text := shiftText(n, t, file())
		return w.Tell(ctx, to.ID, id, noticeOfShift, title+oneline.Clean(t.Name, oneline.MaxName),
			text+"\nThe month ahead: "+public+"/oncall/"+url.PathEscape(t.ID)+"\n")
	}
}

// shownShift is how times of shifts are written to people.
const shownShift = "Mon 2 Jan 2006 15:04 MST"

// absenceText says what has become of an absence. In UTC, as an absence is of all teams, whose
// zones differ.
func absenceText(n shifts.News) (title, text string) {
	from, to := n.From.UTC().Format(shownShift), n.To.UTC().Format(shownShift)
	if n.What == shifts.Away {
		return "You count as away", fmt.Sprintf("%s entered an absence of yours, from %s to %s: no team has you on call in that time.\n", n.By, from, to)
	}
	return "You count as here again", fmt.Sprintf("%s removed your absence from %s to %s: the schedules of all your teams count again.\n", n.By, from, to)
}

// shiftText says what has become of a shift of a team; the title goes before the team's name. Times
// are in the team's zone.
func shiftText(n shifts.News, t *switchboardfile.Team, f *switchboardfile.File) (title, text string) {
	const onCall, notOnCall = "You are on call: ", "You are not on call: "
	shift := fmt.Sprintf("layer %d of %s, from %s to %s", n.Layer, t.Name, n.From.In(t.Schedule.Zone()).Format(shownShift), n.To.In(t.Schedule.Zone()).Format(shownShift))
	has := n.Change.User
	if u := f.User(has); u != nil {
		has = u.Name
	}
	switch n.What {
	case shifts.Lost:
		return notOnCall, fmt.Sprintf("%s gave %s a shift in which you were on call: %s.\n", n.By, has, shift)
	case shifts.Taken:
		return notOnCall, fmt.Sprintf("%s took a shift in which you were on call: %s.\n", has, shift)
	case shifts.TakenBack:
		return notOnCall, fmt.Sprintf("%s took back a shift that you had: %s. The schedule counts again.\n", n.By, shift)
	case shifts.Again:
		return onCall, fmt.Sprintf("%s took back a shift that %s had: %s. The schedule counts again, and has you in that time.\n", n.By, has, shift)
	case shifts.Given, shifts.Away:
	}
	text = fmt.Sprintf("%s gave you a shift: %s.\n", n.By, shift)
	if n.Note != "" {
		text += "\n" + n.Note + "\n"
	}
	return onCall, text
}

// subject is one line, whatever a caller's data brought into the title. It says that messages were
// left: a page after one would look like that of the call.
func subject(page alerts.Page) string {
	title := oneline.Clean(page.Alert.Title, 0)
	switch n := len(page.Alert.Attachments); {
	case n == 1:
		title += ": a message was left"
	case n > 1:
		title += fmt.Sprintf(": %d messages were left", n)
	}
	if page.Alert.Urgency == "" {
		return title
	}
	return "[" + page.Alert.Urgency + "] " + title
}

// pageText is the body of the mail. It says what has led to this page, unless the alert is new, and
// what the alert list says, as the mail may be all that a person sees before a caller is on their
// phone.
func pageText(page alerts.Page) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", page.Alert.Title)
	if page.Note != "" {
		fmt.Fprintf(&b, "\n%s\n", wording.Sentence(page.Note))
	}
	switch n := len(page.Alert.Attachments); {
	case n == 1:
		b.WriteString("\nA message was left. Open the alert to hear it.\n")
	case n > 1:
		fmt.Fprintf(&b, "\n%d messages were left. Open the alert to hear them.\n", n)
	}
	if page.Alert.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", page.Alert.Description)
	}
	if len(page.Alert.Fields) > 0 {
		b.WriteString("\n")
	}
	for _, f := range page.Alert.Fields {
		fmt.Fprintf(&b, "%s: %s\n", f.Label, f.Value)
	}
	fmt.Fprintf(&b, "\nYou are on call (layer %d). Acknowledge the alert to take it.\n", page.Layer)
	return b.String()
}
