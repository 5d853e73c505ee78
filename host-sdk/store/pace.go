package store

import (
	"context"
	"time"
)

// Paces spaces what several hosts do for the same foreign account.
type Paces interface {
	// TakeTurn takes the next turn of a key if it has come at now: the one after it comes every
	// later. Otherwise it says when it comes, and takes nothing. A zero time means that it was
	// taken.
	TakeTurn(ctx context.Context, key string, now time.Time, every time.Duration) (comes time.Time, err error)
}
