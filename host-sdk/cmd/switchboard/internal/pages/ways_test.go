package pages_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Two addresses that look alike are told apart by their place in the file, and their secrets stay
// secret.
func TestAddressesThatLookAlikeAreNumbered(t *testing.T) {
	t.Parallel()
	text := strings.Replace(peopleFile, "id: alice,", `id: alice, notify: ["generic://hooks.example.com/canary1", "ntfy://ntfy.example.com/canary", "generic://hooks.example.com/canary2"],`, 1)
	file, problems := switchboardfile.Parse("switchboard.yaml", []byte(text))
	if file == nil {
		t.Fatal(problems)
	}
	told := ways.New(ways.Config{File: func() *switchboardfile.File { return file }, Clock: clock.System(),
		Send: func(_ context.Context, _ string, to notify.Address, _ notify.Message) error {
			if to.ID() == file.User("alice").Notify[2].ID() {
				return integration.Errorf(integration.KindInvalid, "it was refused")
			}
			return nil
		}})
	s, sent := peopled(t, options{ways: told})
	s.change(text)
	alice := s.as(sent, "alice@example.com")
	for _, page := range []string{"/me", "/settings/people"} {
		alice.get(page).is(200).has("webhook (hooks.example.com), 1 of 2 in the file", "webhook (hooks.example.com), 2 of 2 in the file", "ntfy (ntfy.example.com)").hasNot("canary", "ntfy (ntfy.example.com), ")
	}
	alice.post("/me/test", url.Values{}).is(200).has("webhook (hooks.example.com), 1 of 2 in the file: The service has taken it.", "webhook (hooks.example.com), 2 of 2 in the file: Not sent: It was refused.").hasNot("canary")
}

// Everybody can try how they are told, and an admin can try it for others. What came of it is said
// for each way, and no page shows an address.
func TestPeopleTryTheirWays(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("id: alice,", `id: alice, notify: ["ntfy://user:canary@ntfy.example.com/canary"],`,
		"id: vera,", `id: vera, notify: ["pushover://shoutrrr:canary@canary"],`).Replace(peopleFile)
	file, problems := switchboardfile.Parse("switchboard.yaml", []byte(text))
	if file == nil {
		t.Fatal(problems)
	}
	inbox := make(mails, 10)
	still := clock.NewManual(time.Now()) // on which no seconds pass between two tests
	told := ways.New(ways.Config{File: func() *switchboardfile.File { return file }, Mailer: inbox, Clock: still,
		Send: func(_ context.Context, purpose string, to notify.Address, _ notify.Message) error {
			if to.Scheme() == "pushover" {
				return integration.Errorf(integration.KindInvalid, "%s refused it with 403 Forbidden: correct the address", to)
			}
			return nil
		}})
	s, sent := peopled(t, options{ways: told})
	s.change(text)
	alice := s.as(sent, "alice@example.com")
	v := alice.get("/me").is(200)
	v.has("How you are told", "ntfy (ntfy.example.com)", "Send me a test")
	v = alice.post("/me/test", url.Values{}).is(200)
	v.has("Mail to alice@example.com: The mail server has taken the mail.", "ntfy (ntfy.example.com): The service has taken it.")
	if mail := <-inbox; mail.To != "alice@example.com" {
		t.Errorf("the test is mailed to %s", mail.To)
	}
	alice.post("/me/test", url.Values{}).is(200).has("was sent a test just now")
	v = alice.post("/settings/people/users/vera/test", url.Values{"way": {"notify"}}).is(200)
	v.has("Pushover: Not sent: Pushover refused it with 403 Forbidden: correct the address.")
	alice.get("/settings/audit").is(200).has("Sent a person a test")
	bob := s.as(sent, "Bob@example.com")
	bob.post("/settings/people/users/vera/test", url.Values{}).is(403)
	bob.post("/me/test", url.Values{"way": {"notify"}}).is(200).has("Bob Example cannot be told at an address: give them notify in the switchboard file")
	for _, path := range []string{"/me", "/settings/people", "/settings/audit", "/oncall"} {
		if v := alice.get(path); strings.Contains(v.body, "canary") {
			t.Errorf("%s shows an address:\n%s", path, v.body)
		}
	}
}
