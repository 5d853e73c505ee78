package embedded_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// services stands in for notification services on loopback: what arrives at each path, and what is
// answered there.
type services struct {
	*httptest.Server

	mu     sync.Mutex
	posts  map[string][]string
	answer map[string]func() int
}

func newServices(t *testing.T) *services {
	t.Helper()
	s := &services{posts: map[string][]string{}, answer: map[string]func() int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.posts[r.URL.Path] = append(s.posts[r.URL.Path], string(body))
		answer := s.answer[r.URL.Path]
		s.mu.Unlock()
		if answer != nil {
			if status := answer(); status != http.StatusOK { // as ntfy says it
				w.WriteHeader(status)
				_, _ = fmt.Fprintf(w, `{"code":%d01,"http":%[1]d,"error":"no"}`, status)
				return
			}
		}
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(s.Close)
	return s
}

// at is what has arrived at a path.
func (s *services) at(path string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.posts[path])
}

// file is storyFile with addresses: Alice and Bob have ntfy, DevOps a channel.
func (s *services) file() string {
	host := strings.TrimPrefix(s.URL, "http://")
	ntfy := func(topic string) string { return fmt.Sprintf(`notify: ["ntfy://%s/%s?scheme=http"]`, host, topic) }
	return strings.NewReplacer(
		`"+12025550143"]}`, `"+12025550143"], `+ntfy("alice-secret")+"}",
		`"+12025550144"]}`, `"+12025550144"], `+ntfy("bob-secret")+"}",
		`    admins: [alice]`, `    admins: [alice]`+"\n    "+fmt.Sprintf(`channels: ["generic+http://%s/channel-secret"]`, host),
	).Replace(storyFile)
}

// busy is how many notices are being sent, or are due. Until it is 0 a test leaves the clock alone:
// what takes longer than its lease is sent again.
func (w *world) busy() int {
	w.t.Helper()
	count := func(query string, arg any) (n int) {
		if err := w.db.Read().QueryRowContext(w.t.Context(), query, arg).Scan(&n); err != nil {
			w.t.Fatal(err)
		}
		return n
	}
	// In the order in which a notice comes through: one that is claimed in between is counted, too.
	due := count("select count(*) from embedded_notices where due <= $1", w.clock.Now().UnixMilli())
	return due + count("select count(*) from embedded_notices where claimed_by = $1 and claimed_by <> ''", "test")
}

// sending has a platform notify addresses by the real sender.
func sending(c *embedded.Config) {
	sender := new(notify.Sender)
	c.Send = func(ctx context.Context, to notify.Address, p alerts.Page) error {
		text := string(p.Event) + ": " + p.User.ID + p.Note
		return sender.Send(ctx, to, notify.Message{Text: text})
	}
}

func (w *world) storyHas(text string) func() bool {
	return func() bool { return strings.Contains(strings.Join(w.story(), "\n"), text) }
}

func TestAPersonIsToldByEachOfTheirWaysAndTheStorySaysSo(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	var mailed paged
	w := newWorld(t, noon, s.file(), sending, func(c *embedded.Config) {
		c.Notify = func(_ context.Context, p alerts.Page) error { mailed.add(p.User.ID); return nil }
	})
	w.open("devops")
	w.until("Alice is told twice", func() bool {
		return w.storyHas("Alice Example was mailed")() && w.storyHas("Alice Example was notified by ntfy")()
	})
	if got := s.at("/alice-secret"); !slices.Equal(got, []string{"paged: alice"}) || mailed.count("alice") != 1 {
		t.Errorf("ntfy received %q, %d mails", got, mailed.count("alice"))
	}
	if len(s.at("/bob-secret")) > 0 {
		t.Error("Bob is told before his layer is reached")
	}
}

// Where there is no mail server, an address is all that tells a person of a page.
func TestAPersonIsNotifiedWithoutAMailServer(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	w := newWorld(t, noon, s.file(), sending)
	w.open("devops")
	w.until("Alice is notified", w.storyHas("Alice Example was notified by ntfy"))
	if caps, err := w.Capabilities(t.Context(), scope); err != nil || !caps.Notifies {
		t.Errorf("the platform says that it notifies nobody: %+v, %v", caps, err)
	}
	if w.storyHas("mailed")() {
		t.Errorf("the story tells of a mail:\n%s", strings.Join(w.story(), "\n"))
	}
}

func TestAServiceThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	failures := 2
	s.answer["/alice-secret"] = func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		if failures--; failures >= 0 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	}
	w := newWorld(t, noon, s.file(), sending)
	w.open("devops")
	w.until("the third attempt arrives", func() bool {
		if w.busy() == 0 {
			w.clock.Advance(time.Second)
		}
		return w.storyHas("Alice Example was notified by ntfy")()
	})
	if n := len(s.at("/alice-secret")); n != 3 {
		t.Errorf("%d attempts, want 3", n)
	}
}

// A page that a service has not taken when the alert ends, or somebody takes it, was not delivered:
// the story says so, as it tells that the layer was reached.
func TestTheStorySaysOfAPageThatCameTooLateThatItWasNotDelivered(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.answer["/alice-secret"] = func() int { return http.StatusServiceUnavailable }
	w := newWorld(t, noon, s.file(), sending, func(c *embedded.Config) {
		c.Notify = func(context.Context, alerts.Page) error {
			return integration.Errorf(integration.KindUnavailable, "come again")
		}
	})
	w.open("devops")
	w.until("each way was tried", func() bool { return len(s.at("/alice-secret")) == 1 && w.busy() == 0 })
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "bob"})
	w.until("the story says that Alice was not told", func() bool {
		if w.busy() == 0 {
			w.clock.Advance(time.Second)
		}
		return w.storyHas("Alice Example could not be mailed before the alert was acknowledged")() &&
			w.storyHas("Alice Example could not be notified by ntfy before the alert was acknowledged")()
	})
	if found := w.Findings(); len(found) != 0 {
		t.Errorf("a service that was away for a moment is found as one that refuses: %q", found)
	}
}

func TestARefusalIsInTheStoryAndFoundWithoutTheAddress(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.answer["/alice-secret"] = func() int { return http.StatusForbidden }
	s.answer["/channel-secret"] = func() int { return http.StatusNotFound }
	w := newWorld(t, noon, s.file(), sending)
	w.open("devops")
	w.until("both refusals are in the story", func() bool {
		return w.storyHas("Alice Example could not be notified by ntfy (ntfy (127.0.0.1) refused it with 403 Forbidden")() &&
			w.storyHas("The channel webhook of DevOps could not be told")()
	})
	// A finding is shown just before it is stored, and a restart in between forgets it.
	w.until("both are found and stored", func() bool { return len(w.Findings()) == 2 && w.count("embedded_unreached") == 2 })
	said := strings.Join(append(w.Findings(), w.story()...), "\n")
	for _, want := range []string{"Alice Example is not reached by ntfy (127.0.0.1) (refused it with 403 Forbidden", "The channel of DevOps is not reached by webhook (127.0.0.1)", "switchboard file"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said:\n%s", want, said)
		}
	}
	if strings.Contains(said, "secret") {
		t.Errorf("a secret is shown:\n%s", said)
	}
	if n := len(s.at("/alice-secret")); n != 1 {
		t.Errorf("a refused address was tried %d times", n)
	}
	// A restart forgets nothing of it, until something reaches her.
	w.restart(sending)
	if after := strings.Join(w.Findings(), "\n"); !strings.Contains(said, after) || len(w.Findings()) != 2 {
		t.Errorf("found after a restart %q", after)
	}
	for _, way := range w.File().User("alice").Notify {
		w.Reached(t.Context(), "alice", way.ID())
	}
	w.restart(sending)
	if found := w.Findings(); len(found) != 1 || !strings.HasPrefix(found[0], "The channel of DevOps") {
		t.Errorf("found after a test reached her, and a restart, %q", found)
	}
	w.restart() // with nothing that notifies
	if found := w.Findings(); len(found) != 0 {
		t.Errorf("found of ways that are not used %q", found)
	}
	w.restart(sending) // a process that sends nothing, such as a command's, takes nothing away
	if found := w.Findings(); len(found) != 1 || !strings.HasPrefix(found[0], "The channel of DevOps") {
		t.Errorf("found after a process that notifies nobody %q", found)
	}
}

func TestARefusalIsForgottenWithItsAddress(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	for _, path := range []string{"/alice-secret", "/channel-secret"} {
		s.answer[path] = func() int { return http.StatusForbidden }
	}
	w := newWorld(t, noon, s.file(), sending)
	w.open("devops")
	// A finding is shown just before it is stored, and a restart in between forgets it.
	w.until("both are found and stored", func() bool { return len(w.Findings()) == 2 && w.count("embedded_unreached") == 2 })
	// With another address she may be reached.
	write(t, w.path(), strings.ReplaceAll(s.file(), "alice-secret", "alice-new"))
	if err := w.source.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := w.Findings(); len(found) != 1 {
		t.Errorf("found after the change %q", found)
	}
	w.restart(sending)
	if n := w.count("embedded_unreached"); n != 1 {
		t.Errorf("%d refusals are stored after a restart, want that of the channel", n)
	}
}

// Of several hosts each says who is not reached, whichever has tried, until a page of any of them
// reaches the person.
func TestAllHostsSayWhoIsNotReachedUntilOneReachesThem(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	var status atomic.Int64
	status.Store(http.StatusForbidden)
	s.answer["/alice-secret"] = func() int { return int(status.Load()) }
	var other atomic.Pointer[embedded.Platform]
	w := newWorld(t, noon, s.file(), sending, func(c *embedded.Config) { c.Tell = func(notice string) { other.Load().Heard(notice) } })
	// It could send, and does not: it does not run.
	asleep := embedded.Config{Host: "other", File: w.source, DB: openDB(t, filepath.Join(w.dir, "host.db")), Clock: w.clock}
	sending(&asleep)
	second, err := embedded.New(t.Context(), asleep)
	if err != nil {
		t.Fatal(err)
	}
	other.Store(second)
	w.open("devops")
	const found = "Alice Example is not reached by ntfy (127.0.0.1)"
	for name, host := range map[string]*embedded.Platform{"the one that tried": w.Platform, "the other": second} {
		w.until(name+" says so", func() bool { return strings.Contains(strings.Join(host.Findings(), "\n"), found) })
	}
	second.Heard("nothing that it knows")
	status.Store(http.StatusOK)
	w.do(integration.AlertCommand{AlertKey: "CA2", Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Call"}})
	w.do(integration.AlertCommand{AlertKey: "CA2", Kind: integration.AlertRoute, Teams: []string{"devops"}})
	w.until("both are content", func() bool { return len(w.Findings()) == 0 && len(second.Findings()) == 0 })
}

// A notice from one host to another may be lost. Whichever host reaches them ends the finding.
func TestAHostThatHasNotHeardOfAFindingEndsIt(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.answer["/alice-secret"] = func() int { return http.StatusForbidden }
	lost := func(c *embedded.Config) { c.Tell = func(string) {} }
	w := newWorld(t, noon, s.file(), sending, lost)
	asleep := embedded.Config{Host: "other", File: w.source, DB: openDB(t, filepath.Join(w.dir, "host.db")), Clock: w.clock}
	sending(&asleep)
	lost(&asleep)
	second, err := embedded.New(t.Context(), asleep)
	if err != nil {
		t.Fatal(err)
	}
	w.open("devops")
	w.until("it is found and stored", func() bool { return len(w.Findings()) == 1 && w.count("embedded_unreached") == 1 })
	for _, way := range w.File().User("alice").Notify {
		second.Reached(t.Context(), "alice", way.ID())
	}
	if n := w.count("embedded_unreached"); n != 0 {
		t.Errorf("%d findings would come back with the next start", n)
	}
}

// A service that never answers delays nobody else, by mail or by another service.
func TestAServiceThatHangsDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	release := make(chan struct{})
	s.answer["/alice-secret"] = func() int { <-release; return http.StatusOK }
	defer close(release)
	w := newWorld(t, noon, s.file(), sending)
	w.open("devops")
	w.until("the service hangs", func() bool { return len(s.at("/alice-secret")) == 1 })
	w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
	w.until("Bob is notified meanwhile", w.storyHas("Bob Example was notified by ntfy"))
}

func TestAChannelIsToldOfTheWholeAlert(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	w := newWorld(t, noon, s.file(), sending)
	w.open("devops")
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "alice"})
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Ack: w.alert().Acknowledgements[0].ID, Text: "the call was not connected"})
	w.do(integration.AlertCommand{Kind: integration.AlertAttach, Label: "Voicemail", Media: &integration.MediaRef{Ref: "media:1", Duration: 23 * time.Second}})
	w.do(integration.AlertCommand{Kind: integration.AlertAttach, Label: "Voicemail 2", Media: &integration.MediaRef{Ref: "media:2", Duration: time.Minute}})
	for _, after := range []time.Duration{5 * time.Minute, 10 * time.Minute, 5 * time.Minute, 10 * time.Minute} {
		w.until("all is sent", func() bool { return w.busy() == 0 })
		lines := len(w.story())
		w.clock.Advance(after)
		w.until("the time-out", func() bool { return len(w.story()) > lines && w.storyHas("layer")() })
	}
	want := []string{ // in this order: readers go by the last
		"opened: waiting for layer 1: Alice Example", "taken: Alice Example has taken it",
		"opened: The acknowledgement of Alice Example was taken back (the call was not connected); open again in layer 1: Alice Example",
		"message: A message was left (23 s)", "message: A further message was left (1 min)", "unanswered: Nobody has acknowledged it, and nobody is left to wait for",
	}
	w.until("the channel has heard all", func() bool { return w.busy() == 0 })
	got := s.at("/channel-secret")
	if !slices.Equal(got, want) {
		t.Errorf("the channel has heard\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Where nobody is on call nobody was asked: a channel does not hear that nobody has acknowledged.
func TestAChannelIsToldThatNobodyIsOnCall(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	idle := "    name: Nobody\n    " + fmt.Sprintf(`channels: ["generic+http://%s/idle-secret"]`, strings.TrimPrefix(s.URL, "http://"))
	w := newWorld(t, noon, strings.Replace(s.file(), "    name: Nobody", idle, 1), sending)
	w.open("idle")
	w.until("the channel is told", func() bool { return len(s.at("/idle-secret")) == 1 })
	if got, want := s.at("/idle-secret")[0], "unanswered: Nobody is on call in any layer, so nobody is told of it"; got != want {
		t.Errorf("the channel has heard %q, want %q", got, want)
	}
}

// A message that was left before the alert had a team, as by a caller who goes straight to
// voicemail, is told to the team that gets it, and to one that it goes to later; nobody is told of
// it twice.
func TestAChannelIsToldOfAMessageThatCameBeforeItsTeam(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	support := "    name: Customer Support\n    " + fmt.Sprintf(`channels: ["generic+http://%s/support-secret"]`, strings.TrimPrefix(s.URL, "http://"))
	w := newWorld(t, noon, strings.Replace(s.file(), "    name: Customer Support", support, 1), sending)
	w.do(integration.AlertCommand{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Call"}})
	w.do(integration.AlertCommand{Kind: integration.AlertAttach, Label: "Voicemail", Media: &integration.MediaRef{Ref: "m1", Duration: 23 * time.Second}})
	w.do(integration.AlertCommand{Kind: integration.AlertRoute, Teams: []string{"devops"}})
	of := func(channel string) func() int {
		return func() int {
			n := 0
			for _, text := range s.at(channel) {
				n += strings.Count(text, "message: A message was left (23 s)")
			}
			return n
		}
	}
	w.until("DevOps is told of the message", func() bool { return of("/channel-secret")() == 1 && w.busy() == 0 })
	w.do(integration.AlertCommand{Kind: integration.AlertRoute, Teams: []string{"devops", "support"}})
	w.until("Support is told of it", func() bool { return of("/support-secret")() == 1 && w.busy() == 0 })
	if n := of("/channel-secret")(); n != 1 {
		t.Errorf("DevOps was told of the message %d times", n)
	}
}

// Who is paged again is told what has led to it, and the channel who has the alert meanwhile.
func TestANoticeSaysWhatIsNew(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	w := newWorld(t, noon, s.file(), sending)
	message := func(ref string) {
		w.do(integration.AlertCommand{Kind: integration.AlertAttach, Label: "Voicemail", Media: &integration.MediaRef{Ref: ref, Duration: 23 * time.Second}})
	}
	w.open("devops")
	message("media:1")
	w.until("all is sent", func() bool { return w.busy() == 0 })
	w.do(integration.AlertCommand{Kind: integration.AlertResolve})
	message("media:2")
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Text: "the caller left a message"})
	w.until("all is sent", func() bool { return w.busy() == 0 })
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "alice"})
	message("media:3")
	w.until("all is sent", func() bool { return w.busy() == 0 })
	for path, want := range map[string][]string{
		"/alice-secret": {"paged: alice", "paged: aliceOpened again (the caller left a message)"},
		"/channel-secret": {
			"opened: waiting for layer 1: Alice Example", "message: A message was left (23 s)", "message: A further message was left (23 s)",
			"opened: waiting for layer 1: Alice Example", "taken: Alice Example has taken it", "message: A further message was left (23 s); Alice Example has taken the alert",
		},
	} {
		if diff := cmp.Diff(want, s.at(path)); diff != "" {
			t.Errorf("%s has heard (-want +got):\n%s", path, diff)
		}
	}
}

// While a channel is being told of an event the next one waits.
func TestAChannelIsToldOfOneEventAfterTheOther(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	release := make(chan struct{})
	s.answer["/channel-secret"] = func() int { <-release; return http.StatusOK }
	w := newWorld(t, noon, s.file(), sending)
	w.open("devops")
	w.until("the service hangs", func() bool { return len(s.at("/channel-secret")) == 1 })
	w.do(integration.AlertCommand{Kind: integration.AlertAttach, Label: "Voicemail", Media: &integration.MediaRef{Ref: "media:1"}})
	w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
	w.until("Bob is notified meanwhile", w.storyHas("Bob Example was notified by ntfy"))
	// On a busy machine the attempt may have run out of time, and the first event come once more.
	another := func() bool {
		got := s.at("/channel-secret")
		return slices.ContainsFunc(got, func(event string) bool { return event != got[0] })
	}
	if another() {
		t.Errorf("the channel has heard %q before the first was over", s.at("/channel-secret"))
	}
	close(release)
	w.until("the channel has heard another", another)
}

// A channel that could not be told at once is not told late of what is no longer so.
func TestAChannelIsNotToldLateThatAnAlertIsOpen(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	var well atomic.Bool
	s.answer["/channel-secret"] = func() int {
		if well.Load() {
			return http.StatusOK
		}
		return http.StatusServiceUnavailable
	}
	w := newWorld(t, noon, s.file(), sending)
	w.open("devops")
	w.until("the first attempt", func() bool { return len(s.at("/channel-secret")) == 1 && w.busy() == 0 })
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "alice"})
	well.Store(true)
	w.until("the channel is told that Alice has it", func() bool {
		if w.busy() == 0 || len(s.at("/channel-secret")) == 1 {
			w.clock.Advance(time.Second)
		}
		return len(s.at("/channel-secret")) > 1
	})
	if got := s.at("/channel-secret")[1]; got != "taken: Alice Example has taken it" {
		t.Errorf("the channel has heard %q", got)
	}
}

// A line of the log that tells of no event is only a line.
func TestAChannelIsToldOnceThatNobodyHasHeardAMessage(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	w := newWorld(t, noon, s.file(), sending)
	w.open("devops")
	w.do(integration.AlertCommand{Kind: integration.AlertLog, Text: "Alice Example did not answer."})
	w.do(integration.AlertCommand{Kind: integration.AlertLog, Text: "Nobody has heard the message.", Event: integration.EventUnheard})
	w.until("the channel has heard all", func() bool { return w.busy() == 0 && len(s.at("/channel-secret")) >= 2 })
	got := s.at("/channel-secret")
	slices.Sort(got)
	want := []string{"opened: waiting for layer 1: Alice Example", "unheard: Nobody has heard the message."}
	if !slices.Equal(got, want) {
		t.Errorf("the channel has heard\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A host that dies while it sends leaves the page to the others, who send it at once and one of
// them alone.
func TestAPageOfADeadHostIsSentByAnother(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	release := make(chan struct{})
	claimed := make(chan struct{}, 1)
	var db *sqldb.DB
	w := newWorld(t, noon, s.file(), func(c *embedded.Config) {
		c.Host, db = "dies", c.DB
		c.Send = func(_ context.Context, _ notify.Address, p alerts.Page) error {
			if p.User.ID == "alice" {
				select {
				case claimed <- struct{}{}:
				default:
				}
				<-release // it dies here: what it did not do it does not end
				return integration.Errorf(integration.KindUnavailable, "it is dead")
			}
			return nil
		}
	})
	w.open("devops")
	<-claimed
	other := *w
	other.stop = nil
	other.restart(sending, func(c *embedded.Config) { c.Host = "lives" })
	w.clock.Advance(10 * time.Second) // the lease lasts longer
	if n := len(s.at("/alice-secret")); n > 0 {
		t.Fatalf("a page that another host sends was sent %d times", n)
	}
	// The one that has died still looks for pages in this test, and may claim this one again.
	sent := w.storyHas("Alice Example was notified by ntfy")
	w.until("the other host sends it", func() bool {
		err := db.Write(t.Context(), func(tx sqldb.Tx) error {
			_, err := tx.ExecContext(t.Context(), alerts.FreeNotices, "dies")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		other.Wake()
		return sent()
	})
	close(release)
	for range 8 {
		w.clock.Advance(30 * time.Second)
		time.Sleep(time.Millisecond)
	}
	if n := len(s.at("/alice-secret")); n != 1 {
		t.Errorf("the page was sent %d times", n)
	}
}

func TestAnAddressThatIsWrongIsReportedWithoutIt(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	w := newWorld(t, noon, s.file())
	write(t, w.path(), strings.NewReplacer("ntfy://", "nify://", "generic+http://", "http://").Replace(s.file()))
	err := w.source.Reload(t.Context())
	if err == nil {
		t.Fatal("a file with wrong addresses is taken")
	}
	for _, want := range []string{"users[0].notify[0]", "Alice Example", `"nify"`, "teams[0].channels[0]", "DevOps", "generic+http://"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("a secret is shown: %v", err)
	}
}
