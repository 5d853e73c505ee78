package integration

import (
	"errors"
	"fmt"
)

// Kind is one of a closed set of error kinds. The text values cross the wire: never rename one.
type Kind string

// The kinds. Errors of any other origin are [KindInternal]: their text goes to the log, never to a
// person.
const (
	KindNotFound     Kind = "not_found"    // the named thing does not exist (any more)
	KindConflict     Kind = "conflict"     // somebody else changed it first; read again and retry
	KindInvalid      Kind = "invalid"      // the request is wrong and will stay wrong
	KindUnauthorized Kind = "unauthorized" // credentials are missing, wrong or lack a permission
	KindUnavailable  Kind = "unavailable"  // try again later
	KindDeadline     Kind = "deadline"     // no answer in time; whether it took effect is unknown
	KindUnsupported  Kind = "unsupported"  // the peer does not offer this
	KindInternal     Kind = "internal"     // a defect
)

// Final reports whether repeating the same request cannot help: an outbox item that fails so leaves
// its lane and comes back to the handler as a failure.
func (k Kind) Final() bool {
	switch k {
	case KindInvalid, KindNotFound, KindUnauthorized, KindUnsupported:
		return true
	case KindConflict, KindUnavailable, KindDeadline, KindInternal:
		return false
	}
	return false
}

// Error is the only error type that crosses the contract. In process and over the wire it is the
// same.
type Error struct {
	Kind    Kind
	Message string // for an operator; names the field and the remedy, never holds a secret
	Field   string // option key or JSON pointer the error is about, if any
	// The foreign code behind it (such as a carrier's error number), for logs and decisions.
	Code string
	Err  error // the cause in this process; does not cross the wire
}

// Error implements error.
func (e *Error) Error() string {
	s := string(e.Kind) + ": " + e.Message
	if e.Field != "" {
		s = string(e.Kind) + ": " + e.Field + ": " + e.Message
	}
	if e.Code != "" {
		s += " (code " + e.Code + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Kind: k}) true for every error of kind k.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Message == "" && t.Field == "" && t.Code == ""
}

// Errorf makes an *Error of the kind; %w works as in fmt.Errorf.
func Errorf(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// KindOf returns the kind of err: that of the first *Error in its chain, KindInternal for any other
// error, and "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindInternal
}

// ErrPluginGone is in the chain of an error when the plugin process went away during or before the
// call, as opposed to a call that failed. Its kind is KindUnavailable.
var ErrPluginGone = &Error{Kind: KindUnavailable, Message: "the plugin process is gone", Code: "plugin_gone"}
