package app

import (
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

// maxLookups is how many requests for calls that are not proven run at once for one account.
// Anybody can make us look a call or its recording up, and Twilio, or a network that hangs, may
// take its time.
const maxLookups = 5

// lookups counts the look-ups under way, by account. Its zero value is ready. It is lost with the
// process, which is right: the look-ups end with it.
type lookups struct {
	// mu protects running. Nothing slow happens under it.
	mu      sync.Mutex
	running map[string]int
}

// asks reports whether tasks of a kind only ask Twilio for something. Only they can be caused by a
// request that nothing proves.
func asks(kind string) bool {
	return kind == taskLookCall || kind == taskFetch || kind == taskLookRecordings
}

// crowded is what comes of a task that found too many others under way. A recording is fetched when
// the host tries again; whether to ask again for the rest, the call flow decides.
func crowded(kind string) (integration.TaskResult, error) {
	const why = "too many calls are being looked up"
	if kind == taskFetch {
		return integration.TaskResult{}, integration.Errorf(integration.KindUnavailable, why)
	}
	return done(result{Result: event.Failed, Busy: true, Detail: why}), nil
}

// enter counts one more look-up of an account; false where there are as many as may be. Who entered
// must leave. It never waits: a task that waited here would keep a worker of the host.
func (l *lookups) enter(account string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running[account] >= maxLookups {
		return false
	}
	if l.running == nil {
		l.running = map[string]int{}
	}
	l.running[account]++
	return true
}

// leave takes one back. An account without look-ups has no entry, so the map does not grow with the
// accounts ever seen.
func (l *lookups) leave(account string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running[account]--; l.running[account] == 0 {
		delete(l.running, account)
	}
}
