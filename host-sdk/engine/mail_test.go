package engine_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// mailing makes a host whose plugin leaves one mail with each request, and whose mails come out of the
// channel unless refuse has something against them.
func mailing(t *testing.T, m integration.Mail, refuse func(engine.OutgoingMail) error) (*host, chan engine.OutgoingMail) {
	t.Helper()
	sent := make(chan engine.OutgoingMail, 10)
	h := newHost(t, func(c *engine.Config) {
		c.Mailer = mailerFunc(func(m engine.OutgoingMail) error {
			if err := refuse(m); err != nil {
				return err
			}
			sent <- m
			return nil
		})
	})
	h.plugin.webhook = once(integration.Outcome{Session: remember(1), Mail: []integration.Mail{m}})
	return h, sent
}

func nothingAgainst(engine.OutgoingMail) error { return nil }

// hasFinding reports whether the integration has the finding now.
func (h *host) hasFinding(t *testing.T, code, text string) bool {
	t.Helper()
	list, err := h.store.Store.Findings(context.Background(), h.id)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(list, func(f integration.Finding) bool { return f.Code == code && strings.Contains(f.Message, text) })
}

// TestAMailWaitsUntilTheAccountIsPutRight: a mail server that refuses the host's password says nothing
// about the mail. It is tried again, and a finding says what is wrong until a mail was sent.
func TestAMailWaitsUntilTheAccountIsPutRight(t *testing.T) {
	t.Parallel()
	var wrong atomic.Bool
	wrong.Store(true)
	h, sent := mailing(t, integration.Mail{Key: "m", To: []integration.Recipient{{Address: "a@example.com"}}}, func(engine.OutgoingMail) error {
		if wrong.Load() {
			return &integration.Error{Kind: integration.KindUnauthorized, Code: "535", Message: "check user and password of the SMTP URL"}
		}
		return nil
	})
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		t.Errorf("the plugin hears of %s: %v", req.Event, req.Failure)
		return integration.Outcome{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	eventually(t, "the finding", func() bool { return h.hasFinding(t, engine.FindingMail, "check user and password") })
	wrong.Store(false)
	wait(t, sent, "the mail")
	eventually(t, "the end of the finding", func() bool { return !h.hasFinding(t, engine.FindingMail, "") })
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

// TestATeamThatIsGoneCostsOthersNoMail: the rest of an audience gets the mail, which names what is
// missing.
func TestATeamThatIsGoneCostsOthersNoMail(t *testing.T) {
	t.Parallel()
	h, sent := mailing(t, integration.Mail{
		Key: "m", To: []integration.Recipient{{Audience: integration.AudienceTeam, Teams: []string{"gone", "devops"}}},
		Attachments: []integration.MediaRef{{Ref: "media:gone", Name: "voicemail.mp3"}},
	}, nothingAgainst)
	h.platform.audiences = func(teams []string) ([]string, error) {
		if slices.Contains(teams, "gone") {
			return nil, integration.Errorf(integration.KindNotFound, "no such team")
		}
		return []string{"a@example.com"}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	m := wait(t, sent, "the mail")
	want := []string{"The team gone could not be found. Nobody of it got this mail.", "The attachment voicemail.mp3 is no longer there."}
	if diff := cmp.Diff(want, m.Notes); diff != "" || m.To != "a@example.com" {
		t.Errorf("mail to %s, notes (-want +got):\n%s", m.To, diff)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

// TestATeamThatCannotBeReadNowDelaysNobodyElse: its people get the mail when it can.
func TestATeamThatCannotBeReadNowDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	h, sent := mailing(t, integration.Mail{
		Key: "m", To: []integration.Recipient{{Audience: integration.AudienceTeam, Teams: []string{"slow", "devops"}}},
	}, nothingAgainst)
	var readable atomic.Bool
	h.platform.audiences = func(teams []string) ([]string, error) {
		switch {
		case teams[0] == "devops":
			return []string{"a@example.com"}, nil
		case readable.Load():
			return []string{"b@example.com"}, nil
		default:
			return nil, errDown
		}
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	if m := wait(t, sent, "the first mail"); m.To != "a@example.com" || len(m.Notes) != 0 {
		t.Errorf("mail to %s with notes %q", m.To, m.Notes)
	}
	readable.Store(true)
	if m := wait(t, sent, "the second mail"); m.To != "b@example.com" {
		t.Errorf("mail to %s", m.To)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

// TestAMailGoesWithoutTheLinkOfASessionThatIsGone.
func TestAMailGoesWithoutTheLinkOfASessionThatIsGone(t *testing.T) {
	t.Parallel()
	h, sent := mailing(t, integration.Mail{}, nothingAgainst)
	err := h.store.AddItem(context.Background(), store.Item{Integration: h.id, Key: "gone", Kind: store.ItemMail, Due: h.clock.Now(),
		Body: []byte(`{"mail":{"Key":"m","LinkAlert":true,"Subject":"Voicemail"},"to":"a@example.com","message_id":"1"}`)})
	if err != nil {
		t.Fatal(err)
	}
	h.start(t)
	if m := wait(t, sent, "the mail"); m.Subject != "Voicemail" || m.AlertURL != "" {
		t.Errorf("%+v", m)
	}
}
