// Package backoff says how long to wait before something that failed is tried again.
package backoff

import (
	"math/rand/v2"
	"time"
)

// After doubles from first to limit, give or take a fifth: after an outage not everything comes
// back in the same instant.
func After(attempt int, first, limit time.Duration) time.Duration {
	d := limit
	if attempt < 30 {
		d = min(limit, first<<max(0, attempt-1))
	}
	return d*4/5 + rand.N(d*2/5+1) // #nosec G404 -- jitter
}
