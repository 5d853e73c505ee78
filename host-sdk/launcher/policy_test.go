package launcher

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	type step struct {
		at     time.Duration // since start
		uptime time.Duration
		wait   time.Duration
		failed bool
	}
	for name, steps := range map[string][]step{
		"doubles, and fails with the fifth loss": {
			{0, 0, 0, false},
			{time.Second, 0, 100 * time.Millisecond, false},
			{2 * time.Second, 0, 200 * time.Millisecond, false},
			{3 * time.Second, 0, 400 * time.Millisecond, false},
			{4 * time.Second, 0, 30 * time.Second, true},
			{34 * time.Second, 0, 30 * time.Second, true},
		},
		"a minute of health starts anew": {
			{0, 0, 0, false},
			{time.Second, 59 * time.Second, 100 * time.Millisecond, false},
			{2 * time.Minute, time.Minute, 0, false},
		},
		"a plugin that is well for a minute now and then never fails": {
			{1 * time.Minute, time.Minute, 0, false},
			{2 * time.Minute, time.Minute, 0, false},
			{3 * time.Minute, time.Minute, 0, false},
			{4 * time.Minute, time.Minute, 0, false},
			{5 * time.Minute, time.Minute, 0, false},
			{6 * time.Minute, time.Minute, 0, false},
		},
		"losses are forgotten after ten minutes": {
			{0, 0, 0, false},
			{1 * time.Minute, 59 * time.Second, 100 * time.Millisecond, false},
			{2 * time.Minute, 59 * time.Second, 200 * time.Millisecond, false},
			{3 * time.Minute, 59 * time.Second, 400 * time.Millisecond, false},
			{10 * time.Minute, 59 * time.Second, 800 * time.Millisecond, false},
			{10*time.Minute + time.Second, time.Second, 30 * time.Second, true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := policy{timing: Timing{}.withDefaults()}
			for i, s := range steps {
				wait, failed := p.lost(start.Add(s.at), s.uptime)
				if wait != s.wait {
					t.Fatalf("step %d: wait is %v, want %v", i, wait, s.wait)
				}
				if failed != s.failed {
					t.Fatalf("step %d: failed is %v, want %v", i, failed, s.failed)
				}
			}
			p.forgive()
			wait, failed := p.lost(start.Add(time.Hour), 0)
			if wait != 0 {
				t.Fatalf("wait is %v, want %v", wait, 0)
			}
			if failed {
				t.Fatal("failed is true")
			}
		})
	}
}

// TestMissesWithAnswersBetweenThemAreForgiven: a healthy plugin is not killed for checks missed
// days apart.
func TestMissesWithAnswersBetweenThemAreForgiven(t *testing.T) {
	t.Parallel()
	missed := errors.New("no answer within 2s")
	checks := health{limit: 3}
	for day := range 100 {
		for range 2 {
			if checks.checked(missed) {
				t.Fatalf("day %d: frozen after two misses", day)
			}
		}
		if checks.checked(nil) {
			t.Fatalf("day %d: frozen though it answers", day)
		}
	}
	for i, want := range []bool{false, false, true} {
		if got := checks.checked(missed); got != want {
			t.Errorf("miss %d in a row: frozen %v, want %v", i+1, got, want)
		}
	}
}

// TestBackoffIsBounded, without a budget.
func TestBackoffIsBounded(t *testing.T) {
	t.Parallel()
	p := policy{timing: Timing{Budget: 1 << 30}.withDefaults()}
	var wait time.Duration
	for i := range 100 {
		wait, _ = p.lost(time.Unix(int64(i), 0), 0)
	}
	if wait != 30*time.Second {
		t.Fatalf("wait is %v, want %v", wait, 30*time.Second)
	}
}

func TestOutputLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"hclog", `{"@level":"warn","@message":"m","@timestamp":"2026-03-04T05:06:07.000000Z","b":1,"a":"x"}`, `{"level":"WARN","msg":"m","a":"x","b":1}`},
		{"slog", `{"time":"2026-03-04T05:06:07Z","level":"ERROR","msg":"m","a":true}`, `{"level":"ERROR","msg":"m","a":true}`},
		{"the host's own keys", `{"@level":"info","@message":"m","level":"x","msg":1,"plugin":"other","time":2}`, `{"level":"INFO","msg":"m","plugin.level":"x","plugin.msg":1,"plugin.plugin":"other","plugin.time":2}`},
		{"trace is debug", `{"@level":"trace","@message":"m"}`, `{"level":"DEBUG","msg":"m"}`},
		{"other JSON", `{"severity":"bad"}`, `{"level":"INFO","msg":"{\"severity\":\"bad\"}"}`},
		{"message that is no text", `{"@level":"info","@message":{"a":1}}`, `{"level":"INFO","msg":"{\"@level\":\"info\",\"@message\":{\"a\":1}}"}`},
		{"level that is none", `{"@level":"loud","@message":"m"}`, `{"level":"INFO","msg":"{\"@level\":\"loud\",\"@message\":\"m\"}"}`},
		{"word in brackets", `[WARN] careful`, `{"level":"WARN","msg":"[WARN] careful"}`},
		{"brackets", `[1] item`, `{"level":"INFO","msg":"[1] item"}`},
		{"plain", `hello`, `{"level":"INFO","msg":"hello"}`},
		{"not UTF-8", "caf\xe9", `{"level":"INFO","msg":"caf\ufffd"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got, want map[string]any
			if err := json.Unmarshal([]byte(logged(t, tt.in+"\r\n")), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("log line (-want +got):\n%s", diff)
			}
		})
	}
}

// logged is what the host's log holds after a plugin wrote text.
func logged(t *testing.T, chunks ...string) string {
	t.Helper()
	var buf bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&buf, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	o := &output{log: log}
	l := &lines{to: o.line}
	for _, chunk := range chunks {
		n, err := l.Write([]byte(chunk))
		if err != nil {
			t.Fatal(err)
		}
		if n != len(chunk) {
			t.Fatalf("n is %v, want %v", n, len(chunk))
		}
	}
	l.flush()
	return buf.String()
}

func TestLinesArriveInPieces(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxLine)
	var messages []string
	for line := range strings.SplitSeq(strings.TrimSpace(logged(t, "a", "b\n\n", "c\nd", long+"y\n", "last")), "\n") {
		var entry struct{ Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, entry.Msg)
	}
	joined := strings.Join(messages[2:len(messages)-1], "")
	if diff := cmp.Diff([]string{"ab", "c"}, messages[:2]); diff != "" {
		t.Fatalf("messages[:2] (-want +got):\n%s", diff)
	}
	if joined != "d"+long+"y" {
		t.Fatalf("joined is %q, want %q", joined, "d"+long+"y")
	}
	if messages[len(messages)-1] != "last" {
		t.Fatalf("messages[len(messages)-1] is %q, want %q", messages[len(messages)-1], "last")
	}
	for _, m := range messages {
		if got := len(m); got > maxLine+len("dy\n") {
			t.Fatalf("%v, want at most %v", got, maxLine+len("dy\n"))
		}
	}
}

// TestPanicTrace: everything after the first line of a panic is an error.
func TestPanicTrace(t *testing.T) {
	t.Parallel()
	got := logged(t, "before\n", "panic: oh\n", "\n", "goroutine 1 [running]:\n")
	if have := strings.Count(got, `"level":"ERROR"`); have != 2 {
		t.Fatalf("strings.Count(got, ''level':'ERROR'') is %v, want %v", have, 2)
	}
	if have := strings.Count(got, `"level":"INFO"`); have != 1 {
		t.Fatalf("strings.Count(got, ''level':'INFO'') is %v, want %v", have, 1)
	}
}

// FuzzOutput: whatever a plugin writes, the host goes on.
func FuzzOutput(f *testing.F) {
	for _, seed := range []string{`{"@level":"info","@message":"m"}`, `{"@message":5}`, "panic: x\n", "[", "[]", "{", "\x00\xff", "[INFO]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o := &output{log: slog.New(slog.DiscardHandler)}
		l := &lines{to: o.line}
		_, _ = l.Write(data)
		l.flush()
	})
}

func TestLastWords(t *testing.T) {
	t.Parallel()
	o := &output{log: slog.New(slog.DiscardHandler)}
	for _, line := range []string{"1", "2", "3", "4", "5", "6"} {
		o.line([]byte(line))
	}
	if got := o.words(); got != "2 | 3 | 4 | 5 | 6" {
		t.Fatalf("o.words() is %q, want %q", got, "2 | 3 | 4 | 5 | 6")
	}
}

func TestEnviron(t *testing.T) {
	t.Parallel()
	host := map[string]string{"TZ": "UTC", "WANTED": "host", "OTHER": "host", "EMPTY": ""}
	got := environ(func(name string) (string, bool) { v, ok := host[name]; return v, ok },
		[]string{"WANTED", "EMPTY", "ABSENT"}, map[string]string{"Z": "1", "WANTED": "extra"}, []string{"TMPDIR=/private"})
	want := []string{"TZ=UTC", "WANTED=host", "EMPTY=", "WANTED=extra", "Z=1", "TMPDIR=/private"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHandshakeLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"1|1|unix|/tmp/plugin1|grpc|CERT\n": true,
		"1|2|tcp|127.0.0.1:1|grpc":          true,
		"hello":                             false,
		"a|b|c|d":                           false,
		"1|2|3":                             false,
		"":                                  false,
	} {
		if got := isHandshake([]byte(line)); got != want {
			t.Fatalf("%v: a handshake line: %v, want %v", line, got, want)
		}
	}
}
