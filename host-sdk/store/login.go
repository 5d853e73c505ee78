package store

import (
	"context"
	"time"
)

// Logins keeps the logins of browsers, so that one that has ended is over wherever a copy of its
// cookie is.
type Logins interface {
	// BeginLogin keeps a login under an id that nobody can guess (at most 200 bytes) until it ends. An
	// id that is known is a conflict.
	BeginLogin(ctx context.Context, id string, ends time.Time) error
	// Login says when a login ends, which may have passed. Unknown or ended by EndLogin: not_found.
	Login(ctx context.Context, id string) (ends time.Time, err error)
	// EndLogin ends a login. Without effect if there is none.
	EndLogin(ctx context.Context, id string) error
}
