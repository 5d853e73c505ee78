package hosts

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/programs"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/freeport"
	"github.com/livecallrouting/livecall/internal/testlog"
	"github.com/livecallrouting/livecall/internal/testmain"
	"github.com/livecallrouting/livecall/internal/tied"
)

// patience is how long a test waits for what must come. It decides only when a failing test gives
// up.
const patience = 3 * time.Minute

const (
	caller = "+12025550199"
	number = "+12025550100"
	alice  = "+12025550143" // on call for DevOps in the example's product
)

// built is the folder of the plugin and of the example host.
var built string

func TestMain(m *testing.M) {
	os.Exit(testmain.Run(testmain.Func(func() int {
		dir, err := os.MkdirTemp("", "livecall-hosts-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		built = dir
		if err = programs.Plugin(context.Background(), "../..", dir); err == nil {
			err = programs.Program(context.Background(), "../..", filepath.Join(dir, "host"), "./host-sdk/examples/host")
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	})))
}

// example is the example host as a process.
type example struct {
	t           *testing.T
	cmd         *exec.Cmd
	log         testlog.Buffer
	ended       chan error
	hooks, page string // addresses
}

// start starts the host, with its data in dir, for a simulated Twilio.
func start(t *testing.T, dir, twilio, hooks, page string) *example {
	t.Helper()
	e := &example{t: t, ended: make(chan error, 1), hooks: hooks, page: page}
	e.cmd = exec.Command(filepath.Join(built, "host"), "-public", "http://"+hooks, "-listen", hooks, "-pages", page,
		"-plugin", filepath.Join(built, "plugins", "livecall"), "-data", dir)
	e.cmd.Env = append(os.Environ(), "LIVECALL_TWILIO_API_URL="+twilio)
	e.cmd.Stdout, e.cmd.Stderr = &e.log, &e.log
	if err := tied.Start(e.cmd); err != nil {
		t.Fatal(err)
	}
	go func() { e.ended <- e.cmd.Wait() }()
	t.Cleanup(func() {
		_ = e.cmd.Process.Kill() // has ended if the test has stopped it
		if t.Failed() {
			t.Logf("the host's log:\n%s", &e.log)
		}
	})
	return e
}

// ready waits until the page is served.
func (e *example) ready() {
	e.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-e.ended:
			e.t.Fatalf("the host ended: %v", err)
		default:
		}
		if resp, err := http.Get("http://" + e.page); err == nil {
			_ = resp.Body.Close()
			return
		}
	}
	e.t.Fatal("the host does not serve its page")
}

// stop ends the host as a service manager does.
func (e *example) stop() {
	e.t.Helper()
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		e.t.Fatal(err)
	}
	select {
	case err := <-e.ended:
		if err != nil {
			e.t.Errorf("the host ended: %v", err)
		}
	case <-time.After(patience):
		e.t.Fatal("the host does not stop")
	}
}

// body is a page that must be served without an error.
func body(t *testing.T, resp *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %v: %s", resp.Status, err, b)
	}
	return string(b)
}

// save fills the form of options in, as a browser would send it.
func (e *example) save(options map[string]string, file []byte) string {
	e.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for key, value := range options {
		_ = w.WriteField("option."+key, value)
	}
	if file != nil {
		part, _ := w.CreateFormFile("option.welcome.upload", "Welcome.WAV")
		_, _ = part.Write(file)
	}
	_ = w.Close()
	resp, err := http.Post("http://"+e.page, w.FormDataContentType(), &form)
	return body(e.t, resp, err)
}

// act presses one of the plugin's buttons.
func (e *example) act(name string, values url.Values) string {
	e.t.Helper()
	resp, err := http.PostForm("http://"+e.page+"/actions/"+name, values)
	return body(e.t, resp, err)
}

func wants(t *testing.T, page string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			t.Errorf("the page does not say %q:\n%s", w, page)
		}
	}
}

func TestHostOfOneFileConnectsACaller(t *testing.T) {
	t.Parallel()
	sim, err := twiliosim.New(twiliosim.Config{
		Numbers: []twiliosim.Number{{PhoneNumber: number}}, PatienceFloor: 20 * time.Second, SpeechPerCharacter: 5 * time.Millisecond, AudioLength: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	twilio := httptest.NewServer(sim)
	t.Cleanup(func() { sim.Close(); twilio.Close() })
	dir, hooks, page := t.TempDir(), freeport.Address(t), freeport.Address(t)
	e := start(t, dir, twilio.URL, hooks, page)
	e.ready()

	wants(t, e.save(map[string]string{"account_sid": "AC1"}, nil), "Not saved.", "must be AC followed by 32 digits")
	saved := e.save(map[string]string{
		"account_sid": twiliosim.DefaultAccountSid, "api_key": twiliosim.DefaultAPIKey, "api_secret": twiliosim.DefaultAPISecret,
		"auth_token": twiliosim.DefaultAuthToken,
	}, []byte("RIFF, which stands for a sound"))
	wants(t, saved, "Saved.", "Calls arrive at <code>http://"+hooks+"/integrations/int_", "Leave empty to keep it")
	if strings.Contains(saved, twiliosim.DefaultAPISecret) {
		t.Error("the page shows a secret")
	}
	wants(t, e.act("connect-number", url.Values{"number": {number}}), "ok: ")

	// What was saved is there after a restart.
	e.stop()
	e = start(t, dir, twilio.URL, hooks, page)
	e.ready()
	c, err := sim.Call(caller, number)
	if err != nil {
		t.Fatal(err)
	}
	c.Hears(t, "/media/") // what was uploaded
	leg := sim.Phone(alice).RingsNext(t)
	leg.Answers()
	leg.Hears(t, "DevOps")
	leg.Hears(t, "press 1")
	leg.Presses("1")
	if other := c.ConnectedTo(t, alice); other != leg {
		t.Error("the caller is connected to another call than the one that was answered")
	}
	c.Says("The database is down.")
	leg.Hears(t, "database is down")
	leg.Says("I see it, thank you.")
	c.Hears(t, "I see it")
	c.HangsUp()
	c.Ended(t)
	leg.Ended(t) // Twilio tells the host, which must be there
	e.stop()
	sim.Check(t)
	for _, line := range []string{"command=create", "command=route", "command=acknowledge status=acknowledged user=alice"} {
		if !strings.Contains(e.log.String(), line) {
			t.Errorf("the product's log has no %q", line)
		}
	}
}

func TestHostOfOneFileEndsWhenAnAddressIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	e := start(t, t.TempDir(), "", taken.Addr().String(), freeport.Address(t))
	select {
	case err := <-e.ended:
		if log := e.log.String(); err == nil || !strings.Contains(log, "address already in use") {
			t.Errorf("the host ended with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the host goes on without its webhooks")
	}
}
