package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// unreached are the ways by which the last notice did not reach its person or channel: those in the
// table, as far as this process has read them, sent them or heard of them. It is asked by each page
// that shows findings, so it is kept in memory.
type unreached struct {
	mu    sync.Mutex
	byWay map[unreachedKey]string
}

// unreachedKey is a way of a person or of a team. email is the address of wayMail then: with
// another one it is another way.
type unreachedKey struct{ person, team, way, email string }

// reach is what processes tell one another of a way. Text says why it reaches nobody; "": it does.
// It is JSON, as a later release may add members while both run.
type reach struct {
	Person string `json:"person,omitempty"`
	Team   string `json:"team,omitempty"`
	Way    string `json:"way"`
	Email  string `json:"email,omitempty"`
	Text   string `json:"text,omitempty"`
}

// key names the way of a notice, with the address that it was just sent to.
func (n notice) key() unreachedKey {
	k := unreachedKey{person: n.person, team: n.team, way: n.way}
	if n.way == wayMail {
		k.email = n.User.Email
	}
	return k
}

// notReached says whom a notice that was given up did not reach, and what to do. The text is shown
// as a finding, so it says what to do.
func notReached(n notice, to *recipient, err error) string {
	who := to.name
	if n.team != "" {
		who = "The channel of " + to.name
	}
	// The reason begins with the name of the service, which is said already.
	reason := strings.TrimPrefix(plainReason(err), strings.TrimPrefix(to.by, "by ")+" ")
	return fmt.Sprintf("%s is not reached %s (%s): %s", who, to.by, reason, to.remedy)
}

// note takes down what became of the last notice by a way, and reports whether that is new. text is
// as in [reach]. Only what is new is stored: a channel that is down for an hour fails many times.
func (u *unreached) note(key unreachedKey, text string) (isNew bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	before := u.byWay[key]
	if text == "" {
		delete(u.byWay, key)
		return before != ""
	}
	if u.byWay == nil {
		u.byWay = map[unreachedKey]string{}
	}
	u.byWay[key] = text
	return before != text
}

const (
	readUnreached = "select person, team, way, email, reason from embedded_unreached"
	putUnreached  = "insert into embedded_unreached (person, team, way, email, reason) values ($1, $2, $3, $4, $5) " +
		"on conflict (person, team, way, email) do update set reason = excluded.reason"
	deleteUnreached = "delete from embedded_unreached where person = $1 and team = $2 and way = $3 and email = $4"
)

// loadUnreached reads what was not reached before this process began. What is gone from the file is
// forgotten.
func (s *Service) loadUnreached(ctx context.Context) error {
	rows, err := s.db.Read().QueryContext(ctx, readUnreached)
	if err != nil {
		return sqldb.Error("read who was not reached", err)
	}
	defer func() { _ = rows.Close() }()
	var gone []unreachedKey
	for rows.Next() {
		var key unreachedKey
		var text string
		if err := rows.Scan(&key.person, &key.team, &key.way, &key.email, &text); err != nil {
			return sqldb.Error("read who was not reached", err)
		}
		if !s.uses(key.way) { // such as a command's process: what hosts found stays theirs
			continue
		}
		if !s.sameWay(key) {
			gone = append(gone, key)
			continue
		}
		s.unreached.note(key, text)
	}
	if err := rows.Err(); err != nil {
		return sqldb.Error("read who was not reached", err)
	}
	for _, key := range gone {
		if err := s.keepReach(ctx, key, ""); err != nil {
			return err
		}
	}
	return nil
}

// keepReach stores what became of the last notice by a way. A host that dies afterwards has not
// told the others; the next notice puts that right.
func (s *Service) keepReach(ctx context.Context, key unreachedKey, text string) error {
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		var err error
		if text == "" {
			_, err = tx.ExecContext(ctx, deleteUnreached, key.person, key.team, key.way, key.email)
		} else {
			_, err = tx.ExecContext(ctx, putUnreached, key.person, key.team, key.way, key.email, text)
		}
		return sqldb.Error("note who was not reached", err)
	})
}

// noteReach is note that is stored, and tells the other processes: a person may be reached again by
// another one.
func (s *Service) noteReach(ctx context.Context, key unreachedKey, text string) {
	changed := s.unreached.note(key, text)
	// Another process may have stored a finding of which this one has not heard.
	if changed || text == "" && s.cfg.Tell != nil {
		if err := s.keepReach(ctx, key, text); err != nil {
			s.logFailure(ctx, "who was not reached cannot be stored; it is forgotten with the next start", err)
		}
	}
	if s.cfg.Tell == nil {
		return
	}
	if notice, err := json.Marshal(reach{key.person, key.team, key.way, key.email, text}); err == nil {
		s.cfg.Tell(string(notice))
	}
}

// Reached notes that something else than a page, such as a test, has reached a person by a way:
// wayMail, or the id of an address. A test that arrives ends a finding without waiting for the next
// page.
func (s *Service) Reached(ctx context.Context, user, way string) {
	u := s.file().User(user)
	if u == nil {
		return
	}
	key := unreachedKey{person: user, way: way}
	if way == wayMail {
		key.email = u.Email
	}
	s.noteReach(ctx, key, "")
}

// Heard takes a notice of another process; see [Config.Tell]. The text is cleaned, as it goes onto
// pages.
func (s *Service) Heard(notice string) {
	var r reach
	if json.Unmarshal([]byte(notice), &r) == nil && r.Way != "" {
		s.unreached.note(unreachedKey{r.Person, r.Team, r.Way, r.Email}, oneline.Clean(r.Text, 1000))
	}
}

// plainReason is an error's message in one line, without its kind. Errors of senders hold no
// address, so the text may be shown.
func plainReason(err error) string {
	var e *integration.Error
	if errors.As(err, &e) {
		return oneline.Clean(e.Message, 300)
	}
	return oneline.Clean(err.Error(), 300)
}

// Findings implements platform.Finder: people and channels whom the last notice did not reach, also
// one of before the start. Those whose address has changed since, or who are gone from the file,
// are left out.
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
