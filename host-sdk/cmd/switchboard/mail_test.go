package main

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/internal/testmail"
)

// startMail starts a mail server that ends with the test.
func startMail(t *testing.T) *testmail.Server {
	t.Helper()
	server, err := testmail.Start(testmail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// Whoever is on call is told by mail that an alert waits.
func TestPagesByMail(t *testing.T) {
	t.Parallel()
	inbox := startMail(t)

	file := strings.Replace(hosttest.File, "rotation: {start: \"2026-01-05T09:00\", every: 1w, users: [alice, bob]}", "users: [alice]", 1)
	if file == hosttest.File {
		t.Fatalf("file is %v", file)
	}
	p := start(t, newDir(t, file), "SWITCHBOARD_SMTP_URL="+inbox.URL()).ready()
	id := p.create(p.token())
	status, _ := p.webhook(id, "Call=CA01&From=%2B12025550143")
	if status != 200 {
		t.Fatalf("status = %v, want %v", status, 200)
	}
	hosttest.Eventually(t, "alice has mail", func() bool { return strings.Contains(strings.Join(inbox.Texts(), "\n"), "alice@example.com") })
	got := strings.Join(inbox.Texts(), "\n")
	if !strings.Contains(got, "Subject: Call from +12025550143") {
		t.Fatalf("the mail does not contain %q:\n%s", "Subject: Call from +12025550143", got)
	}
	if !strings.Contains(got, p.url+"/page/") {
		t.Fatalf("the mail does not contain the personal link %q:\n%s", p.url+"/page/", got)
	}
	if got := p.stop(); got != 0 {
		t.Fatalf("p.stop() = %v, want 0", got)
	}
}
