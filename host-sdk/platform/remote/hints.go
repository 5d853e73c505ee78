package remote

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// HintsPath is where, below the host's public address, platforms send hints.
const HintsPath = "/platform/hints"

const (
	maxHint   = 64 << 10 // bytes
	maxHinted = 100      // alerts
	// Of the platform, and as many of everybody else together.
	maxPerSecond = 100 // hints
)

// Hints serves HintsPath. The address is public: how often, how much and by whom is decided before
// anything is read as JSON. An id is not remembered, as a repeated hint only makes the host read.
func (p *Platform) Hints() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			refuse(w, http.StatusMethodNotAllowed, "unsupported", "hints are sent with POST")
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHint))
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			refuse(w, http.StatusRequestEntityTooLarge, "invalid", "a hint has at most "+strconv.Itoa(maxHint)+" bytes")
			return
		} else if err != nil {
			refuse(w, http.StatusBadRequest, "invalid", "the body was cut short")
			return
		}
		p.takeHint(w, r.Header, body)
	})
}

// It answers 204 for what it does not know, so that a later type of event does no harm.
func (p *Platform) takeHint(w http.ResponseWriter, h http.Header, body []byte) {
	secrets := p.credentials.Load().secrets
	if len(secrets) == 0 {
		refuse(w, http.StatusUnauthorized, "unauthorized", "this switchboard has no secret to verify hints with")
		return
	}
	// The address is public: strangers must not use up what the platform may send.
	err := verify(secrets, h, body, clock.Wall(p.clock))
	from := &p.rate
	if err != nil {
		from = &p.others
	}
	if !from.allow(time.Now()) {
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, "unavailable", "more than "+strconv.Itoa(maxPerSecond)+" hints in a second: one names up to "+strconv.Itoa(maxHinted)+" alerts")
		return
	}
	p.findings.hintCame(err)
	if err != nil {
		refuse(w, http.StatusUnauthorized, "unauthorized", err.Error())
		return
	}
	var event wire.Event
	if err := json.Unmarshal(body, &event); err != nil {
		refuse(w, http.StatusBadRequest, "invalid", "the body is not as in the OpenAPI document: "+p.clean(err.Error()))
		return
	}
	// Any other type is a later release's.
	if event.Type == wire.EventAlertChanged {
		if n := len(event.Data.Alerts); n < 1 || n > maxHinted {
			refuse(w, http.StatusBadRequest, "invalid", "data.alerts names "+strconv.Itoa(n)+" alerts: 1 to "+strconv.Itoa(maxHinted)+" are taken")
			return
		}
		// Of several hosts the load balancer chose one; the call may be at another.
		p.tell(notice{Alerts: event.Data.Alerts})
		p.watchers.hint(p.hinted(event.Data.Alerts)...)
	}
	w.WriteHeader(http.StatusNoContent)
}

// refuse answers as the platform's own errors look, so that its developers know the form.
func refuse(w http.ResponseWriter, status int, kind, detail string) {
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(wire.Problem{Title: http.StatusText(status), Status: status, Kind: kind, Detail: detail})
}

// rate counts hints by the second. A whole second is one window: simple, and twice the limit at
// worst.
type rate struct {
	mu     sync.Mutex
	second int64
	count  int
}

// It counts what it refuses as well.
func (r *rate) allow(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Unix() != r.second {
		r.second, r.count = now.Unix(), 0
	}
	r.count++
	return r.count <= maxPerSecond
}
