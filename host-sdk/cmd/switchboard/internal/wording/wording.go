// Package wording turns errors into what people read: one line, with what to do, without error
// kinds, which are for programs, and without secrets. It counts things for them, too.
package wording

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// RootCause leaves out what the caller's sentence says already: the operation and the path or
// address. Such as "no such file or directory" of an error that also names the file. Anything else
// is returned as it is.
func RootCause(err error) error {
	var path *os.PathError
	var network *net.OpError
	var call *os.SyscallError
	switch {
	case errors.As(err, &call):
		return call.Err
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &network):
		return network.Err
	}
	return err
}

// Plain leaves out the error kinds, which are for programs. Only the outermost kind is known to be
// one.
func Plain(err error) string {
	text := err.Error()
	var known *integration.Error
	if errors.As(err, &known) {
		text = strings.Replace(text, known.Error(), strings.TrimPrefix(known.Error(), string(known.Kind)+": "), 1)
	}
	return text
}

// OneLine joins the lines of an error, so that a supervisor's log shows the whole reason in one
// entry.
func OneLine(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "; ")
}

// Sentence ends a text with a full stop, in one line. It does not begin with a capital; AsSentence
// does.
func Sentence(text string) string {
	return strings.TrimRight(OneLine(text), ".") + "."
}

// AsSentence begins a text with a capital, unless it begins with an address, and ends it with a
// full stop.
func AsSentence(text string) string {
	if text == "" {
		return ""
	}
	if r, n := utf8.DecodeRuneInString(text); !strings.HasPrefix(text, "http") {
		text = string(unicode.ToUpper(r)) + text[n:]
	}
	return strings.TrimRight(text, ".") + "."
}

// ForPeople is an error in one line, without secrets and without kinds, which are for programs.
func ForPeople(s settings.Settings, err error) error {
	if err == nil {
		return nil
	}
	return errors.New(Redactor(s).Replace(OneLine(Plain(err))))
}

// Count is a number with its noun, such as 1 error or 3 errors.
func Count(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
