package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Made lists what a client has made, so that a server which others use too can be left as it was.
type Made struct {
	mu  sync.Mutex
	ids map[string][]string // by kind
}

// What Made knows, in the order in which it can be removed: policies are used by services, and so
// on.
const (
	madeKey      = "API key"
	madeService  = "service"
	madePolicy   = "escalationPolicy"
	madeSchedule = "schedule"
	madeRotation = "rotation"
	madeUser     = "user"
)

// AddKey notes an API key that was made in another way.
func (m *Made) AddKey(id string) { m.add(madeKey, id) }

func (m *Made) add(kind, id string) {
	if m == nil || id == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ids == nil {
		m.ids = map[string][]string{}
	}
	m.ids[kind] = append(m.ids[kind], id)
}

// Remove removes what the client has made, the newest first. It goes on after an error, and returns
// all of them.
func (c *Client) Remove(ctx context.Context) error {
	c.Made.mu.Lock()
	defer c.Made.mu.Unlock()
	var failed []error
	for _, kind := range []string{madeKey, madeService, madePolicy, madeSchedule, madeRotation, madeUser} {
		ids := c.Made.ids[kind]
		slices.Reverse(ids)
		for _, id := range ids {
			change := fmt.Sprintf("deleteAll(input:[{id:%s,type:%s}])", text(id), kind)
			if kind == madeKey {
				change = fmt.Sprintf("deleteGQLAPIKey(id:%s)", text(id))
			}
			if err := c.Query(ctx, "mutation{"+change+"}", nil); err != nil {
				failed = append(failed, fmt.Errorf("remove the %s %s: %w", kind, id, err))
			}
		}
	}
	c.Made.ids = nil
	return errors.Join(failed...)
}
