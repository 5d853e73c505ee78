package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// buffer is what the command has printed so far.
type buffer struct{ testlog.Buffer }

// outerLimit is how long, in real time, something that must happen may take on a loaded machine.
const outerLimit = time.Minute

// waitFor polls until the output matches, and returns the first group.
func (b *buffer) waitFor(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(outerLimit); ; time.Sleep(5 * time.Millisecond) {
		if m := re.FindStringSubmatch(b.String()); m != nil {
			return m[len(m)-1]
		}
		if time.Now().After(deadline) {
			t.Fatalf("output has no %q:\n%s", pattern, b.String())
		}
	}
}

// app is a program under test: a menu, a queue, and a responder who takes the call. It waits an
// hour for keys: on a fast clock and a loaded machine the default of five seconds is over before
// the key arrives.
func app() http.Handler {
	documents := map[string]string{
		"/voice":    `<Gather action="/menu" numDigits="1" timeout="3600"><Say>Press 1 for Support.</Say></Gather><Say>Nothing was pressed.</Say>`,
		"/menu":     `<Enqueue action="/left" waitUrl="/hold">support</Enqueue>`,
		"/hold":     `<Say>Please wait.</Say><Pause length="10"/>`,
		"/left":     `<Say>That was it.</Say>`,
		"/leg":      `<Gather action="/leg/key" numDigits="1" timeout="3600"><Say>Press 1 to take the call.</Say></Gather>`,
		"/leg/key":  `<Dial><Queue url="/announce">support</Queue></Dial>`,
		"/announce": `<Say>You are being connected.</Say>`,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		doc, ok := documents[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = fmt.Fprintf(w, "<Response>%s</Response>", doc)
	})
}

// start runs "serve" at 8 times real speed, so that the two minutes for which a step of a script
// waits are 15 seconds of real time. It returns the addresses of the simulator and of the program
// under test.
func start(t *testing.T) (base, under string) {
	t.Helper()
	server := httptest.NewServer(app())
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(context.Background())
	out := &buffer{}
	done := make(chan int, 1)
	go func() {
		done <- runContext(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--voice-url", server.URL + "/voice",
			"--clock", fmt.Sprintf("8@%d", time.Now().UnixMilli())}, &environment{in: strings.NewReader(""), out: out}, out)
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("serve ended with %d:\n%s", code, out)
		}
	})
	return out.waitFor(t, `listens on (http://\S+)`), server.URL
}

func command(args ...string) (int, string) {
	out := &buffer{}
	code := runContext(context.Background(), args, &environment{in: strings.NewReader(""), out: out}, out)
	return code, out.String()
}

func TestScriptedCall(t *testing.T) {
	base, under := start(t)
	if code, out := command("phone", "+12025550143", "answer", "--after", "3s", "--hear", "take the call", "--keys", "1", "--sim", base); code != 0 {
		t.Fatalf("phone: %d %s", code, out)
	}
	out := &buffer{}
	done := make(chan int, 1)
	go func() {
		done <- runContext(context.Background(), []string{"call", "--sim", base, "--all", "--say-script",
			"hear 'Press 1'; press 1; hear 'please wait'; connected +12025550143; say 'Help; quickly'; wait 2s; hangup"},
			&environment{in: strings.NewReader(""), out: out}, out)
	}()
	out.waitFor(t, `hears    Please wait`)
	createCall(t, base, under, "+12025550143")
	if code := <-done; code != 0 {
		t.Errorf("call ended with %d", code)
	}
	for _, want := range []string{
		`\+12025550199  presses  1`,
		`\+12025550143  hears    Press 1 to take the call\.`,
		`\+12025550199  hears    You are being connected\.`,
		`\+12025550143  hears    \+12025550199: Help; quickly`,
		`is over: completed`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	if code, out := command("calls", "--transcript", "--sim", base); code != 0 || strings.Count(out, "completed") < 2 {
		t.Errorf("calls: %d %s", code, out)
	}
}

// createCall has the program under test call a telephone by REST.
func createCall(t *testing.T, base, under, to string) {
	t.Helper()
	form := url.Values{"To": {to}, "From": {"+12025550100"}, "Url": {under + "/leg"}, "Timeout": {"600"}}
	req, err := http.NewRequest(http.MethodPost, base+"/2010-04-01/Accounts/"+twiliosim.DefaultAccountSid+"/Calls.json", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(twiliosim.DefaultAPIKey, twiliosim.DefaultAPISecret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("create call: %d %s", res.StatusCode, body)
	}
}

func TestFailedScript(t *testing.T) {
	base, _ := start(t)
	code, out := command("call", "--sim", base, "--say-script", "hear 'Press 7' within 3s; press 7")
	if code != 1 || !strings.Contains(out, "did not hear it") {
		t.Errorf("code %d, want 1:\n%s", code, out)
	}
	code, out = command("call", "--sim", base, "--say-script", "heer 'x'")
	if code != 1 || !strings.Contains(out, "heer") {
		t.Errorf("code %d, want 1:\n%s", code, out)
	}
	code, out = command("call", "--sim", "http://127.0.0.1:1")
	if code != 1 || !strings.Contains(out, "twiliosim serve") {
		t.Errorf("code %d, want 1:\n%s", code, out)
	}
}

// What cannot be answered is refused at once, in words that name the remedy.
func TestAnswerRefuses(t *testing.T) {
	base, _ := start(t)
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"number without country": {[]string{"2025550143"}, `number "2025550143": want + and the country code first`},
		"script":                 {[]string{"+12025550143", "--script", "dance"}, `--script: step "dance": unknown`},
		"nothing rings":          {[]string{"+12025550143", "--wait", "50ms"}, "did not ring within 50ms: place a call, or wait longer with --wait"},
	} {
		code, out := command(append([]string{"answer", "--sim", base}, c.args...)...)
		if code != 1 || !strings.Contains(out, c.says) {
			t.Errorf("%s: code %d, want 1 and %q:\n%s", name, code, c.says, out)
		}
	}
}

func TestInteractiveCall(t *testing.T) {
	base, _ := start(t)
	keys, typed := io.Pipe()
	out := &buffer{}
	done := make(chan int, 1)
	go func() {
		done <- runContext(context.Background(), []string{"call", "--sim", base}, &environment{in: keys, out: out}, out)
	}()
	out.waitFor(t, `hears    Press 1`)
	_, _ = io.WriteString(typed, "1\n")
	out.waitFor(t, `hears    Please wait`)
	_, _ = io.WriteString(typed, "h\n")
	if code := <-done; code != 0 {
		t.Errorf("code %d:\n%s", code, out)
	}
	out.waitFor(t, `leaves queue support: hangup`)
}

func TestAnswer(t *testing.T) {
	base, under := start(t)
	out := &buffer{}
	done := make(chan int, 1)
	go func() {
		done <- runContext(context.Background(), []string{"answer", "+12025550144", "--sim", base, "--script", "hear 'take the call'; press 2; hangup"},
			&environment{in: strings.NewReader(""), out: out}, out)
	}()
	api := client{base: base}
	createCall(t, base, under, "+12025550144")
	if code := <-done; code != 0 {
		t.Errorf("answer ended with %d:\n%s", code, out)
	}
	calls, err := api.calls(context.Background())
	if err != nil || len(calls) != 1 || calls[0].Status != "completed" {
		t.Errorf("calls %+v, %v", calls, err)
	}
}

func TestHelpAndVersion(t *testing.T) {
	if code, out := command("--help"); code != 0 || !strings.Contains(out, "serve") {
		t.Errorf("help: %d %s", code, out)
	}
	if code, out := command("version"); code != 0 || !strings.HasPrefix(out, "twiliosim ") {
		t.Errorf("version: %d %s", code, out)
	}
	if code, _ := command("serve", "--region", "mars"); code == 0 {
		t.Error("a wrong flag is accepted")
	}
}
