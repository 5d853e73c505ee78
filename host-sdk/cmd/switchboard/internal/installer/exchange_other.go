//go:build !linux && !darwin

package installer

import "errors"

// exchange cannot have two paths change places at once here.
func exchange(string, string) error { return errors.ErrUnsupported }
