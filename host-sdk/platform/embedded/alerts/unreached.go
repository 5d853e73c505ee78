package alerts

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// unreached are the ways by which the last notice did not reach its person or channel, as far as
// this process has sent it or heard of it.
type unreached struct {
	mu    sync.Mutex
	byWay map[unreachedKey]string
}

// unreachedKey is a way of a person or of a team. email is the address of wayMail then: with
// another one it is another way.
type unreachedKey struct{ person, team, way, email string }

// reach is what processes tell one another of a way. Text says why it reaches nobody; "": it does.
type reach struct {
	Person string `json:"person,omitempty"`
	Team   string `json:"team,omitempty"`
	Way    string `json:"way"`
	Email  string `json:"email,omitempty"`
	Text   string `json:"text,omitempty"`
}

func (n notice) key() unreachedKey {
	k := unreachedKey{person: n.person, team: n.team, way: n.way}
	if n.way == wayMail {
		k.email = n.User.Email
	}
	return k
}

// notReached says whom a notice that was given up did not reach, and what to do.
func notReached(n notice, to *recipient, err error) string {
	who := to.name
	if n.team != "" {
		who = "The channel of " + to.name
	}
	return fmt.Sprintf("%s is not reached %s (%s): %s", who, to.by, plainReason(err), to.remedy)
}

// note takes down what became of the last notice by a way. text is as in [reach].
func (u *unreached) note(key unreachedKey, text string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if text == "" {
		delete(u.byWay, key)
		return
	}
	if u.byWay == nil {
		u.byWay = map[unreachedKey]string{}
	}
	u.byWay[key] = text
}

// noteReach is note that tells the other processes: a person may be reached again by another one.
func (s *Service) noteReach(key unreachedKey, text string) {
	s.unreached.note(key, text)
	if s.cfg.Tell == nil {
		return
	}
	if notice, err := json.Marshal(reach{key.person, key.team, key.way, key.email, text}); err == nil {
		s.cfg.Tell(string(notice))
	}
}

// Heard takes a notice of another process; see [Config.Tell].
func (s *Service) Heard(notice string) {
	var r reach
	if json.Unmarshal([]byte(notice), &r) == nil && r.Way != "" {
		s.unreached.note(unreachedKey{r.Person, r.Team, r.Way, r.Email}, oneline.Clean(r.Text, 1000))
	}
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
