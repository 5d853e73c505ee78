package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// asking lets the plugin ask one question and hand the answer to got.
func asking(q integration.Question, got *integration.Answer) func(integration.WebhookRequest) (integration.Outcome, error) {
	return func(req integration.WebhookRequest) (integration.Outcome, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.Outcome{Need: []integration.Question{q}}, nil
		}
		*got = req.Facts.Answers[0]
		return integration.Outcome{Response: ok("done")}, nil
	}
}

func TestEarlierCallsOfANumberAreAnswered(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	now := h.clock.Now().Truncate(time.Millisecond).Add(-time.Hour)
	add := func(key, from, ended, alertURL string, at time.Time) {
		view := &integration.CallView{ID: key, From: from, Ended: ended, StartedAt: at}
		_, err := h.store.Commit(t.Context(), store.Commit{Integration: h.id, Key: key, Now: at, Session: &store.Session{Call: view},
			Call: &store.CallUpdate{New: true, View: view, Alert: store.CallAlert{URL: alertURL}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	add("before", "+12025550143", "connected", "", now.Add(-time.Second))
	add("one", "+12025550143", "hung_up", "https://hotline.example.com/alerts/1", now)
	add("two", "+12025550143", "", "", now.Add(time.Minute))
	add("other", "+12025550144", "", "", now.Add(time.Minute))
	add("K", "+12025550143", "", "", now.Add(2*time.Minute))
	var got integration.Answer
	h.plugin.webhook = asking(integration.Question{ID: "q", Kind: integration.AskRecentCalls, From: "+12025550143", Since: now}, &got)
	h.expect(t, "/c/K/x", "done", "the question")
	want := integration.Answer{ID: "q", Calls: []integration.RecentCall{
		{ID: "two", StartedAt: now.Add(time.Minute)},
		{ID: "one", StartedAt: now, Ended: "hung_up", AlertURL: "https://hotline.example.com/alerts/1"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the answer (-want +got):\n%s", diff)
	}

	h.plugin.webhook = asking(integration.Question{ID: "q", Kind: integration.AskRecentCalls}, &got)
	h.expect(t, "/c/K/x", "done", "a withheld number")
	if got.Err != nil || len(got.Calls) != 0 {
		t.Errorf("a withheld number called before: %+v", got)
	}
	for i := range 120 {
		add(fmt.Sprint("many", i), "+12025550145", "", fmt.Sprint("alert", i), now.Add(time.Duration(i)*time.Second))
	}
	h.plugin.webhook = asking(integration.Question{ID: "q", Kind: integration.AskRecentCalls, From: "+12025550145"}, &got)
	h.expect(t, "/c/K/x", "done", "many calls")
	if len(got.Calls) != 100 || got.Calls[0].ID != "many119" {
		t.Errorf("%d calls, the first %s; want the newest 100", len(got.Calls), got.Calls[0].ID)
	}
	if n := h.platform.times("alert"); n > 0 {
		t.Errorf("%d alerts were read while a caller waited", n)
	}
}

func TestACallGetsAddressesOfItsMediaForTenMinutes(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk), func(c *engine.Config) {
		c.GuardedMediaURL = func(ref string, expires time.Time) string {
			return ref + "?until=" + expires.UTC().Format(time.RFC3339Nano)
		}
	})
	kept, err := h.store.PutMedium(t.Context(), store.Medium{MediaRef: integration.MediaRef{Name: "voicemail.mp3", ContentType: "audio/mpeg"}, Data: []byte("audio")})
	if err != nil {
		t.Fatal(err)
	}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok(req.Facts.MediaURLs[kept.Ref] + "|" + req.Facts.MediaURLs["media:deleted"])}
		if req.Facts.Session == nil {
			o.Session = remember(1)
			o.Session.Media = []string{kept.Ref, "media:deleted"}
		}
		return o, nil
	}
	h.expect(t, "/c/K/x", "|", "before the call has media")
	for range 2 {
		clk.Advance(time.Minute)
		h.expect(t, "/c/K/x", kept.Ref+"?until="+clk.Now().Add(10*time.Minute).UTC().Format(time.RFC3339Nano)+"|", "an address made anew")
	}
}

func TestWhatTheHostCanDoIsSaidWithEachRequest(t *testing.T) {
	t.Parallel()
	say := answering(func(f integration.Facts) string {
		return fmt.Sprint(f.Instance.ProtocolMinor, f.Instance.Capabilities.Mail, f.Instance.Capabilities.Notifies, f.Instance.Capabilities.CallMedia)
	})
	for _, c := range []struct {
		change func(*engine.Config)
		want   string
	}{
		{func(*engine.Config) {}, fmt.Sprint(integration.ProtocolMinor, false, false, false)},
		{func(c *engine.Config) { c.Mailer = &sentMail{} }, fmt.Sprint(integration.ProtocolMinor, true, false, false)},
		{func(c *engine.Config) { c.Notifies = true }, fmt.Sprint(integration.ProtocolMinor, false, true, false)},
		{func(c *engine.Config) { c.GuardedMediaURL = func(ref string, _ time.Time) string { return ref } }, fmt.Sprint(integration.ProtocolMinor, false, false, true)},
	} {
		h := newHost(t, c.change)
		h.plugin.webhook = say
		h.expect(t, "/c/K/x", c.want, "capabilities")
	}
}

func TestARequestKeptForLaterSaysWhenItCame(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.session(t, "K", h.clock.Now(), store.Session{})
	came := clk.Now()
	got := make(chan integration.WebhookRequest, 1)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if !req.Deferred {
			clk.Advance(9 * time.Second) // a plugin that does not answer in time
			return integration.Outcome{}, integration.Errorf(integration.KindUnavailable, "away")
		}
		got <- req
		return integration.Outcome{Response: ok("done")}, nil
	}
	if resp, err := h.post(t, "/c/K/late", ""); err != nil || resp.Status != 204 {
		t.Fatalf("%+v, %v", resp, err)
	}
	clk.Advance(time.Hour)
	h.start(t)
	if req := wait(t, got, "the kept request"); !req.ReceivedAt.Equal(came) || !req.Facts.Now.After(came) {
		t.Errorf("it was received at %v and is handled at %v, want %v and later", req.ReceivedAt, req.Facts.Now, came)
	}
}

func TestWhatABeginningCallAsksIsAnsweredInAdvance(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	question := integration.RecentCallsQuestion{Field: "Number", IDPrefix: "earlier/", Window: time.Hour}
	h.plugin.describe = func(d integration.Description) (integration.Description, error) {
		d.Webhook.RecentCalls = question
		return d, nil
	}
	if err := h.DescribeAgain(t.Context(), "fake"); err != nil {
		t.Fatal(err)
	}
	began := h.clock.Now().Truncate(time.Millisecond).Add(-time.Minute)
	for key, at := range map[string]time.Time{"before": began, "long-ago": began.Add(-2 * time.Hour)} {
		view := &integration.CallView{ID: key, From: "+12025550143", StartedAt: at}
		_, err := h.store.Commit(t.Context(), store.Commit{Integration: h.id, Key: key, Now: at, Session: &store.Session{Call: view}, Call: &store.CallUpdate{New: true, View: view}})
		if err != nil {
			t.Fatal(err)
		}
	}
	var runs [][]integration.Answer
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		runs = append(runs, req.Facts.Answers)
		return integration.Outcome{Response: ok("done"), Session: remember("x")}, nil
	}
	for _, body := range []string{"Number=%2B12025550143", "Number=%2B12025550143", "", "Number=" + strings.Repeat("1", 100)} {
		path := "/c/K/x"
		if len(runs) > 1 {
			path = fmt.Sprint("/c/K", len(runs), "/x")
		}
		if _, err := h.post(t, path, body); err != nil {
			t.Fatal(err)
		}
	}
	want := [][]integration.Answer{
		{{ID: "earlier/+12025550143", Calls: []integration.RecentCall{{ID: "before", StartedAt: began}}}},
		nil, // the call has begun
		nil, // no number
		nil, // none that anybody has
	}
	if diff := cmp.Diff(want, runs, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what each run of the handler was handed (-want +got):\n%s", diff)
	}
}
