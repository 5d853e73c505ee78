package command

import "errors"

// ErrSaid ends a command with status 1 whose output has said already what is wrong. Its text is
// empty, as nothing more is printed; see complain.
var ErrSaid = errors.New("")

// Untested is an error that ends platform test with status 2: what the platform does is not known.
type Untested struct{ Reason error }

// Error says what stood in the way.
func (u Untested) Error() string { return u.Reason.Error() }

// Unwrap returns what stood in the way.
func (u Untested) Unwrap() error { return u.Reason }
