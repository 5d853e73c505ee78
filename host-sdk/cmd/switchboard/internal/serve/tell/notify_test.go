package tell

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

type mailbox struct {
	sent []engine.OutgoingMail
	fail map[string]error
}

func (m *mailbox) Send(_ context.Context, mail engine.OutgoingMail) error {
	m.sent = append(m.sent, mail)
	return m.fail[mail.To]
}

const shiftFile = `
users:
  - {id: bob, name: Bob Example, email: bob@example.com, notify: ["ntfy://ntfy.example.com/secret"], phones: ["+12025550144"]}
  - {id: carol, name: Carol Example}
teams:
  - {id: devops, name: DevOps, schedule: {timezone: America/New_York, layers: [{users: [bob]}, {users: [bob]}]}}
`

// TestWhoIsGivenAShiftIsToldByAllTheirWays holds that they are told when, in the team's zone, and
// by whom.
func TestWhoIsGivenAShiftIsToldByAllTheirWays(t *testing.T) {
	t.Parallel()
	file, problems := switchboardfile.Parse("switchboard.yaml", []byte(shiftFile))
	if file == nil {
		t.Fatal(problems)
	}
	box := &mailbox{}
	var notified []string
	fileNow := func() *switchboardfile.File { return file }
	told := ways.New(ways.Config{File: fileNow, Mailer: box, Clock: clock.System(), Send: func(_ context.Context, purpose string, to notify.Address, m notify.Message) error {
		notified = append(notified, purpose+" to "+to.String()+": "+m.Title+"\n"+m.Text)
		return errors.New("the service is down")
	}})
	tell := OfShift(told, "https://hotline.example.com", fileNow)
	at := time.Date(2026, 12, 24, 14, 0, 0, 0, time.UTC)
	c := shifts.News{What: shifts.Given, Change: shifts.Change{ID: "S1", Team: "devops", Layer: 2, User: "bob", From: at, To: at.Add(2 * time.Hour), By: "Alice Example", Note: "dentist"}}
	// One way that works is enough, and who has none is not told.
	for _, to := range []string{"bob", "carol"} {
		if err := tell(t.Context(), c, integration.User{ID: to}); err != nil {
			t.Fatal(err)
		}
	}
	want := "Alice Example gave you a shift: layer 2 of DevOps, from Thu 24 Dec 2026 09:00 EST to Thu 24 Dec 2026 11:00 EST.\n\ndentist\n\nThe month ahead: https://hotline.example.com/oncall/devops\n"
	if len(box.sent) != 1 || box.sent[0].Text != want || box.sent[0].Subject != "You are on call: DevOps" {
		t.Errorf("mailed %+v, want one mail with %q", box.sent, want)
	}
	if len(notified) != 1 || notified[0] != "shift to ntfy (ntfy.example.com): You are on call: DevOps\n"+want {
		t.Errorf("notified %q", notified)
	}
}

// Who loses a shift, or had one that is taken back, who is on call again, and whose absence is
// entered or removed, is told what is so now.
func TestWhatPeopleAreToldOfShiftsThatChange(t *testing.T) {
	t.Parallel()
	file, problems := switchboardfile.Parse("switchboard.yaml", []byte(shiftFile))
	if file == nil {
		t.Fatal(problems)
	}
	fileNow := func() *switchboardfile.File { return file }
	at := time.Date(2026, 12, 24, 14, 0, 0, 0, time.UTC)
	const shift = "layer 2 of DevOps, from Thu 24 Dec 2026 09:00 EST to Thu 24 Dec 2026 11:00 EST"
	const times = shift + ". The schedule counts again"
	for what, test := range map[shifts.What]struct{ team, subject, text string }{
		shifts.Lost:      {"devops", "You are not on call: DevOps", "Alice Example gave Bob Example a shift in which you were on call: " + shift + ".\n"},
		shifts.Taken:     {"devops", "You are not on call: DevOps", "Bob Example took a shift in which you were on call: " + shift + ".\n"},
		shifts.Away:      {"", "You count as away", "Alice Example entered an absence of yours, from Thu 24 Dec 2026 14:00 UTC to Thu 24 Dec 2026 16:00 UTC: no team has you on call in that time.\n"},
		shifts.TakenBack: {"devops", "You are not on call: DevOps", "Alice Example took back a shift that you had: " + times + ".\n"},
		shifts.Again:     {"devops", "You are on call: DevOps", "Alice Example took back a shift that Bob Example had: " + times + ", and has you in that time.\n"},
		"":               {"", "You count as here again", "Alice Example removed your absence from Thu 24 Dec 2026 14:00 UTC to Thu 24 Dec 2026 16:00 UTC: the schedules of all your teams count again.\n"},
	} {
		box := &mailbox{}
		tell := OfShift(ways.New(ways.Config{File: fileNow, Mailer: box, Clock: clock.System(), Send: func(context.Context, string, notify.Address, notify.Message) error { return nil }}), "https://hotline.example.com", fileNow)
		n := shifts.News{What: what, Change: shifts.Change{ID: "S1", Team: test.team, Layer: 2, User: "bob", From: at, To: at.Add(2 * time.Hour), By: "Alice Example"}}
		if test.team == "" {
			n.Layer = 0
		}
		if what == "" {
			n.What = shifts.TakenBack
		}
		if err := tell(t.Context(), n, integration.User{ID: "bob"}); err != nil {
			t.Fatal(err)
		}
		if len(box.sent) != 1 || box.sent[0].Subject != test.subject || !strings.HasPrefix(box.sent[0].Text, test.text) {
			t.Errorf("%s: mailed %+v, want %q with %q", what, box.sent, test.subject, test.text)
		}
	}
}

func TestNotify(t *testing.T) {
	t.Parallel()
	pages := Pager{PersonLink: func(user, alert string) string { return "https://hotline.example.com/page/" + user + "-" + alert }}
	if pages.Mail(nil) != nil {
		t.Fatal("without a mail server there is a function that notifies")
	}
	page := alerts.Page{
		ID: "page1", Layer: 2, Round: 1,
		User: integration.User{ID: "alice", Email: "alice@example.com"},
		Alert: platform.AlertRecord{
			AlertSnapshot: integration.AlertSnapshot{ID: "1", URL: "https://hotline.example.com/alerts/1"}, Title: "Call\r\nBcc: x", Urgency: "high",
			Description: "A caller waits.", Fields: []integration.AlertField{{Label: "Caller", Value: "+12025550143"}},
		},
	}
	box := &mailbox{fail: map[string]error{"alice@example.com": integration.Errorf(integration.KindUnavailable, "later")}}
	tell := pages.Mail(box)
	if err := tell(t.Context(), page); err == nil || !strings.Contains(err.Error(), "later") {
		t.Fatalf("error %v does not contain %q", err, "later")
	}
	if len(box.sent) != 1 || box.sent[0].To != "alice@example.com" {
		t.Fatalf("sent %v", box.sent)
	}
	if got := box.sent[0].Subject; got != "[high] Call Bcc: x" {
		t.Fatalf("one line: got %q, want %q", got, "[high] Call Bcc: x")
	}
	if got := box.sent[0].AlertURL; got != "https://hotline.example.com/page/alice-1" {
		t.Fatalf("box.sent[0].AlertURL = %q, want the personal link", got)
	}
	if got := box.sent[0].Text; !strings.Contains(got, "Caller: +12025550143") {
		t.Fatalf("box.sent[0].Text does not contain %q:\n%s", "Caller: +12025550143", got)
	}
	if got := box.sent[0].Text; !strings.Contains(got, "layer 2") {
		t.Fatalf("box.sent[0].Text does not contain %q:\n%s", "layer 2", got)
	}
	box.fail = nil
	if err := tell(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(box.sent[0].MessageID, box.sent[1].MessageID); diff != "" {
		t.Fatalf("the same at each attempt (-want +got):\n%s", diff)
	}
	page.User = integration.User{ID: "carol@x", Email: "carol@example.com"}
	if err := tell(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	if got := box.sent[2].MessageID; got == box.sent[0].MessageID {
		t.Fatalf("another person's mail has the same Message-ID %v", got)
	}
	if !regexp.MustCompile("^[0-9a-f]{32}$").MatchString(box.sent[1].MessageID) {
		t.Fatalf("box.sent[1].MessageID: no match in\n%s", box.sent[1].MessageID)
	}
}

// What a channel is told ends with one full stop, whether the platform or the plugin has worded it.
func TestAChannelIsToldInSentences(t *testing.T) {
	t.Parallel()
	for note, want := range map[string]string{
		"waiting for layer 1: Alice Example":                    "DevOps: waiting for layer 1: Alice Example.\n\nhttps://x\n",
		"Nobody has heard the message. Call back +12025550143.": "DevOps: Nobody has heard the message. Call back +12025550143.\n\nhttps://x\n",
	} {
		if got := channelText(alerts.Page{Team: "DevOps", Note: note}, "https://x"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A page after a message, or after others were paged, is told from the first one by its subject and
// its first lines.
func TestAPageSaysWhatIsNew(t *testing.T) {
	t.Parallel()
	alert := platform.AlertRecord{Title: "Incoming call from +12025550143", Urgency: "high"}
	const title, end = "Incoming call from +12025550143", "\nYou are on call (layer 1). Acknowledge the alert to take it.\n"
	for name, one := range map[string]struct {
		note          string
		messages      int
		subject, text string
	}{
		"the first":         {"", 0, "[high] " + title, ""},
		"the next layer":    {"Nobody in layer 1 acknowledged it within 5 minutes", 0, "[high] " + title, "\nNobody in layer 1 acknowledged it within 5 minutes.\n"},
		"a message":         {"Opened again (the caller left a message)", 1, "[high] " + title + ": a message was left", "\nOpened again (the caller left a message).\n\nA message was left. Open the alert to hear it.\n"},
		"a further message": {"Opened again (the caller left a message)", 2, "[high] " + title + ": 2 messages were left", "\nOpened again (the caller left a message).\n\n2 messages were left. Open the alert to hear them.\n"},
	} {
		page := alerts.Page{Layer: 1, Note: one.note, Alert: alert}
		page.Alert.Attachments = make([]platform.Attachment, one.messages)
		if diff := cmp.Diff([]string{one.subject, title + "\n" + one.text + end}, []string{subject(page), pageText(page)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
