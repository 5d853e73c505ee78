package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/internal/testlog"
	"github.com/livecallrouting/livecall/internal/tied"
)

// process is a switchboard of its own.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	log  *testlog.Buffer
	done chan struct{}
	url  string // once ready
	dir  string // with switchboard.yaml and data/
}

// newDir makes a folder with a switchboard file.
func newDir(t testing.TB, file string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "switchboard.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start runs switchboard serve in dir; env wins over what tests have in common.
func start(t testing.TB, dir string, env ...string) *process {
	t.Helper()
	p := &process{t: t, log: &testlog.Buffer{}, done: make(chan struct{}), dir: dir}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], "serve")
	p.cmd.Dir = dir
	p.cmd.Stderr = p.log
	p.cmd.Stdout = p.log
	p.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), runVariable + "=1", pluginVariable + "=good",
		"SWITCHBOARD_LISTEN=127.0.0.1:0", "SWITCHBOARD_DATA_DIR=" + filepath.Join(dir, "data"), "SWITCHBOARD_PLUGIN_DIR=" + pluginHome,
	}, env...)
	if err := tied.Start(p.cmd); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // its status is read from ProcessState
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // has ended already where all went well
		<-p.done
	})
	return p
}

var readyLine = regexp.MustCompile(`switchboard is ready at (http://[0-9.:]+)`)

// ready waits until /readyz says so.
func (p *process) ready() *process {
	p.t.Helper()
	hosttest.Eventually(p.t, "switchboard is ready", func() bool {
		select {
		case <-p.done:
			p.t.Fatalf("it ended instead:\n%s", p.log)
		default:
		}
		m := readyLine.FindStringSubmatch(p.log.String())
		if m == nil {
			return false
		}
		p.url = m[1]
		status, _ := p.get("/readyz")
		return status == 200
	})
	return p
}

// readyz waits until /readyz answers a status and says all of texts: a check that has no answer in
// time on a busy machine is not ok for a moment.
func (p *process) readyz(status int, texts ...string) {
	p.t.Helper()
	hosttest.Eventually(p.t, fmt.Sprintf("/readyz answers %d and says %q", status, texts), func() bool {
		got, body := p.get("/readyz")
		return got == status && !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(body, text) })
	})
}

// says waits until its log has a text, which comes through a pipe.
func (p *process) says(text string) {
	p.t.Helper()
	hosttest.Eventually(p.t, "the log says "+text, func() bool { return strings.Contains(p.log.String(), text) })
}

// stop asks it to stop and returns the exit status.
func (p *process) stop() int {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	return p.wait()
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.t.Fatalf("did not end within a minute:\n%s", p.log)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) token() string {
	p.t.Helper()
	token, err := os.ReadFile(filepath.Join(p.dir, "data", "api-token"))
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(string(token))
}

func (p *process) send(method, path, token, contentType, body string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatalf("%s: %v", p.log, err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func (p *process) get(path string) (int, string) {
	p.t.Helper()
	return p.send("GET", path, "", "", "")
}

const hotline = `{"plugin": "testline", "name": "Hotline", "destinations": [{"kind": "team", "id": "devops"}], "options": {"zeta": "hello", "alpha": "canary-option-secret"}}`

func (p *process) create(token string) (id string) {
	p.t.Helper()
	status, body := p.send("POST", "/api/v1/integrations", token, "application/json", hotline)
	if status != 201 {
		p.t.Fatalf("%v: got %v, want %v", body, status, 201)
	}
	var in struct {
		ID          string
		EndpointURL string `json:"endpoint_url"`
	}
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		p.t.Fatal(err)
	}
	if diff := cmp.Diff(p.url+"/integrations/"+in.ID, in.EndpointURL); diff != "" {
		p.t.Fatalf("in.EndpointURL (-want +got):\n%s", diff)
	}
	return in.ID
}

func (p *process) webhook(id, form string) (int, string) {
	p.t.Helper()
	return p.send("POST", "/integrations/"+id, "", "application/x-www-form-urlencoded", form)
}
