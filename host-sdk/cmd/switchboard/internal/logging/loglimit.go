package logging

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"
)

// Limits of the log. Much of what it says holds text from outside: an address, a header, the answer
// of a foreign server, a line that a plugin prints.
const (
	maxLogText   = 1000     // bytes of one text
	maxLogStack  = 16 << 10 // bytes of a stack trace, which comes from nobody but us
	logBurst     = 100      // lines of one message that may come at once
	logEvery     = time.Second / 5
	maxLogKinds  = 500 // messages that are distinguished at a time; more hold text from outside
	otherMessage = ""  // counts for all messages beyond maxLogKinds
)

// cut shortens a text that is too long, at the beginning of a character, and says by how much. The
// result is a little longer than most, by what it says.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s… (%d more bytes)", text[:end], len(text)-end)
}

// limited lets so many lines of one message through and counts the others: the log is read by
// people and fills a disk. The next line that is let through says how many were left out. Lines
// below info are not limited.
type limited struct {
	slog.Handler
	kinds *logKinds
}

// logKinds is shared by a logger and those derived from it, or a logger with attributes of its own
// would have limits of its own.
type logKinds struct {
	mu   sync.Mutex
	seen map[string]*logKind
}

// logKind counts the lines of one message. It is a token bucket of logBurst lines, kept as one
// time.
type logKind struct {
	next    time.Time // when all lines so far would be due at one each logEvery
	leftOut int
}

// newLimited limits the lines of a handler.
func newLimited(h slog.Handler) slog.Handler {
	return limited{Handler: h, kinds: &logKinds{seen: map[string]*logKind{}}}
}

// Handle implements slog.Handler. The wall clock counts, as the reader and the disk go by it.
func (l limited) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelInfo {
		return l.Handler.Handle(ctx, r) // whoever asks for it wants all of it
	}
	leftOut, ok := l.kinds.admit(r.Message, time.Now())
	if !ok {
		return nil
	}
	r.Message = cut(r.Message, maxLogText)
	if leftOut > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("left_out", leftOut))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return limited{Handler: l.Handler.WithAttrs(attrs), kinds: l.kinds}
}

// WithGroup implements slog.Handler.
func (l limited) WithGroup(name string) slog.Handler {
	return limited{Handler: l.Handler.WithGroup(name), kinds: l.kinds}
}

// admit decides on a line, and returns how many of its kind were left out before it. false: it is
// left out, and counted.
func (k *logKinds) admit(message string, now time.Time) (leftOut int, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kind := k.seen[message]
	if kind == nil {
		if k.makeRoom(now); len(k.seen) >= maxLogKinds {
			message = otherMessage
		}
		if kind = k.seen[message]; kind == nil {
			kind = &logKind{}
			k.seen[message] = kind
		}
	}
	if kind.next.Before(now) {
		kind.next = now
	}
	if kind.next.Sub(now) > (logBurst-1)*logEvery {
		kind.leftOut++
		return 0, false
	}
	kind.next = kind.next.Add(logEvery)
	leftOut, kind.leftOut = kind.leftOut, 0
	return leftOut, true
}

// makeRoom forgets the messages that have not come lately, once there are many. One that has left
// lines out stays, so that this is said. k.mu is held.
func (k *logKinds) makeRoom(now time.Time) {
	if len(k.seen) < maxLogKinds {
		return
	}
	for message, kind := range k.seen {
		if kind.next.Before(now) && kind.leftOut == 0 {
			delete(k.seen, message)
		}
	}
}
