package logging

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

func TestLogLinesAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 30_000)
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := New(&out, settings.Settings{LogFormat: format})
		log.Warn("request refused", "error", errors.New(long), "path", long, "list", []string{long})
		log.With("url", long).Warn(long)
		for line := range strings.Lines(out.String()) {
			if len(line) > 4000 || !strings.Contains(line, "more bytes)") {
				t.Errorf("%s: a line of %d bytes: %.100s", format, len(line), line)
			}
		}
		out.Reset()
		log.Error("a request handler panicked", "stack", strings.Repeat("x", 5000))
		if !strings.Contains(out.String(), strings.Repeat("x", 5000)) {
			t.Errorf("%s: a stack trace is cut: %d bytes are left", format, out.Len())
		}
	}
}

func TestTheLogIsNeverTheFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, aFloodOfLines) // in which no time passes, however slow the machine is
}

func aFloodOfLines(t *testing.T) {
	var out bytes.Buffer
	log := New(&out, settings.Settings{LogFormat: "text", LogLevel: slog.LevelDebug})
	for i := range 5000 {
		log.With("integration", "int_1").Warn("request refused", "path", fmt.Sprint("/", i))
	}
	if n := strings.Count(out.String(), "\n"); n < 50 || n > 1000 {
		t.Errorf("%d lines of one message, want about 100", n)
	}
	log.Warn("something else")
	if !strings.Contains(out.String(), "something else") {
		t.Error("another message is lost with it")
	}
	out.Reset()
	for i := range 5000 {
		log.Warn(fmt.Sprint("text from outside ", i))
	}
	if n := strings.Count(out.String(), "\n"); n > 2000 {
		t.Errorf("%d lines of invented messages", n)
	}
	out.Reset()
	for range 1000 {
		log.Debug("request")
	}
	if n := strings.Count(out.String(), "\n"); n != 1000 {
		t.Errorf("%d of 1000 debug lines", n)
	}
}

func TestTheNextLineSaysHowManyWereLeftOut(t *testing.T) {
	t.Parallel()
	k := &logKinds{seen: map[string]*logKind{}}
	now := time.Now()
	passed := 0
	for range 150 {
		if _, ok := k.admit("m", now); ok {
			passed++
		}
	}
	if passed != logBurst {
		t.Errorf("%d lines at once, want %d", passed, logBurst)
	}
	if leftOut, ok := k.admit("m", now.Add(logEvery)); !ok || leftOut != 50 {
		t.Errorf("a moment later: %v, %d were left out, want 50", ok, leftOut)
	}
	for i := range 2 * maxLogKinds {
		k.admit(fmt.Sprint(i), now)
	}
	if len(k.seen) > maxLogKinds+1 {
		t.Errorf("%d messages are remembered", len(k.seen))
	}
}

func TestThePasswordIsHiddenAsServersRepeatIt(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := New(&out, settings.Settings{LogFormat: "text", SMTPURL: "smtp://hotline:pass%22word%2F123@mail.example.com"})
	const password = `pass"word/123`
	plain := base64.StdEncoding.EncodeToString([]byte("\x00hotline\x00" + password))
	login := base64.StdEncoding.EncodeToString([]byte(password))
	log.Warn("a", "error", errors.New("500 AUTH PLAIN "+plain), "b", fmt.Errorf("%q", password), "c", login, "d", "pass%22word%2F123")
	for _, secret := range []string{plain, login, password, `pass\"word`, "pass%22word"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log has %q: %s", secret, out.String())
		}
	}
}
