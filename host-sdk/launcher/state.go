package launcher

import (
	"sync"
	"time"
)

// State is where a plugin stands.
type State string

// The states.
const (
	StateStarting State = "starting" // a process is being started
	StateReady    State = "ready"    // a process answers
	// A process is there but missed a health check; calls still go to it.
	StateUnhealthy State = "unhealthy"
	// The process is gone; the next start is at Status.NextStart.
	StateBackingOff State = "backing_off"
	StateFailed     State = "failed"   // gone too often; started slowly, or by Restart
	StateStopping   State = "stopping" // being stopped by the host
	StateStopped    State = "stopped"  // for good
)

// Status is what the host can know of its plugin.
type Status struct {
	Plugin    string // id, from the manifest
	Version   string // of the manifest in use
	State     State
	Since     time.Time // of State
	PID       int       // of the current process; 0 = none
	Restarts  int       // processes started after the first
	NextStart time.Time // backing_off and failed: when the next start is tried
	LastError string    // why the last process or start was lost; "" if none was
}

// notifier hands statuses to the host in their order, outside the plugin's lock. The host's
// function may take locks of its own or call the plugin, so calling it under the plugin's lock
// could block both for ever.
type notifier struct {
	call func(Status)

	mu      sync.Mutex
	queue   []Status
	running bool
	idle    sync.WaitGroup
}

// notify queues a status and returns at once: the caller holds the plugin's lock.
func (n *notifier) notify(s Status) {
	if n.call == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.queue = append(n.queue, s)
	if !n.running {
		n.running = true
		n.idle.Go(n.deliver)
	}
}

// deliver hands statuses on, one after the other, until there are none. It ends when the queue is
// empty, so a plugin whose status does not change needs no goroutine.
func (n *notifier) deliver() {
	for {
		n.mu.Lock()
		if len(n.queue) == 0 {
			n.running = false
			n.mu.Unlock()
			return
		}
		s := n.queue[0]
		n.queue = n.queue[1:]
		n.mu.Unlock()
		n.call(s)
	}
}
