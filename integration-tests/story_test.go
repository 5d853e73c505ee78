package integrationtests

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// numbers are those of the story's people, which pages show as one reads them.
var numbers = regexp.MustCompile(`\+1[0-9]{10}`)

// CSS selectors of telephones on the softphone page.
const (
	callersPhone = "#caller"
	alicesPhone  = "#phone-12025550143"
)

// TestStory is what somebody new does, in a real browser against the real programs: from the log-in
// to a conversation and a voicemail. Every page on the way is judged in light and dark, wide and
// narrow.
//
//	LIVECALL_SCREENSHOTS=docs/images go test ./integration-tests -run TestStory
//
// renews the documentation's pictures; -artifacts -outputdir DIR keeps one of every page in every
// look.
func TestStory(t *testing.T) {
	t.Parallel()
	others := []looks{{handWidth, handHeight, "dark"}}
	if artifacts() || os.Getenv("CI") == "true" { // each look takes its time
		others = append(others, looks{deskWidth, deskHeight, "dark"}, looks{handWidth, handHeight, "light"})
	}
	s := newStory(t, looks{deskWidth, deskHeight, "light"}, others...)
	s.arrives()
	s.makesTheIntegration()
	s.talks()
	s.leavesAMessage()
	s.looksAround()
}

// arrives logs in: with a wrong token first, and on the way to a page.
func (s *story) arrives() {
	s.t.Helper()
	p := s.desk
	p.IgnoreStatus(403, 422) // the browser notes refused forms in its console
	p.Go(s.URL + "/oncall")
	p.WaitText("h1", "Log in")
	s.judge(p, "login")
	s.weigh(p, "log-in")
	p.Type("#token", "no such token")
	p.Press("\r")
	p.WaitText("#token-error", "not the API token")
	s.judge(p, "login-refused")
	p.Type("#token", s.Token)
	p.Press("\r")
	p.WaitText("h1", "Who are you?")
	s.judge(p, "who")
	p.ClickText(".choice", "AE\nAlice Example")
	p.Click("#choose")
	p.WaitText("h1", "On call")
	p.Wait(`location.pathname === "/oncall"`)
	s.judge(p, "oncall")
	s.weigh(p, "on call")
	s.picture(p, "oncall.png")
}

// makesTheIntegration fills the form: wrongly at first.
func (s *story) makesTheIntegration() {
	s.t.Helper()
	p := s.desk
	p.Go(s.URL + "/")
	p.WaitText("main", "No integrations yet")
	s.judge(p, "integrations-none")
	p.ClickText("#first-steps a", "Create it")
	p.WaitFor("#form-integration")
	s.judge(p, "form")
	s.weigh(p, "form")
	p.Click("#save")
	p.WaitText("#problems", "5 errors")
	p.WaitText("#problems", "Who callers can reach is missing")
	p.Eval("history.back()", nil)
	p.WaitFor("#form-integration")
	p.WaitGone("#problems")
	s.fill("Hotline")
	p.Click(`[name=destination][value="team:devops"]`)
	p.Click(`[name=destination][value="team:support"]`)
	p.Click("#option-voicemail")
	s.picture(p, "form.png")
	p.Paste("#option-account_sid", "AC12345")
	p.Type("#option-max_wait_time", "900")
	p.Click("#save")
	p.WaitText("#problems", "1 error")
	p.WaitText("#option-account_sid-error", "must be AC followed by 32 digits")
	var kept []any
	p.Eval(`["name", "option-account_sid", "option-max_wait_time"].map(id => document.getElementById(id).value).concat(
		document.querySelectorAll("[name=destination]:checked").length, document.getElementById("option-voicemail").checked)`, &kept)
	if len(kept) != 5 || kept[0] != "Hotline" || kept[1] != "AC12345" || kept[2] != "900" || kept[3] != 2.0 || kept[4] != true {
		s.t.Errorf("the refused form shows %v", kept)
	}
	s.judge(p, "form-refused")
	p.Paste("#option-account_sid", "AC"+strings.Repeat("9", 32))
	s.secrets()
	began := time.Now()
	p.Click("#save")
	p.WaitFor("#endpoint-url")
	s.t.Logf("the form was saved and its page shown in %d ms", time.Since(began).Milliseconds())
	p.Click("#copy-endpoint")
	p.WaitText("#copy-endpoint", "Copied")
	s.judge(p, "integration-new")
	s.correctsTheAccount()
	s.connectNumber()
	p.WaitText("#action-connect-number", "Until now "+phone.Display(demo.Number)+" was answered by "+elsewhere)
	s.judge(p, "integration")
	p.Go(s.URL + "/settings/integrations")
	p.WaitText("#first-steps", "No call seen yet")
	p.WaitText("#first-steps", "Call the number")
}

// correctsTheAccount goes by the steps of the first integration to the check, which tells what is
// wrong with the account, and enters the right one.
func (s *story) correctsTheAccount() {
	s.t.Helper()
	p := s.desk
	p.Eval("history.back()", nil) // to the form, which is new again
	p.Wait(`location.pathname === "/settings/integrations/new"`)
	p.Go(s.URL + "/settings/integrations")
	p.WaitText("#first-steps", "says whether they are right")
	p.ClickText("#first-steps a", "Check them")
	p.Click("#run-check")
	p.WaitText("#action-check .result", "Twilio knows no such account in this region")
	p.ClickText("#action-check .result a", "Go to field")
	p.Wait(`document.activeElement.id === "option-account_sid"`)
	p.Paste("#option-account_sid", twiliosim.DefaultAccountSid)
	p.Click("#save")
	p.WaitText(".notice", "New calls use these settings")
}

// talks is the first call: from the caller's dialing to the end of a conversation with the person
// on call.
func (s *story) talks() {
	s.t.Helper()
	p, phones := s.desk, s.phones
	p.Go(s.URL + "/alerts")
	p.WaitText("main", "All quiet")
	s.judge(p, "alerts-none")
	phones.Go(s.SimURL)
	phones.WaitText("#connection", "Connected")
	phones.WaitFor(alicesPhone)
	s.judge(phones, "softphone")
	s.weigh(phones, "softphone")
	s.call()
	p.WaitText(".badge", "Open") // by itself: nobody has loaded the page again
	s.judge(p, "alerts")
	s.weigh(p, "alerts")
	s.judge(phones, "softphone-hold")
	p.Follow("a.row-link")
	p.WaitText("#alert-head .badge", "Open")
	s.judge(p, "alert-open")
	p.Click("#act-acknowledge")
	p.WaitText("main", "You acknowledged this alert")
	p.WaitText("#alert-head .badge", "Acknowledged")
	phones.WaitFor(alicesPhone + " [data-testid=answer]")
	s.judge(phones, "softphone-rings")
	phones.Click(alicesPhone + " [data-testid=answer]")
	s.hears(alicesPhone, "ress 1")
	phones.Click(alicesPhone + " [data-testid=key-1]")
	phones.WaitText(alicesPhone+" .state", "Talking")
	phones.WaitText(callersPhone+" .state", "Talking")
	s.says(alicesPhone, "Hello, this is Alice. How can I help you?")
	s.hears(callersPhone, "Alice Example: Hello, this is Alice. How can I help you?")
	s.says(callersPhone, "Our shop takes no cards any more.")
	s.hears(alicesPhone, "Our shop takes no cards any more.")
	p.WaitText("#alert-call", "Talking")
	s.judge(phones, "softphone-talks")
	s.picture(phones, "softphone.png")
	s.judge(p, "alert-talks")
	p.Go(s.URL + "/calls")
	p.WaitText("#calls", "Talking")
	s.judge(p, "calls-live")
	s.longEnough()
	phones.Click(alicesPhone + " [data-testid=hangup]")
	phones.WaitText(callersPhone+" .state", "Call ended")
	phones.WaitText(alicesPhone+" .state", "Call ended")
	p.WaitText("#calls", "No active calls") // by itself
	p.WaitText("#calls", "Connected")
	p.Go(s.URL + "/settings/integrations")
	p.WaitText("main", "Hotline")
	p.WaitGone("#first-steps") // the call has proven all of them
	p.Go(s.URL + "/calls")
	p.WaitText("#calls", "with Alice Example")
	s.judge(p, "calls")
	s.weigh(p, "calls")
	p.Follow("a.row-link")
	p.WaitText("#call-story", "Alice Example")
	s.judge(p, "call")
	p.ClickText("#call-facts a", "Open the alert")
	p.WaitText("#alert-story", "Alice Example")
	a := s.hotline.alerts()[0]
	s.inOrder(a, "DevOps", "Alice Example", "acknowledged")
	for _, l := range a.Log {
		p.WaitText("#alert-story", numbers.ReplaceAllStringFunc(l.Message, phone.Display))
	}
	s.judge(p, "alert-over")
}

// leavesAMessage is the second call: nobody comes, the caller presses star and speaks.
func (s *story) leavesAMessage() {
	s.t.Helper()
	p, phones := s.desk, s.phones
	p.Go(s.URL + "/alerts")
	s.call()
	p.WaitText("#alerts", "Not acknowledged yet")
	s.picture(p, "alerts.png")
	phones.Click(callersPhone + " [data-testid=key-star]")
	phones.WaitText(callersPhone+" .state", "Recording")
	s.hears(callersPhone, "♪ beep")
	s.judge(phones, "softphone-records")
	phones.Click(callersPhone + " [data-testid=sample]")
	s.hears(callersPhone, "Our shop cannot take card payments")
	s.spoken("card payments")
	phones.Click(callersPhone + " [data-testid=key-pound]")
	s.hears(callersPhone, "hank you")
	phones.WaitText(callersPhone+" .state", "Call ended")
	p.WaitText(".badge", "Open")
	p.Follow("a.row-link") // the newest is first
	p.WaitFor(".voicemail audio")
	s.plays()
	s.judge(p, "alert-voicemail")
	s.weigh(p, "alert")
	s.picture(p, "alert.png")
	s.judge(phones, "softphone-over")
}

// plays hears the voicemail on the alert's page.
func (s *story) plays() {
	s.t.Helper()
	// Before, nothing of it is fetched.
	s.desk.Eval(`document.querySelector(".voicemail audio").play()`, nil)
	s.desk.Wait(`document.querySelector(".voicemail audio").duration > 0`)
	s.desk.Wait(`document.querySelector(".voicemail audio").currentTime > 0`)
	s.desk.Eval(`document.querySelector(".voicemail audio").pause()`, nil)
}

// looksAround visits what is left.
func (s *story) looksAround() {
	s.t.Helper()
	p := s.desk
	p.IgnoreStatus(404)
	p.Go(s.URL + "/settings/integrations")
	s.judge(p, "integrations")
	s.weigh(p, "integrations")
	p.Follow("a.row-link")
	p.Click("#delete-integration")
	p.WaitText("h1", "Delete")
	s.judge(p, "delete")
	p.Go(s.URL + "/alerts/none")
	s.judge(p, "not-found")
	p.Click("#who summary")
	s.judge(p, "who-panel")
	p.Click("#logout")
	p.WaitText("main", "You are logged out")
	s.quiet(p, "log-out")
	s.quiet(s.phones, "softphone")
}

// TestStoryInTheHand is the same in short, on a small dark screen.
func TestStoryInTheHand(t *testing.T) {
	t.Parallel()
	s := newStory(t, looks{handWidth, handHeight, "dark"})
	s.logIn("/alerts", "alice")
	s.connect()
	p, phones := s.desk, s.phones
	p.Go(s.URL + "/alerts")
	p.WaitText("main", "All quiet")
	phones.Go(s.SimURL)
	phones.WaitText("#connection", "Connected")
	s.call()
	p.WaitText(".badge", "Open")
	p.Follow("a.row-link")
	p.Click("#act-acknowledge")
	phones.Click("#ringing-bar a") // the phone rings out of sight
	phones.Click(alicesPhone + " [data-testid=answer]")
	s.hears(alicesPhone, "ress 1")
	phones.Click(alicesPhone + " [data-testid=key-1]")
	phones.WaitText(callersPhone+" .state", "Talking")
	s.says(alicesPhone, "Hello?")
	s.hears(callersPhone, "Hello?")
	s.judge(phones, "hand-softphone-talks")
	s.judge(p, "hand-alert-talks")
	phones.Click(callersPhone + " [data-testid=hangup]")
	phones.WaitText(callersPhone+" .state", "Call ended")
	s.call()
	phones.Click(callersPhone + " [data-testid=key-star]")
	phones.WaitText(callersPhone+" .state", "Recording")
	s.says(callersPhone, "Please call me back.")
	s.spoken("call me back")
	phones.Click(callersPhone + " [data-testid=hangup]")
	p.Go(s.URL + "/alerts")
	p.Follow("a.row-link")
	p.WaitFor(".voicemail audio")
	s.plays()
	s.judge(p, "hand-alert-voicemail")
	s.picture(p, "alert-phone-dark.png")
	s.quiet(phones, "softphone")
}

// TestStoryMishaps does what goes wrong for people: forms sent twice, wrong uploads, two people at
// once, a lost connection, an ended log-in, a deleted integration.
func TestStoryMishaps(t *testing.T) {
	t.Parallel()
	s := newStory(t, looks{deskWidth, deskHeight, "light"})
	s.desk.IgnoreStatus(401, 409, 422)
	s.logIn("/alerts", "alice")
	s.sendsTwice()
	s.uploadsNoSound()
	s.comesSecond()
	s.losesTheStream()
	s.losesTheLogIn()
	s.deletes()
}

// sendsTwice submits the form twice at once, by fetch and by the page itself.
func (s *story) sendsTwice() {
	s.t.Helper()
	p := s.desk
	p.Go(s.URL + "/settings/integrations/new?plugin=livecall")
	s.fill("Hotline")
	p.Click(`[name=destination][value="team:devops"]`)
	p.Click(`[name=destination][value="team:support"]`)
	p.Click("#option-voicemail")
	var led []string
	p.Eval(`(() => {
		const form = document.getElementById("form-integration");
		const send = () => fetch(form.action, {method: "POST", body: new FormData(form)}).then(r => r.url);
		return Promise.all([send(), send()]);
	})()`, &led)
	if len(led) != 2 || led[0] != led[1] || !strings.Contains(led[0], "created") {
		s.t.Errorf("a form that is sent twice leads to %q", led)
	}
	p.Eval(`(() => { const form = document.getElementById("form-integration"); form.requestSubmit(); form.requestSubmit(); })()`, nil)
	s.connectNumber()
	var all []struct{ ID string }
	if s.get("/api/v1/integrations", &all); len(all) != 1 {
		s.t.Errorf("a form that was sent four times made %d integrations", len(all))
	}
	s.ID = all[0].ID
}

// uploadsNoSound uploads a text file as the welcome: the form shows the error at that field.
func (s *story) uploadsNoSound() {
	s.t.Helper()
	p := s.desk
	path := filepath.Join(s.t.TempDir(), "notes.wav")
	s.write(path, []byte("These are notes, and no sound."))
	p.Upload("#option-welcome-upload", path)
	p.Type("#name", "Hotline with notes")
	p.Click("#save")
	p.WaitText("#problems", "1 error")
	p.WaitFor("#option-welcome-error")
	s.judge(p, "upload-refused")
	var name string
	if p.Eval(`document.getElementById("name").value`, &name); name != "Hotline with notes" {
		s.t.Errorf("the refused form shows the name %q", name)
	}
	if err := os.Remove(path); err != nil {
		s.t.Error(err)
	}
}

// comesSecond has two people acknowledge one alert, in two tabs.
func (s *story) comesSecond() {
	s.t.Helper()
	p, other := s.desk, s.desk.NewTab()
	s.phones.Go(s.SimURL)
	s.phones.WaitText("#connection", "Connected")
	s.call()
	p.Go(s.URL + "/alerts")
	p.Follow("a.row-link")
	p.WaitFor("#act-acknowledge")
	// Alice's page keeps its button, as if her line were slow.
	p.Eval(`document.getElementById("alert-actions").removeAttribute("data-live")`, nil)
	other.Go(s.URL + "/alerts")
	other.Click("#who summary")
	other.Select("#header-me", "Bob Example")
	other.ClickText("#form-me button", "Change")
	other.WaitText("#who summary", "Bob Example")
	other.Click("a.row-link")
	other.Click("#act-acknowledge")
	other.WaitText("main", "You acknowledged this alert")
	p.WaitText("#alert-head", "Bob Example") // by itself
	p.Click("#act-acknowledge")
	p.WaitText(".notice", "Nothing was changed. Bob Example acknowledged it")
	p.WaitText("#alert-head", "Acknowledged")
	s.judge(p, "acknowledged-twice")
	s.phones.Click(callersPhone + " [data-testid=hangup]")
	s.phones.WaitText(callersPhone+" .state", "Call ended")
	p.WaitText("#alert-call", "Hung up") // this page is kept current, too
	s.quiet(p, "acknowledged-twice")
	s.quiet(other, "the other tab")
	s.cleanedUp()
}

// losesTheStream stops switchboard while a page is open, and starts it again.
func (s *story) losesTheStream() {
	s.t.Helper()
	p := s.desk
	p.IgnoreLostConnections()
	p.Go(s.URL + "/alerts")
	p.WaitText("#alerts", "Resolved")
	if err := s.StopSwitchboard(); err != nil {
		s.t.Fatal(err)
	}
	p.WaitText("#connection", "The connection to switchboard is lost")
	s.judge(p, "connection-lost")
	if err := s.StartSwitchboard(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	s.call() // while the page is not connected, or only just
	p.WaitText("#alerts", "Not acknowledged yet")
	p.WaitGone("#connection")
}

// losesTheLogIn changes the API token while a page is open; a new log-in leads back to the page.
func (s *story) losesTheLogIn() {
	s.t.Helper()
	p := s.desk
	p.Follow("a.row-link")
	p.WaitFor("#alert-head")
	var at string
	p.Eval("location.pathname", &at)
	if err := s.StopSwitchboard(); err != nil {
		s.t.Fatal(err)
	}
	s.Token = "another-token-0123456789abcdef0123"
	if err := s.StartSwitchboard(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	p.WaitText("#connection", "You are no longer logged in")
	s.judge(p, "log-in-ended")
	p.ClickText("#connection a", "Log in")
	p.WaitText(".notice", "Your session has ended")
	p.Type("#token", s.Token)
	p.Press("\r")
	p.WaitFor("#alert-head")
	p.Wait("location.pathname === " + `"` + at + `"`)
	s.phones.Click(callersPhone + " [data-testid=hangup]")
	s.cleanedUp()
}

// deletes removes the integration; its page says so, and callers hear it.
func (s *story) deletes() {
	s.t.Helper()
	p := s.desk
	p.Go(s.URL + "/settings/integrations/" + s.ID)
	p.Click("#delete-integration")
	p.Click("#delete")
	p.Wait(`location.pathname === "/settings/integrations"`)
	p.WaitText("main", "No integrations yet")
	p.IgnoreStatus(404)
	p.Go(s.URL + "/settings/integrations/" + s.ID)
	p.WaitText("main", "deleted")
	s.judge(p, "deleted")
	s.phones.Click(callersPhone + " [data-testid=call]")
	s.hears(callersPhone, "not in service")
	s.phones.WaitText(callersPhone+" .state", "Call ended")
}
