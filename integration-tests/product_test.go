package integrationtests

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/browser"
	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/renderers"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/freeport"
	"github.com/livecallrouting/livecall/internal/tied"
)

// What the product in Node and switchboard know of each other.
const (
	productToken = "token-of-the-product-token-of-the-product"
	productHints = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
)

// startNode starts a program of the example in Node and returns its address.
func startNode(t *testing.T, log *os.File, env []string, script string, args ...string) string {
	t.Helper()
	node := component.Get(t, component.Browser, func() (string, error) { return exec.LookPath("node") })
	script = "../host-sdk/examples/remote-platform/node/" + script
	// What a test reads belongs to its cached result: a changed example is tested again.
	if _, err := os.Stat(script); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, append([]string{script, "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = tied.Start(cmd)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var port int
	line, _ := bufio.NewReader(out).ReadString('\n')
	if _, err := fmt.Sscanf(line, "serving %d", &port); err != nil {
		t.Fatalf("%s says %q", script, line)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

// product is the example in Node, as platform of a switchboard and with a page of its own, looked
// at in a browser.
type product struct {
	*story
	platform string // address of its platform
	home     string // of its page
}

// newProduct starts platform, switchboard and page.
func newProduct(t *testing.T) *product {
	t.Helper()
	p := &product{story: &story{axe: renderers.Axe(t), desk: browser.Open(t), own: looks{deskWidth, deskHeight, "light"}}}
	p.looks = []looks{p.own, {handWidth, handHeight, "dark"}, {deskWidth, deskHeight, "dark"}, {handWidth, handHeight, "light"}}
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "node.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = log.Close()
		if said, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("the product's log:\n%s", said)
		}
	})
	address := freeport.Address(t)
	p.platform = startNode(t, log, []string{"PLATFORM_TOKEN=" + productToken, "HINTS_SECRET=" + productHints, "HINTS_URL=http://" + address + "/platform/hints"},
		"platform_server.mjs", filepath.Join(dir, "alerts"))
	file := filepath.Join(dir, "switchboard.yaml")
	section := fmt.Sprintf("platform: {kind: remote, url: %q, token: {env: PRODUCT_TOKEN}, hints_secret: {env: PRODUCT_HINTS}}\n", p.platform)
	if err := os.WriteFile(file, []byte(section), 0o600); err != nil {
		t.Fatal(err)
	}
	p.hotline = start(t, nil, func(c *demo.Config) {
		c.File, c.NoSetUp, c.Clock, c.Listen = file, true, "", address
		c.Env = append(c.Env, "PRODUCT_TOKEN="+productToken, "PRODUCT_HINTS="+productHints)
		c.Sim.Numbers = []twiliosim.Number{{PhoneNumber: demo.Number, FriendlyName: "Hotline"}}
	})
	p.home = startNode(t, log, []string{"SWITCHBOARD_URL=" + p.URL, "SWITCHBOARD_TOKEN=" + p.Token}, "live_call_routing.mjs") + "/live-call-routing"
	p.desk.Look(p.own.width, p.own.height, p.own.scheme)
	p.desk.IgnoreStatus(404, 422) // the browser notes refused forms in its console
	return p
}

// silence is a sound file: 8000 samples a second of one byte each.
func silence(d time.Duration) []byte {
	n := uint32(d.Seconds() * 8000)
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), 36+n)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data"...)
	return append(binary.LittleEndian.AppendUint32(b, n), bytes.Repeat([]byte{0x80}, int(n))...)
}

// TestTheFormInAProductsPages sets a hotline up without a page of switchboard: the form is filled
// inside the pages of the product, which is also the platform behind it, wrongly at first. Then the
// number is connected by a button of the form, and called.
func TestTheFormInAProductsPages(t *testing.T) {
	t.Parallel()
	s := newProduct(t)
	p := s.desk
	p.Go(s.home)
	p.WaitText("h1", "Live call routing")
	s.judge(p, "product-none")
	p.ClickText("a", "New hotline")
	p.WaitText("h1", "New hotline")
	s.judge(p, "product-form")
	s.fill("Hotline")
	p.Click(`[name=destination][value="team:devops"]`)
	p.Paste("#option-account_sid", "AC12345")
	p.Click("#save")
	p.WaitText("#option-account_sid-error", "must be AC followed by 32 digits")
	s.seesTheProblem()
	s.judge(p, "product-refused")

	p.Paste("#option-account_sid", twiliosim.DefaultAccountSid)
	s.secrets()
	sound := filepath.Join(t.TempDir(), "welcome.wav")
	s.write(sound, silence(time.Second))
	p.Upload("#option-welcome-upload", sound)
	p.Click("#save")
	p.WaitText("h1", "Hotline")
	p.WaitText("code", s.URL+"/integrations/")
	p.WaitText(".uploaded", "Uploaded file")
	var heard bool
	p.Eval(`new Promise((done) => {
		const audio = document.querySelector(".uploaded audio");
		audio.onloadedmetadata = () => done(audio.duration > 0);
		audio.onerror = () => done(false);
		audio.preload = "metadata";
		audio.load();
	})`, &heard)
	if !heard {
		t.Error("the uploaded sound cannot be played on the product's page")
	}
	s.judge(p, "product-saved")
	p.Type("#value-connect-number-number", demo.Number)
	p.Click("#run-connect-number")
	p.WaitText(".result.ok", "is connected")
	s.judge(p, "product-connected")
	s.callsTheTeam()

	p.Go(s.home)
	p.ClickText("a", "Hotline")
	p.WaitText("h1", "Hotline")
	p.Go(s.home + "/int_unknown")
	p.WaitText("h1", "Not possible")
	s.judge(p, "product-unknown")
}

// seesTheProblem checks the form that was refused: what was typed is in it, the list of problems
// has the focus and leads to the field, and fields that do not apply are hidden.
func (s *product) seesTheProblem() {
	s.t.Helper()
	// The page's script comes after its text.
	s.desk.Wait(`document.activeElement.id === "problems" && document.querySelectorAll("[data-show-if][hidden]").length > 0`)
	var kept []any
	s.desk.Eval(`[document.getElementById("name").value, document.getElementById("option-account_sid").value,
		document.querySelectorAll("[name=destination]:checked").length, document.activeElement.id,
		document.querySelector("#problems a").hash, document.querySelectorAll("[data-show-if][hidden]").length > 0]`, &kept)
	want := []any{"Hotline", "AC12345", 1.0, "problems", "#option-account_sid", true}
	if fmt.Sprint(kept) != fmt.Sprint(want) {
		s.t.Errorf("the refused form shows %v, want %v", kept, want)
	}
}

// callsTheTeam calls the number. The product has an alert for the team that the form chose, and
// whoever acknowledges it there is connected to the caller.
func (s *product) callsTheTeam() {
	s.t.Helper()
	var saved []struct{ ID, Name string }
	if err := s.API(s.t.Context(), "GET", "/api/v1/integrations", nil, &saved); err != nil || len(saved) != 1 {
		s.t.Fatalf("saved: %+v, %v", saved, err)
	}
	c := s.dial()
	c.Hears(s.t, "music-")
	var got struct {
		ID, Status string
		Teams      []string
	}
	for deadline := time.Now().Add(patience); got.Status != "open"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("the product's alert is %+v", got)
		}
		s.ask("GET", "/v1/alerts/"+c.Sid+"?integration="+saved[0].ID, "", &got)
	}
	if fmt.Sprint(got.Teams) != "[devops]" {
		s.t.Errorf("the alert is for %v", got.Teams)
	}
	s.ask("POST", "/alerts/"+got.ID+"/acknowledge", `{"user": "alice"}`, &got)
	leg := s.Sim.Phone("+12025550143").RingsNext(s.t)
	leg.Answers()
	leg.Hears(s.t, "press 1")
	leg.Presses("1")
	c.ConnectedTo(s.t, "+12025550143")
	c.HangsUp()
	c.Ended(s.t)
}

// ask makes a request of the platform and decodes its answer, unless that is a problem.
func (s *product) ask(method, path, body string, into any) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.platform+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+productToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		s.t.Fatal(err)
	}
}
