package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

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
	p.readyz(200, `{"status":"ready","checks":{`, `"store":{"state":"ok"`, `"plugin":{"state":"ok"`, `"platform":{"state":"ok"`, `"work":{"state":"ok"`, `"file":{"state":"ok"`)
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
	p.says("slow webhook begins")
	p.signal(syscall.SIGTERM)
	p.says("switchboard is stopping")
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
	hosttest.Eventually(t, "the log names another process", func() bool { return pluginPID(t, p.log.String()) != pid })
	if got := p.stop(); got != 0 {
		t.Fatalf("p.stop() = %v, want 0", got)
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
