package alerts

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// unreached are the ways by which the last notice did not reach its person or channel.
type unreached struct {
	mu    sync.Mutex
	byWay map[unreachedKey]string
}

// unreachedKey is a way of a person or of a team. email is the address of wayMail then: with another
// one it is another way.
type unreachedKey struct{ person, team, way, email string }

func (n notice) key() unreachedKey {
	k := unreachedKey{person: n.person, team: n.team, way: n.way}
	if n.way == wayMail {
		k.email = n.User.Email
	}
	return k
}

func (u *unreached) add(n notice, to *recipient, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.byWay == nil {
		u.byWay = map[unreachedKey]string{}
	}
	who := to.name
	if n.team != "" {
		who = "The channel of " + to.name
	}
	u.byWay[n.key()] = fmt.Sprintf("%s is not reached %s (%s): %s", who, to.by, plainReason(err), to.remedy)
}

func (u *unreached) forget(n notice) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.byWay, n.key())
}

// plainReason is an error's message in one line, without its kind.
func plainReason(err error) string {
	var e *integration.Error
	if errors.As(err, &e) {
		return oneline.Clean(e.Message, 300)
	}
	return oneline.Clean(err.Error(), 300)
}

// Findings implements platform.Finder: people and channels whom the last notice did not reach.
// Those whose address has changed since, or who are gone from the file, are left out.
func (s *Service) Findings() []string {
	s.unreached.mu.Lock()
	defer s.unreached.mu.Unlock()
	var out []string
	for key, text := range s.unreached.byWay {
		if s.sameWay(key) {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return out
}
