package launcher

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

const (
	// maxLine bounds one line of output; the rest of a longer one is a line of its own.
	maxLine = 64 << 10
	// lastWords is how many lines are kept for the report of a failed start.
	lastWords = 5
)

// output turns what a plugin writes into log lines. JSON lines of hclog or slog keep their level
// and fields. Everything that reaches it is data of another process: no line, however odd, is an
// error. Lines come from two pipes and from go-plugin's streams, so line may be called by several
// goroutines.
type output struct {
	log *slog.Logger

	mu       sync.Mutex
	panicked bool     // the rest of the output is a stack trace
	last     []string // newest last
}

// line logs one line.
func (o *output) line(raw []byte) {
	raw = bytes.TrimRight(raw, "\r\n")
	if len(raw) == 0 {
		return
	}
	level, message, attrs := o.parse(raw)
	o.mu.Lock()
	o.last = append(o.last, message)
	if len(o.last) > lastWords {
		o.last = o.last[1:]
	}
	o.mu.Unlock()
	o.log.LogAttrs(context.Background(), level, message, attrs...)
}

// words returns the newest lines, as one.
func (o *output) words() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.last, " | ")
}

// parse finds the level of a line: of JSON by its fields, of text by a word in brackets; else it is
// information. From a panic on, every line is an error. A stack trace of Go has no levels, and is
// what somebody looks for in the log after a crash.
func (o *output) parse(raw []byte) (slog.Level, string, []slog.Attr) {
	if raw[0] == '{' {
		if level, message, attrs, ok := parseJSONLine(raw); ok {
			return level, message, attrs
		}
	}
	text := strings.ToValidUTF8(string(raw), "\uFFFD")
	o.mu.Lock()
	defer o.mu.Unlock()
	if strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ") {
		o.panicked = true
	}
	if o.panicked {
		return slog.LevelError, text, nil
	}
	if word, _, found := strings.Cut(strings.TrimPrefix(text, "["), "]"); found && text[0] == '[' {
		if level, known := levelOf(word); known {
			return level, text, nil
		}
	}
	return slog.LevelInfo, text, nil
}

// reserved are keys of the host's own log lines, which a plugin's fields must not pass for.
var reserved = []string{slog.TimeKey, slog.LevelKey, slog.MessageKey, slog.SourceKey, "plugin"}

// parseJSONLine reads hclog's keys, or slog's. False means that it is no log line, though it may be
// JSON: then it is logged as text.
func parseJSONLine(raw []byte) (slog.Level, string, []slog.Attr, bool) {
	var fields map[string]any
	if json.Unmarshal(raw, &fields) != nil {
		return 0, "", nil, false
	}
	var level slog.Level
	var message string
	known := false
	for _, keys := range [][3]string{{"@level", "@message", "@timestamp"}, {"level", "msg", "time"}} {
		word, isText := fields[keys[0]].(string)
		text, hasText := fields[keys[1]].(string)
		if !isText || !hasText {
			continue
		}
		if level, known = levelOf(word); !known {
			continue
		}
		message = text
		for _, key := range keys {
			delete(fields, key)
		}
		break
	}
	if !known {
		return 0, "", nil, false
	}
	// Sorted, as a map's order would make each line look different.
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	attrs := make([]slog.Attr, len(names))
	for i, name := range names {
		key := name
		if slices.Contains(reserved, name) {
			key = "plugin." + name
		}
		attrs[i] = slog.Any(key, fields[name])
	}
	return level, message, attrs, true
}

// levelOf reads the words of hclog and slog.
func levelOf(word string) (slog.Level, bool) {
	switch strings.ToLower(word) {
	case "trace", "debug":
		return slog.LevelDebug, true
	case "info":
		return slog.LevelInfo, true
	case "warn", "warning":
		return slog.LevelWarn, true
	case "error", "err":
		return slog.LevelError, true
	default:
		return 0, false
	}
}

// lines is an io.Writer that hands whole lines on. What arrives may end in the middle of a line,
// which waits in rest.
type lines struct {
	to func(line []byte)

	mu   sync.Mutex
	rest []byte
}

// Write never fails: what writes to it must not stop for it.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		end := bytes.IndexByte(l.rest, '\n') + 1
		if end == 0 && len(l.rest) >= maxLine {
			end = maxLine
		}
		if end == 0 {
			break
		}
		l.to(l.rest[:min(end, len(l.rest))])
		l.rest = l.rest[end:]
	}
	if len(l.rest) == 0 {
		l.rest = nil
	}
	return len(p), nil
}

// flush hands on a last line without an end.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		l.to(l.rest)
		l.rest = nil
	}
}
