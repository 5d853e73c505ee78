package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

// limitFiles makes every file that the process writes to end at a size, as a full disk does.
func (p *process) limitFiles(bytes uint64) {
	p.t.Helper()
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}, nil); err != nil {
		p.t.Fatal(err)
	}
}

// On a full disk callers hear the fallback, requests whose answer is ignored come again, /readyz
// says what is wrong, and the log stays short. When there is room again everything goes on.
func TestOnAFullDiskNothingIsTakenThatCannotBeStored(t *testing.T) {
	t.Parallel()
	p := start(t, newDir(t, hosttest.File)).ready()
	token := p.token()
	id := p.create(token)
	const form = "application/x-www-form-urlencoded"
	if status, body := p.webhook(id, "Call=CA1&From=%2B12025550143"); status != 200 || body != "please hold" {
		t.Fatalf("a first call: %d %s", status, body)
	}
	hosttest.Eventually(t, "the first call's work is done", func() bool {
		_, body := p.send("GET", "/api/v1/alerts", token, "", "")
		return strings.Contains(body, "voicemail.wav")
	})
	before := len(p.log.String())
	p.limitFiles(1)
	for range 20 {
		if status, body := p.webhook(id, "Call=CA2&From=%2B12025550143"); status != 200 || !strings.HasPrefix(body, "wait ") {
			t.Fatalf("a call on a full disk: %d %s, want 200 and the fallback", status, body)
		}
		if status, body := p.send("POST", "/integrations/"+id+"/c/CA1/status", "", form, "Call=CA1"); status != 503 {
			t.Fatalf("a request whose answer is ignored: %d %s, want 503", status, body)
		}
	}
	status, body := p.send("POST", "/api/v1/media?name=a.wav", token, "audio/wav", string(hosttest.WAV(time.Second)))
	if status != http.StatusServiceUnavailable {
		t.Errorf("an upload: %d %s, want 503", status, body)
	}
	p.readyz(503, `"store":{"state":"failing"`)
	if n := strings.Count(p.log.String()[before:], "\n"); n > 200 {
		t.Errorf("%d lines in the log:\n%.3000s", n, p.log.String()[before:])
	}
	p.limitFiles(unix.RLIM_INFINITY)
	p.readyz(200)
	if status, body := p.webhook(id, "Call=CA2&From=%2B12025550143"); status != 200 || body != "please hold" {
		t.Errorf("the call afterwards: %d %s", status, body)
	}
	if status, body := p.send("POST", "/integrations/"+id+"/c/CA1/status", "", form, "Call=CA1"); status != 200 {
		t.Errorf("the request that came again: %d %s", status, body)
	}
	if got := p.stop(); got != 0 {
		t.Errorf("it ended with %v:\n%s", got, p.log)
	}
}
