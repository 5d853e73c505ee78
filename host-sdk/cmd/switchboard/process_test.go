package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
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

func TestServe(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	p := start(t, dir).ready()

	status, body := p.get("/healthz")
	if status != 200 {
		t.Fatalf("status = %v, want %v", status, 200)
	}
	if body != "ok\n" {
		t.Fatalf("body = %q, want %q", body, "ok\n")
	}
	_, body = p.get("/readyz")
	for _, want := range []string{`{"status":"ready","checks":{`, `"store":{"state":"ok"`, `"plugin":{"state":"ok"`, `"platform":{"state":"ok"`, `"work":{"state":"ok"`, `"file":{"state":"ok"`} {
		if !strings.Contains(body, want) {
			t.Fatalf("/readyz says %s, want %s", body, want)
		}
	}
	status, _ = p.get("/api/v1/teams")
	if status != 401 {
		t.Fatalf("status = %v, want %v", status, 401)
	}

	id := p.create(p.token())
	status, body = p.webhook(id, "Call=CA01&From=%2B12025550143")
	if status != 200 {
		t.Fatalf("status = %v, want %v", status, 200)
	}
	if body != "please hold" {
		t.Fatalf("body = %q, want %q", body, "please hold")
	}
	status, _ = p.webhook("int_nothing", "x=y")
	if status != 404 {
		t.Fatalf("status = %v, want %v", status, 404)
	}
	status, body = p.webhook("int_nothing", "Call=CA01")
	if status != 200 {
		t.Fatalf("status = %v, want %v", status, 200)
	}
	if body != "not in service" {
		t.Fatalf("body = %q, want %q", body, "not in service")
	}
	status, body = p.get("/")
	if status != 200 {
		t.Fatalf("status = %v, want %v", status, 200)
	}
	if !strings.Contains(body, "Log in") {
		t.Fatalf("body does not contain %q:\n%s", "Log in", body)
	}
	_, body = p.get("/metrics")
	for _, name := range []string{"switchboard_http_requests_total", "switchboard_http_request_duration_seconds_bucket", `switchboard_webhook_duration_seconds_count{answer="ok",kind="call"} 2`, `livecall_engine_handler_runs_total{handler="webhook",result="ok"} 1`, "switchboard_outbox_overdue_seconds", "go_goroutines", "process_open_fds"} {
		if !strings.Contains(body, name) {
			t.Fatalf("body does not contain %q:\n%s", name, body)
		}
	}

	// An open event stream does not hold up the stop.
	req, err := http.NewRequestWithContext(t.Context(), "GET", p.url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token())
	stream, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	if stream.StatusCode != 200 {
		t.Fatalf("stream.StatusCode = %v, want %v", stream.StatusCode, 200)
	}

	// A caller's request in progress is finished.
	answer := make(chan string, 1)
	goOn := filepath.Join(dir, "answer-now")
	go func() {
		resp, err := http.PostForm(p.url+"/integrations/"+id, url.Values{"Call": {"CA02"}, "Slow": {goOn}}) //nolint:noctx // ends with the process
		if err != nil {
			answer <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(resp.Body)
		answer <- string(text)
	}()
	hosttest.Eventually(t, "the slow request has begun", func() bool { return strings.Contains(p.log.String(), "slow webhook begins") })
	p.signal(syscall.SIGTERM)
	hosttest.Eventually(t, "the host is stopping", func() bool { return strings.Contains(p.log.String(), "switchboard is stopping") })
	if err := os.WriteFile(goOn, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := p.wait(); got != 0 {
		t.Fatalf("exit status = %d, want 0\n%s", got, p.log)
	}
	if got := <-answer; got != "please hold" {
		t.Fatalf("<-answer = %q, want %q", got, "please hold")
	}
	if got := p.log.String(); strings.Contains(got, "cut off") {
		t.Fatalf("the event stream does not use up the time for requests in progress: contains %q:\n%s", "cut off", got)
	}
	if !regexp.MustCompile(`(?s)state=stopped.*switchboard has stopped`).MatchString(p.log.String()) {
		t.Fatalf("the plugin was stopped, not left to notice: no match in\n%s", p.log.String())
	}
	if got := p.log.String(); strings.Contains(got, "level=ERROR") {
		t.Fatalf("p.log.String() contains %q:\n%s", "level=ERROR", got)
	}
	requireGone(t, pluginPID(t, p.log.String()))

	// The next start finds everything again.
	p = start(t, dir, "SWITCHBOARD_LOG_FORMAT=json").ready()
	status, body = p.send("GET", "/api/v1/integrations/"+id, p.token(), "", "")
	if status != 200 {
		t.Fatalf("status = %v, want %v", status, 200)
	}
	if !strings.Contains(body, `"alpha":{"set":true}`) {
		t.Fatalf("body does not contain %q:\n%s", `"alpha":{"set":true}`, body)
	}
	status, _ = p.send("GET", "/api/v1/calls/CA02", p.token(), "", "")
	if status != 200 {
		t.Fatalf("status = %v, want %v", status, 200)
	}
	p.signal(syscall.SIGINT)
	if got := p.wait(); got != 0 {
		t.Fatalf("p.wait() = %v, want 0", got)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(p.log.String()), "\n") {
		if !json.Valid([]byte(line)) {
			t.Fatalf("%v", line)
		}
	}
}

var pidAttr = regexp.MustCompile(`state=ready pid=(\d+)`)

// pluginPID finds the newest plugin process in a text log.
func pluginPID(t *testing.T, log string) int {
	t.Helper()
	all := pidAttr.FindAllStringSubmatch(log, -1)
	if len(all) == 0 {
		t.Fatalf("%v", log)
	}
	pid, err := strconv.Atoi(all[len(all)-1][1])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func requireGone(t *testing.T, pid int) {
	t.Helper()
	hosttest.Eventually(t, "the plugin process is gone", func() bool { return syscall.Kill(pid, 0) != nil })
}

func TestPluginThatDiesIsReplaced(t *testing.T) {
	t.Parallel()
	p := start(t, newDir(t, hosttest.File)).ready()
	id := p.create(p.token())
	pid := pluginPID(t, p.log.String())
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	status, body := p.webhook(id, "Call=CA01")
	if status != 200 {
		t.Fatalf("status = %v, want %v", status, 200)
	}
	if body != "please hold" {
		t.Fatalf("the caller notices nothing: got %q, want %q", body, "please hold")
	}
	p.ready()
	if got := pluginPID(t, p.log.String()); got == pid {
		t.Fatalf("pluginPID(t, p.log.String()) is %v", got)
	}
	if got := p.stop(); got != 0 {
		t.Fatalf("p.stop() = %v, want 0", got)
	}
}

func TestStartsThatFail(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own port
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	spoiled, other := t.TempDir(), t.TempDir()
	if err := makePlugin(spoiled, hosttest.PluginID, "1.2.3", 1); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(spoiled, hosttest.PluginID, "testline"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("x")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := makePlugin(other, hosttest.PluginID, "1.2.3", 2); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	if err := os.Mkdir(filepath.Join(broken, "testline"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "testline", "manifest.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}

	for name, c := range map[string]struct {
		file    string // "" = hosttest.File
		env     []string
		prepare func(t *testing.T, dir string)
		says    []string
	}{
		"no file":           {env: []string{"SWITCHBOARD_CONFIG=nowhere.yaml"}, says: []string{"nowhere.yaml", "no such file"}},
		"broken file":       {file: "users:\n  - {id: alice\n", says: []string{"switchboard.yaml:"}},
		"file with a fault": {file: strings.Replace(hosttest.File, "America/New_York", "America/Nowhere", 1), says: []string{"switchboard.yaml:9:", "America/Nowhere", "1 problem"}},
		"router fault": {file: hosttest.File + "routers:\n  - {id: r, default_receiver: devops, rules: [{match: {$nor: 1}, actions: [{type: assign, receiver: devops}]}]}\n",
			says: []string{"switchboard.yaml:15:", "1 problem"}},
		"unknown setting": {file: hosttest.File + "settings: {lisen: \":1\"}\n", says: []string{"lisen is not a setting"}},
		"bad setting":     {env: []string{"SWITCHBOARD_LISTEN=nowhere"}, says: []string{`listen "nowhere" is not an address`}},
		"data dir a file": {prepare: func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, says: []string{"data directory", "cannot be created"}},
		"data dir below it": {env: []string{"SWITCHBOARD_DATA_DIR=switchboard.yaml/data"}, says: []string{"data directory switchboard.yaml/data", "not a directory"}},
		"port taken":        {env: []string{"SWITCHBOARD_LISTEN=" + taken.Addr().String()}, says: []string{"listen on " + taken.Addr().String(), "address already in use", "SWITCHBOARD_LISTEN"}},
		"foreign address":   {env: []string{"SWITCHBOARD_LISTEN=192.0.2.1:80"}, says: []string{"listen on 192.0.2.1:80"}},
		"no plugin folder":  {env: []string{"SWITCHBOARD_PLUGIN_DIR=nowhere"}, says: []string{"plugin directory", "nowhere"}},
		"no plugin":         {env: []string{"SWITCHBOARD_PLUGIN_DIR=."}, says: []string{"no plugin is installed"}},
		"broken manifest":   {env: []string{"SWITCHBOARD_PLUGIN_DIR=" + broken}, says: []string{"manifest"}},
		"wrong hash":        {env: []string{"SWITCHBOARD_PLUGIN_DIR=" + spoiled}, says: []string{"plugin testline"}},
		"other protocol":    {env: []string{"SWITCHBOARD_PLUGIN_DIR=" + other}, says: []string{"plugin testline", "protocol"}},
		"speaks another":    {env: []string{pluginVariable + "=protocol-2"}, says: []string{"plugin testline", "speaks protocol version 2, this host speaks 1"}},
		"plugin exits":      {env: []string{pluginVariable + "=exits"}, says: []string{"plugin testline", "no licence file found"}},
		"malformed key":     {env: []string{"SWITCHBOARD_SECRET_KEY=canary-key"}, says: []string{"secret_key"}},
		"empty kept key": {prepare: func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "data", "secret-key"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, says: []string{"secret-key is empty"}},
		"postgres, no key": {env: []string{"SWITCHBOARD_DATABASE_URL=postgres://u:canary-db@127.0.0.1:1/x"}, says: []string{"SWITCHBOARD_SECRET_KEY and SWITCHBOARD_API_TOKEN"}},
		"no database": {env: []string{"SWITCHBOARD_DATABASE_URL=postgres://u:canary-db@127.0.0.1/x?sslmode=perhaps", "SWITCHBOARD_SECRET_KEY=" + seal.NewKey(), "SWITCHBOARD_API_TOKEN=canary-token-0815"},
			says: []string{"database URL: cannot be read"}},
		"not a database": {prepare: func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "data", "switchboard.db"), bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}, says: []string{"database", "switchboard.db"}},
		"a damaged database": {env: []string{"SWITCHBOARD_SECRET_KEY=" + seal.NewKey()}, prepare: func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "data", "switchboard.db"), bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}, says: []string{"switchboard.db", "damaged", "backup"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := c.file
			if file == "" {
				file = hosttest.File
			}
			dir := newDir(t, file)
			if c.prepare != nil {
				c.prepare(t, dir)
			}
			p := start(t, dir, c.env...)
			if got := p.wait(); got != 1 {
				t.Fatalf("%s: got %v, want %v", p.log, got, 1)
			}
			requireOneLine(t, p.log.String())
			for _, s := range c.says {
				if got := p.log.String(); !strings.Contains(got, s) {
					t.Fatalf("p.log.String() does not contain %q:\n%s", s, got)
				}
			}
			if got := p.log.String(); strings.Contains(got, "canary") {
				t.Fatalf("p.log.String() contains %q:\n%s", "canary", got)
			}
			if got := p.log.String(); strings.Contains(got, "switchboard is ready") {
				t.Fatalf("p.log.String() contains %q:\n%s", "switchboard is ready", got)
			}
			if m := pidAttr.FindStringSubmatch(p.log.String()); m != nil {
				requireGone(t, pluginPID(t, p.log.String()))
			}
		})
	}
}

// requireOneLine: beside log lines and places in the file there is one line that says why.
func requireOneLine(t *testing.T, log string) {
	t.Helper()
	var why []string
	lines := bufio.NewScanner(strings.NewReader(log))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "switchboard: ") {
			why = append(why, lines.Text())
		}
	}
	if len(why) != 1 {
		t.Fatalf("%v: got %d, want %d: %v", log, len(why), 1, why)
	}
	if !strings.HasSuffix(strings.TrimSpace(log), why[0]) {
		t.Fatalf("the reason is the last line:\n%s", log)
	}
	if strings.Contains(log, "goroutine ") {
		t.Fatalf("log contains %q:\n%s", "goroutine ", log)
	}
}

func TestWrongKeyIsNoticed(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	p := start(t, dir).ready()
	p.create(p.token())
	if got := p.stop(); got != 0 {
		t.Fatalf("p.stop() = %v, want 0", got)
	}
	key := seal.NewKey()
	p = start(t, dir, "SWITCHBOARD_SECRET_KEY="+key)
	if got := p.wait(); got != 1 {
		t.Fatalf("p.wait() = %v, want %v", got, 1)
	}
	requireOneLine(t, p.log.String())
	if got := p.log.String(); !strings.Contains(got, "SWITCHBOARD_SECRET_KEY") {
		t.Fatalf("p.log.String() does not contain %q:\n%s", "SWITCHBOARD_SECRET_KEY", got)
	}
	if got := p.log.String(); strings.Contains(got, key) {
		t.Fatalf("p.log.String() contains %q:\n%s", key, got)
	}
	if got := start(t, dir).ready().stop(); got != 0 {
		t.Fatalf("with the kept key all is well again = %v, want 0", got)
	}
}

func TestTwoProcessesDoNotShareADirectory(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	first := start(t, dir).ready()
	second := start(t, dir)
	if got := second.wait(); got != 1 {
		t.Fatalf("second.wait() = %v, want %v", got, 1)
	}
	requireOneLine(t, second.log.String())
	if got := second.log.String(); !strings.Contains(got, "another switchboard (process "+strconv.Itoa(first.cmd.Process.Pid)+") is using it") {
		t.Fatalf("second.log.String() does not contain %q:\n%s", "another switchboard (process "+strconv.Itoa(first.cmd.Process.Pid)+") is using it", got)
	}
	status, _ := first.get("/readyz")
	if status != 200 {
		t.Fatalf("the first one is not disturbed: got %v, want %v", status, 200)
	}
	// The lock goes with the process, however that ends.
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.wait()
	if got := start(t, dir).ready().stop(); got != 0 {
		t.Fatalf("start(t, dir).ready().stop() = %v, want 0", got)
	}
}

// No secret of settings or options turns up in the log, an answer, an error or, in clear, on disk.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	key := seal.NewKey()
	secrets := []string{key, "canary-api-token", "canary-smtp-password", "canary-option-secret"}
	dir := newDir(t, hosttest.File)
	p := start(t, dir, "SWITCHBOARD_SECRET_KEY="+key, "SWITCHBOARD_API_TOKEN="+secrets[1],
		"SWITCHBOARD_SMTP_URL=smtp://hotline:"+secrets[2]+"@127.0.0.1:1?from=hotline@example.com", "SWITCHBOARD_LOG_LEVEL=debug").ready()
	id := p.create(secrets[1])
	var answers strings.Builder
	for _, r := range [][3]string{
		{"GET", "/api/v1/integrations", ""},
		{"GET", "/api/v1/integrations/" + id, ""},
		{"PUT", "/api/v1/integrations/" + id, hotline},
		{"POST", "/api/v1/integrations", strings.Replace(hotline, `"zeta"`, `"zota"`, 1)},
		{"POST", "/api/v1/integrations", strings.Replace(hotline, `"options"`, `"optionz"`, 1)},
		{"POST", "/api/v1/integrations", strings.TrimSuffix(hotline, "}")},
		{"POST", "/api/v1/integrations/" + id + "/actions/break", ""},
		{"GET", "/api/v1/plugins", ""},
		{"GET", "/readyz", ""},
		{"GET", "/metrics", ""},
		{"GET", "/api/v1/alerts", ""},
	} {
		_, body := p.send(r[0], r[1], secrets[1], "application/json", r[2])
		answers.WriteString(body)
	}
	_, body := p.send("GET", "/api/v1/teams", "canary-api-token-x", "", "")
	answers.WriteString(body)
	p.webhook(id, "Call=CA01&From=%2B12025550143")
	hosttest.Eventually(t, "the alert has been made", func() bool {
		_, body := p.send("GET", "/api/v1/alerts", secrets[1], "", "")
		answers.WriteString(body)
		return strings.Contains(body, "Voicemail")
	})
	if got := p.stop(); got != 0 {
		t.Fatalf("p.stop() = %v, want 0", got)
	}
	if got := p.log.String(); !strings.Contains(got, "level=DEBUG") {
		t.Fatalf("p.log.String() does not contain %q:\n%s", "level=DEBUG", got)
	}
	err := filepath.WalkDir(filepath.Join(dir, "data"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path) //nolint:gosec // below the test's own folder
		for _, s := range secrets {
			if got := string(data); strings.Contains(got, s) {
				t.Fatalf("%v: contains %q:\n%s", path, s, got)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets {
		if got := p.log.String(); strings.Contains(got, s) {
			t.Fatalf("p.log.String() contains %q:\n%s", s, got)
		}
		if got := answers.String(); strings.Contains(got, s) {
			t.Fatalf("answers.String() contains %q:\n%s", s, got)
		}
	}
}
