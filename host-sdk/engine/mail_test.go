package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// mailing makes a host whose plugin leaves one mail with each request, and whose mails come out of
// the channel unless refuse has something against them.
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

// TestAMailWaitsUntilTheAccountIsPutRight: a mail server that refuses the host's password says
// nothing about the mail. It is tried again, and a finding says what is wrong until a mail was
// sent.
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
		if req.Event != integration.TaskDone {
			t.Errorf("the plugin hears of %s: %v", req.Event, req.Failure)
		}
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

func TestAMailThatReachesNobodyComesBackToThePlugin(t *testing.T) {
	t.Parallel()
	mailer := &refusingMailer{}
	h := newHost(t, func(c *engine.Config) { c.Mailer = mailer })
	h.plugin.webhook = once(integration.Outcome{Mail: []integration.Mail{
		{Key: "one", To: []integration.Recipient{{Address: "bob@example.com"}}},
		{Key: "two", To: []integration.Recipient{{Audience: integration.AudienceTeam}}},
	}})
	told := make(chan string, 10)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		told <- fmt.Sprintf("%s %s %q: %s", req.Event, req.Task.Name, req.Task.Payload, req.Failure.Message)
		return integration.Outcome{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	got := []string{wait(t, told, "a result"), wait(t, told, "a result")}
	slices.Sort(got)
	want := []string{
		`task_failed mail "": nobody with an e-mail address is among its recipients`,
		`task_failed mail "bob@example.com": 550 no such user`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

// refusingMailer is a mail server that takes no mail for good.
type refusingMailer struct{}

func (*refusingMailer) Send(context.Context, engine.OutgoingMail) error {
	return integration.Errorf(integration.KindInvalid, "550 no such user")
}

// hearing makes the plugin say what it hears of mails, after it has refused to hear it so often.
func (h *host) hearing(away int32) (told chan string) {
	told = make(chan string, 10)
	var asked atomic.Int32
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Task.Name != integration.TaskMail && req.Task.Name != integration.TaskMailSent {
			return integration.Outcome{}, nil
		}
		if asked.Add(1) <= away {
			return integration.Outcome{}, errDown
		}
		told <- fmt.Sprintf("%s %s %q %v", req.Event, req.Task.Name, req.Task.Payload, req.Failure)
		return integration.Outcome{}, nil
	}
	return told
}

// TestAMailThatWasSentComesBackToThePlugin: once for each address, and late if the plugin is away,
// for which it is not sent again.
func TestAMailThatWasSentComesBackToThePlugin(t *testing.T) {
	t.Parallel()
	h, sent := mailing(t, integration.Mail{Key: "m", To: []integration.Recipient{{Address: "a@example.com"}, {Address: "b@example.com"}}}, nothingAgainst)
	told := h.hearing(3)
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	got := []string{wait(t, told, "a result"), wait(t, told, "a result")}
	slices.Sort(got)
	if diff := cmp.Diff([]string{`task_done mail-sent "a@example.com" <nil>`, `task_done mail-sent "b@example.com" <nil>`}, got); diff != "" {
		t.Error(diff)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	if len(sent) != 2 || len(told) != 0 {
		t.Errorf("%d mails were sent, want 2; %d further results", len(sent), len(told))
	}
}

// finishedStore says what the results of items are stored as.
type finishedStore struct {
	*countingStore
	results chan []byte
}

func (s finishedStore) FinishItem(ctx context.Context, it store.Item, result []byte) error {
	s.results <- result
	return s.countingStore.FinishItem(ctx, it, result)
}

// A host of the release before takes each result of a mail for a failure, and tells people so. It
// drops one that it cannot read: should it take over a mail that was sent, it must be able to read
// nothing.
func TestAHostOfTheReleaseBeforeCannotTakeASentMailForAFailure(t *testing.T) {
	t.Parallel()
	results := make(chan []byte, 1)
	h := newHost(t, func(c *engine.Config) {
		c.Mailer = mailerFunc(func(engine.OutgoingMail) error { return nil })
		c.Store = finishedStore{c.Store.(*countingStore), results}
	})
	h.plugin.webhook = once(integration.Outcome{Session: remember(1), Mail: []integration.Mail{{Key: "m", To: []integration.Recipient{{Address: "a@example.com"}}}}})
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	result := wait(t, results, "the result")
	var before struct { // as 0.1.0 reads it
		Payload []byte
		Media   []integration.MediaRef
		Failure *struct{ Kind, Message, Field, Code string }
	}
	if err := json.Unmarshal(result, &before); err == nil {
		t.Errorf("it reads %s as %+v", result, before)
	}
}

// TestAMailThatWasSentTwiceComesBackOnce: the process died when the mail server had taken it.
func TestAMailThatWasSentTwiceComesBackOnce(t *testing.T) {
	t.Parallel()
	h, sent := mailing(t, integration.Mail{Key: "m", To: []integration.Recipient{{Address: "a@example.com"}}}, nothingAgainst)
	told := h.hearing(0)
	h.expect(t, "/c/K/x", "done", "the request")
	h.store.failing("FinishItem", errDown)
	ctx, die := context.WithCancel(t.Context())
	died := make(chan error, 1)
	go func() { died <- h.Run(ctx) }()
	first := wait(t, sent, "the mail")
	eventually(t, "an attempt to store that it was sent", func() bool { return h.store.times("FinishItem") > 0 })
	die()
	if err := wait(t, died, "the end"); err != nil {
		t.Fatal(err)
	}
	if len(told) != 0 {
		t.Errorf("the plugin hears of what is not stored: %s", <-told)
	}
	h.store.failing("FinishItem", nil)
	h.Engine = h.another(t, exclusive, func(c *engine.Config) {
		c.Mailer = mailerFunc(func(m engine.OutgoingMail) error { sent <- m; return nil })
	})
	h.start(t)
	if again := wait(t, sent, "the mail once more"); again.MessageID != first.MessageID || first.MessageID == "" {
		t.Errorf("the same mail is %q and %q", first.MessageID, again.MessageID)
	}
	wait(t, told, "the result")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	if len(told) != 0 {
		t.Errorf("it is told again: %s", <-told)
	}
}

func TestAPluginOfAnEarlierMinorDoesNotHearOfMails(t *testing.T) {
	t.Parallel()
	mailer := &sentMail{}
	h := newHost(t, func(c *engine.Config) { c.Mailer = mailer })
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.ProtocolMinor = 0
		return d, nil
	})
	// Which asks the plugin anew what it is.
	h.Engine = h.another(t, func(c *engine.Config) { c.Mailer = mailer })
	h.plugin.webhook = once(integration.Outcome{Mail: []integration.Mail{
		{Key: "one", To: []integration.Recipient{{Address: "bob@example.com"}, {Address: "nobody@example.com"}}},
		{Key: "two", To: []integration.Recipient{{Audience: integration.AudienceTeam}}},
	}})
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		t.Errorf("it hears of %s %s", req.Event, req.Task.Name)
		return integration.Outcome{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	if len(mailer.sent) != 1 {
		t.Errorf("sent %+v, want the mail to Bob", mailer.sent)
	}
}

// TestAMailWaitsForWhatItNeeds: its audience, its alert's address, its attachment.
func TestAMailWaitsForWhatItNeeds(t *testing.T) {
	t.Parallel()
	mailer := &sentMail{}
	h := newHost(t, func(c *engine.Config) { c.Mailer = mailer })
	m, err := h.store.PutMedium(context.Background(), store.Medium{MediaRef: integration.MediaRef{Name: "v.mp3"}, Data: []byte("ID3")})
	if err != nil {
		t.Fatal(err)
	}
	u := remember("x")
	u.AlertKey = "K"
	h.plugin.webhook = once(integration.Outcome{Session: u, Mail: []integration.Mail{{
		Key: "m", LinkAlert: true, Attachments: []integration.MediaRef{m.MediaRef}, To: []integration.Recipient{{Audience: integration.AudienceTeam}},
	}}})
	h.expect(t, "/c/K/x", "done", "the request")
	h.platform.set(func(p *fakePlatform) {
		p.audience = []string{"alice@example.com"}
		p.down = errDown
	})
	h.start(t)
	eventually(t, "an attempt to find the audience", func() bool { return h.platform.times("audience") > 0 })
	h.platform.set(func(p *fakePlatform) { p.down = nil })
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	mailer.mu.Lock()
	defer mailer.mu.Unlock()
	if len(mailer.sent) != 1 || mailer.sent[0].AlertURL != "" || len(mailer.sent[0].Attachments) != 1 {
		t.Errorf("sent %+v, want one mail without a link: there is no alert", mailer.sent)
	}
}

// TestAMailWaitsForItsLinkForAWhile: the alert may be readable soon. In the end the mail goes
// without.
func TestAMailWaitsForItsLinkForAWhile(t *testing.T) {
	t.Parallel()
	for _, recovers := range []bool{true, false} {
		clk := newManual()
		m, mailer := engine.NewMetrics(), &sentMail{}
		h := newHost(t, manual(clk), func(c *engine.Config) { c.Metrics, c.Mailer = m, mailer })
		u := remember("x")
		u.AlertKey = "K"
		h.plugin.webhook = once(integration.Outcome{Session: u, Mail: []integration.Mail{{
			Key: "m", LinkAlert: true, To: []integration.Recipient{{Address: "alice@example.com"}},
		}}})
		h.expect(t, "/c/K/x", "done", "the request")
		h.platform.set(func(p *fakePlatform) {
			p.alerts["K"] = integration.AlertSnapshot{Key: "K", URL: "https://hotline.example.com/alerts/1"}
			p.down = errDown
		})
		h.start(t)
		eventually(t, "an attempt that fails", func() bool { return counted(t, m, "outbox_items_total", "mail", "retried") == 1 })
		want := ""
		if recovers {
			want = "https://hotline.example.com/alerts/1"
			h.platform.set(func(p *fakePlatform) { p.down = nil })
		}
		eventually(t, "an empty outbox", func() bool { clk.Advance(10 * time.Second); return h.outboxEmpty(t) })
		mailer.mu.Lock()
		// Time goes so fast that a mail may be taken for lost while it is sent, and is sent again.
		if len(mailer.sent) == 0 || slices.ContainsFunc(mailer.sent, func(m engine.OutgoingMail) bool { return m.AlertURL != want }) {
			t.Errorf("the alert can be read later: %v; sent %+v, want the mail with the link %q", recovers, mailer.sent, want)
		}
		mailer.mu.Unlock()
	}
}

// sentMail remembers mails and fails as told.
type sentMail struct {
	mu   sync.Mutex
	sent []engine.OutgoingMail
	fail map[string]int // attempts to fail, by address
}

func (m *sentMail) Send(_ context.Context, mail engine.OutgoingMail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail[mail.To] > 0 {
		m.fail[mail.To]--
		return errors.New("connection refused")
	}
	if strings.HasPrefix(mail.To, "nobody@") {
		return integration.Errorf(integration.KindInvalid, "550 no such user")
	}
	m.sent = append(m.sent, mail)
	return nil
}

func TestMailGoesOnceToEachAddress(t *testing.T) {
	t.Parallel()
	mailer := &sentMail{fail: map[string]int{"bob@example.com": 3}}
	h := newHost(t, func(c *engine.Config) { c.Mailer = mailer })
	h.platform.audience = []string{"alice@example.com", "Carol@example.com", "kim@example.com", "\u212Aim@example.com"}
	m, err := h.store.PutMedium(context.Background(), store.Medium{MediaRef: integration.MediaRef{Name: "v.mp3", ContentType: "audio/mpeg"}, Data: []byte("ID3")})
	if err != nil {
		t.Fatal(err)
	}
	u := remember("x")
	u.AlertKey = "K"
	h.platform.alerts["K"] = integration.AlertSnapshot{Key: "K", URL: "https://hotline.example.com/alerts/1"}
	h.plugin.webhook = once(integration.Outcome{Session: u, Mail: []integration.Mail{{
		Key: "voicemail", Subject: "A message", Text: "…", LinkAlert: true, Attachments: []integration.MediaRef{m.MediaRef},
		To: []integration.Recipient{{Address: "bob@example.com"}, {Address: "nobody@example.com"}, {Address: "carol@EXAMPLE.com"}, {Audience: integration.AudienceTeam, Teams: []string{"devops"}}},
	}}})
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	var to []string
	ids := map[string]bool{}
	for _, s := range mailer.sent {
		to = append(to, s.To)
		ids[s.MessageID] = true
		if s.AlertURL != "https://hotline.example.com/alerts/1" || len(s.Attachments) != 1 || string(s.Attachments[0].Data) != "ID3" {
			t.Errorf("mail %+v", s)
		}
	}
	slices.Sort(to)
	if want := []string{"alice@example.com", "bob@example.com", "carol@EXAMPLE.com", "kim@example.com", "\u212Aim@example.com"}; !slices.Equal(to, want) || len(ids) != len(want) {
		t.Errorf("sent to %v with %d message ids, want %v", to, len(ids), want)
	}
}
