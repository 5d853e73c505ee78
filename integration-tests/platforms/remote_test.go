package platforms_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/internal/freeport"
	"github.com/livecallrouting/livecall/internal/tied"
)

const (
	token       = "token-of-the-tests-token-of-the-tests"
	otherToken  = "another-token-of-the-tests-another-token"
	hintsSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
)

// product is an example server as a program.
type product struct {
	t       *testing.T
	command []string // which takes an address, and where to keep alerts
	address string
	db      string
	hints   string // where it posts hints
	token   string
	env     []string // more environment
	cmd     *exec.Cmd
}

// examples are the example servers by the program that runs them.
var examples = map[string]string{
	"python3": "../../host-sdk/examples/remote-platform/python/platform_server.py",
	"node":    "../../host-sdk/examples/remote-platform/node/platform_server.mjs",
}

// newProduct starts the Python example, which posts hints to a hotline at this address.
func newProduct(t *testing.T, hotline string) *product {
	t.Helper()
	return newProductIn(t, "python3", hotline)
}

// newProductIn is newProduct with the example of another program.
func newProductIn(t *testing.T, program, hotline string) *product {
	t.Helper()
	path := component.Get(t, "test", func() (string, error) { return exec.LookPath(program) })
	p := &product{t: t, command: []string{path, examples[program]}, address: freeport.Address(t), db: filepath.Join(t.TempDir(), "alerts.db"), hints: "http://" + hotline + "/platform/hints", token: token}
	t.Cleanup(func() { p.stop() })
	p.start()
	return p
}

// start runs the example and waits until it serves.
func (p *product) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.command[0], p.command[1], p.address, p.db)
	p.cmd.Env = append(os.Environ(), "PLATFORM_TOKEN="+p.token, "HINTS_SECRET="+hintsSecret, "HINTS_URL="+p.hints)
	p.cmd.Env = append(p.cmd.Env, p.env...)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = tied.Start(p.cmd)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); !strings.HasPrefix(line, "serving ") {
		p.t.Fatalf("the example says %q", line)
	}
}

// stop ends the example as a crash would.
func (p *product) stop() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// section is the platform section of a switchboard file in whose folder the secrets are.
func (p *product) section() string {
	return fmt.Sprintf("{kind: remote, url: \"http://%s\", token: {env: ACME_TOKEN}, hints_secret: {env: ACME_HINTS_SECRET}}", p.address)
}

// secrets hands the token over by environment.
func (p *product) secrets(c *demo.Config) {
	c.Env = append(c.Env, "ACME_TOKEN="+p.token, "ACME_HINTS_SECRET="+hintsSecret)
}

// alert is an alert as the example keeps it.
type alert struct {
	ID, Status string
}

// ask makes a request of the example, as its own pages would.
func (p *product) ask(method, path string, body, into any) error {
	text, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.address+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// alert waits until the call's alert has this status.
func (p *product) alert(h *hotline, call, status string) alert {
	p.t.Helper()
	var got alert
	h.eventually("the alert is "+status, func() bool {
		return p.ask("GET", "/v1/alerts/"+call+"?integration="+h.ID, nil, &got) == nil && got.Status == status
	}, func() string { return fmt.Sprintf("%+v", got) })
	return got
}

// acknowledges has somebody take the alert on the product's own pages, and returns when.
func (p *product) acknowledges(id, user string) time.Time {
	p.t.Helper()
	at := time.Now()
	if err := p.ask("POST", "/alerts/"+id+"/acknowledge", map[string]string{"user": user}, &alert{}); err != nil {
		p.t.Fatal(err)
	}
	return at
}

// listenOn has switchboard listen on an address that was chosen before.
func listenOn(address string) func(*demo.Config) {
	return func(c *demo.Config) { c.Listen = address }
}

// onCall are the options of a team that a person takes calls for by acknowledging.
var onCall = map[string]any{"reach": "acknowledge"}

func TestACallReachesWhoeverAcknowledgesOnARemotePlatform(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
	p := newProduct(t, address)
	h := start(t, p.section(), []string{"devops"}, onCall, listenOn(address), p.secrets)
	c := h.waiting()
	a := p.alert(h, c.Sid, "open")
	acknowledged := p.acknowledges(a.ID, "alice")
	rang := h.converses(c, alice)
	t.Logf("from the acknowledgement to the ring: %v", rang.Sub(acknowledged).Round(time.Millisecond))
	// Whoever is not the platform makes switchboard read nothing.
	resp, err := http.Post(h.URL+"/platform/hints", "application/json", strings.NewReader(`{"type":"alert.changed","data":{"alerts":[]}}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("an unsigned hint is answered %s", resp.Status)
	}
	if status, text := h.ready(); status != http.StatusOK || !strings.Contains(text, `"status":"ready"`) {
		t.Errorf("/readyz: %d %s", status, text)
	}
}

// The commands of a call that is in progress wait for the platform, and none is lost.
func TestACallGoesOnWhileTheRemotePlatformIsDown(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
	p := newProduct(t, address)
	h := start(t, p.section(), []string{"devops"}, onCall, listenOn(address), p.secrets)
	c := h.waiting()
	a := p.alert(h, c.Sid, "open")
	p.stop()
	h.eventually("/readyz says that the platform is away", func() bool {
		status, text := h.ready()
		return status == http.StatusOK && strings.Contains(text, "The platform cannot be used, so callers wait")
	})
	c.Hears(t, "music-") // another round: the caller goes on waiting
	second := h.waiting()
	p.start()
	if got := p.alert(h, c.Sid, "open"); got.ID != a.ID {
		t.Errorf("the alert is %s, was %s", got.ID, a.ID)
	}
	b := p.alert(h, second.Sid, "open") // its commands waited
	p.acknowledges(b.ID, "bob")
	h.converses(second, bob)
	p.acknowledges(a.ID, "alice")
	h.converses(c, alice)
}

// A token that is replaced on one side, and later on the other, costs a caller time but no command.
func TestTheTokenOfARemotePlatformIsReplacedWhileACallerWaits(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
	p := newProduct(t, address)
	h := start(t, fmt.Sprintf("{kind: remote, url: \"http://%s\", token: {file: token}, hints_secret: {file: hints}}", p.address), []string{"devops"}, onCall,
		listenOn(address), func(c *demo.Config) {
			keep(t, filepath.Dir(c.File), "token", token)
			keep(t, filepath.Dir(c.File), "hints", hintsSecret)
		})
	c := h.waiting()
	a := p.alert(h, c.Sid, "open")
	p.stop()
	p.token = otherToken
	p.start()
	h.eventually("/readyz names the remedy", func() bool {
		status, text := h.ready()
		return status == http.StatusOK && strings.Contains(text, "refuses the token: set the same one on both sides")
	})
	second := h.waiting()
	keep(t, h.dir, "token", otherToken)
	b := p.alert(h, second.Sid, "open") // its commands were kept
	p.acknowledges(b.ID, "bob")
	h.converses(second, bob)
	p.acknowledges(a.ID, "alice")
	h.converses(c, alice)
	if log := h.log.String(); strings.Contains(log, token) || strings.Contains(log, otherToken) {
		t.Error("a token is in the log")
	}
}

func TestAMessageIsLeftWhereNobodyAcknowledgesOnARemotePlatform(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
	p := newProduct(t, address)
	h := start(t, p.section(), []string{"devops"}, map[string]any{"reach": "acknowledge", "voicemail": true, "max_wait_time": 30}, listenOn(address), p.secrets)
	c := h.waiting()
	h.leavesMessage(c)
	c.Ended(t)
	h.listens(alice, "2")
	h.ended(c, "message_left")
}

// command runs a command of switchboard on the hotline's file and returns its output and whether it
// ended with status 0.
func (h *hotline) command(env []string, args ...string) (string, bool) {
	h.t.Helper()
	cmd := exec.Command(binaries+"/switchboard", append(args, "--config", filepath.Join(h.dir, "switchboard.yaml"))...)
	cmd.Env = append(append(os.Environ(), "SWITCHBOARD_DATA_DIR="+h.DataDir, "SWITCHBOARD_API_TOKEN="+h.Token), env...)
	out, err := tied.CombinedOutput(cmd)
	return string(out), err == nil
}

func TestConfigCheckAsksTheRemotePlatform(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
	p := newProduct(t, address)
	h := start(t, p.section()+"\naccounts: [{email: alice@example.com, user: alice}]", []string{"devops"}, onCall, listenOn(address), p.secrets)
	right := []string{"ACME_TOKEN=" + token, "ACME_HINTS_SECRET=" + hintsSecret}
	out, ok := h.command(right, "config", "check", "--online")
	for _, want := range []string{"is valid: the platform is remote at http://" + p.address + ", 1 account",
		"ok: on call for DevOps now: Alice Example (layer 1), Bob Example (layer 2)", "warning: nobody is on call for Nobody now",
		"ok: the platform has every destination of the integration Sample hotline"} {
		if !ok || !strings.Contains(out, want) {
			t.Errorf("want %q, got %v:\n%s", want, ok, out)
		}
	}
	if out, ok := h.command(right, "oncall", "--team", "devops"); !ok || !strings.Contains(out, "DevOps  2      Bob Example    +1 202-555-0144") {
		t.Errorf("oncall: %v\n%s", ok, out)
	}
	if out, ok := h.command(right, "whowouldanswer", "--integration", h.ID); !ok || !strings.Contains(out, "Alice Example") {
		t.Errorf("whowouldanswer: %v\n%s", ok, out)
	}
	out, ok = h.command([]string{"ACME_TOKEN=" + otherToken, "ACME_HINTS_SECRET=" + hintsSecret}, "config", "check", "--online")
	if ok || !strings.Contains(out, "error: the platform cannot be used: the platform refuses the token: set the same one on both sides") || strings.Contains(out, otherToken) {
		t.Errorf("with another token: %v\n%s", ok, out)
	}
	if out, ok := h.command(nil, "config", "check"); ok || !strings.Contains(out, "platform.token: the environment variable ACME_TOKEN is not set") {
		t.Errorf("without a token: %v\n%s", ok, out)
	}
}
