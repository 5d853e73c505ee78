package ways_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// mailer answers each mail with an error, or none.
type mailer struct {
	sent chan engine.OutgoingMail
	err  error
}

// Send implements engine.Mailer.
func (m mailer) Send(_ context.Context, mail engine.OutgoingMail) error {
	m.sent <- mail
	return m.err
}

const file = `
users:
  - {id: alice, name: Alice, email: alice@example.com, notify: ["ntfy://u:canary@ntfy.example.com/t", "gotify://gotify.example.com/AbCdEfGhIjKlMn0"]}
  - {id: bob, name: Bob, email: bob@example.com}
  - {id: carol, name: Carol, phones: ["+12025550145"]}
teams:
  - {id: devops, name: DevOps, members: [alice], schedule: {timezone: UTC, layers: [{users: [alice]}]}}
`

// newWays is for the people of file; refuse is what each service answers, and mail nil: no mail
// server.
func newWays(t *testing.T, clk clock.Clock, mail engine.Mailer, refuse error, change ...func(*ways.Config)) *ways.Ways {
	t.Helper()
	f, problems := switchboardfile.Parse("switchboard.yaml", []byte(file))
	if f == nil {
		t.Fatal(problems)
	}
	cfg := ways.Config{File: func() *switchboardfile.File { return f }, Mailer: mail, Clock: clk,
		Send: func(context.Context, string, notify.Address, notify.Message) error { return refuse }}
	for _, c := range change {
		c(&cfg)
	}
	return ways.New(cfg)
}

// TestATestGoesByTheWaysThatAreAskedFor and says what came of each, and nothing of an address.
func TestATestGoesByTheWaysThatAreAskedFor(t *testing.T) {
	t.Parallel()
	refused := integration.Errorf(integration.KindInvalid, "it was refused")
	for kind, want := range map[string]string{
		ways.Mail:   "mail to alice@example.com: The mail server has taken the mail.",
		ways.Notify: "notify to ntfy (ntfy.example.com): Not sent: It was refused.\nnotify to Gotify (gotify.example.com): Not sent: It was refused.",
		"":          "mail to alice@example.com: The mail server has taken the mail.\nnotify to ntfy (ntfy.example.com): Not sent: It was refused.\nnotify to Gotify (gotify.example.com): Not sent: It was refused.",
	} {
		sent := make(chan engine.OutgoingMail, 1)
		results, err := newWays(t, clock.System(), mailer{sent: sent}, refused).Test(t.Context(), "alice", kind)
		var lines []string
		for _, r := range results {
			lines = append(lines, r.Line())
			if r.OK != (r.Way == ways.Mail) {
				t.Errorf("%q: %+v", kind, r)
			}
		}
		if got := strings.Join(lines, "\n"); err != nil || got != want || len(sent) != strings.Count(want, "mail to") {
			t.Errorf("%q: %v, %d mails\n%s\nwant\n%s", kind, err, len(sent), got, want)
		}
	}
}

// TestWhoCannotBeToldHearsTheRemedy, and nobody is tested twice within seconds.
func TestWhoCannotBeToldHearsTheRemedy(t *testing.T) {
	t.Parallel()
	sent := mailer{sent: make(chan engine.OutgoingMail, 9)}
	for _, tt := range []struct {
		mail     engine.Mailer
		id, kind string
		want     integration.Kind
		says     string
	}{
		{sent, "nobody", "", integration.KindNotFound, "none of this id"},
		{sent, "alice", "pigeon", integration.KindInvalid, "mail, notify or ring"},
		{sent, "bob", ways.Notify, integration.KindConflict, "Bob cannot be told at an address: give them notify"},
		{sent, "carol", ways.Mail, integration.KindConflict, "Carol cannot be told by mail: give them an email"},
		{nil, "bob", ways.Mail, integration.KindConflict, "set smtp_url"},
		{nil, "bob", "", integration.KindConflict, "give them notify in the switchboard file, or set smtp_url"},
	} {
		_, err := newWays(t, clock.System(), tt.mail, nil).Test(t.Context(), tt.id, tt.kind)
		if integration.KindOf(err) != tt.want || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s by %q: %v, want %s: %s", tt.id, tt.kind, err, tt.want, tt.says)
		}
	}
	w := newWays(t, clock.Scaled(time.Now(), 0.001), sent, nil) // seconds take an hour
	for _, id := range []string{"alice", "bob"} {
		if _, err := w.Test(t.Context(), id, ""); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if _, err := w.Test(t.Context(), id, ""); integration.KindOf(err) != integration.KindConflict || !strings.Contains(err.Error(), "just now") {
			t.Errorf("%s at once again: %v", id, err)
		}
	}
}

// TestSomebodyIsToldIfOneWayWorks: only when none of them did is it a failure. By which ways they
// were reached is said.
func TestSomebodyIsToldIfOneWayWorks(t *testing.T) {
	t.Parallel()
	down := integration.Errorf(integration.KindUnavailable, "it is down")
	wrong := integration.Errorf(integration.KindInvalid, "there is no such address")
	for name, tt := range map[string]struct {
		id           string
		mail, other  error
		fails, final bool
	}{
		"all work": {id: "alice"}, "mail alone": {id: "alice", other: down}, "service alone": {id: "alice", mail: down},
		"none": {id: "alice", mail: down, other: down, fails: true}, "no ways": {id: "carol"},
		"wrong addresses": {id: "alice", mail: wrong, other: wrong, fails: true, final: true},
		"a wrong service": {id: "alice", mail: down, other: wrong, fails: true}, "a wrong mail": {id: "alice", mail: wrong, other: down, fails: true},
	} {
		sent := mailer{make(chan engine.OutgoingMail, 1), tt.mail}
		reached := make(chan string, 3)
		err := newWays(t, clock.System(), sent, tt.other, func(c *ways.Config) {
			c.Reached = func(_ context.Context, user string, way ways.Way) { reached <- user + " by " + way.Kind }
		}).Tell(t.Context(), tt.id, "id-1", "shift", "A shift", "It is yours.")
		if (err != nil) != tt.fails || err != nil && integration.KindOf(err).Final() != tt.final {
			t.Errorf("%s: %v", name, err)
		}
		close(reached)
		byMail, byOther := 0, 0
		for r := range reached {
			switch r {
			case "alice by mail":
				byMail++
			case "alice by notify":
				byOther++
			default:
				t.Errorf("%s: reached %s", name, r)
			}
		}
		if works := tt.id == "alice"; byMail > 0 != (works && tt.mail == nil) || byOther > 0 != (works && tt.other == nil) {
			t.Errorf("%s: reached %d times by mail and %d times by services", name, byMail, byOther)
		}
		if tt.id == "alice" {
			if mail := <-sent.sent; mail.MessageID != "id-1" || mail.Subject != "A shift" || mail.Text != "It is yours." || mail.To != "alice@example.com" {
				t.Errorf("%s: mailed %+v", name, mail)
			}
		}
	}
}
