package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Limits of notices.
const (
	noticePause = 50 * time.Millisecond // between two messages of this host: at most 20 a second
	noticeBytes = 7000                  // of one message; the server takes 8000
	noticesKept = 10_000                // that wait to be sent; more are lost
	noticeTime  = 10 * time.Second      // to send one, or to connect
	noticeAgain = 2 * time.Second       // after a lost connection
	noticeName  = "livecall"            // the channel
)

// Notices lets hosts that share a server say to one another what has changed, after their commits:
// notifying within a commit would make the commits of all hosts wait for one another. A notice may be
// lost, and the same one may come once for several: whoever relies on it also looks now and then.
type Notices struct {
	config *pgx.ConnConfig
	from   string
	log    *slog.Logger

	mu      sync.Mutex
	waiting map[string]bool
	some    chan struct{} // has room for one: there are notices to send
}

// notices is what is sent.
type notices struct {
	From string   `json:"from"`
	Of   []string `json:"of"`
}

// Notices makes the notices of a host, of which from is the name. direct is the address of the server
// itself where the database's is that of a pooler which hands out connections by the transaction: those
// cannot listen. "" is the database's. A file has no notices: unsupported.
func (db *DB) Notices(from, direct string, log *slog.Logger) (*Notices, error) {
	config, err := db.directly(direct)
	if err != nil {
		return nil, err
	}
	return &Notices{config: config, from: from, log: log, waiting: map[string]bool{}, some: make(chan struct{}, 1)}, nil
}

// Send says something to the other hosts. It never waits, and says the same thing once if it has not been
// sent yet.
func (n *Notices) Send(notice string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) >= noticesKept || len(notice) > noticeBytes/2 {
		return
	}
	n.waiting[notice] = true
	select {
	case n.some <- struct{}{}:
	default:
	}
}

// Run sends what Send was given and calls hear with what other hosts say, and once with "" whenever it
// has begun to listen: something may have been lost before. It returns ctx's error when ctx ends.
func (n *Notices) Run(ctx context.Context, hear func(notice string)) error {
	for failures := 0; ctx.Err() == nil; failures++ {
		err := n.listen(ctx, hear, func() { failures = 0 })
		if ctx.Err() != nil {
			break
		}
		if failures == 0 {
			n.log.Warn("no notices of other hosts come until the database can be reached again; what they change is seen a little later", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(noticeAgain):
		}
	}
	return ctx.Err()
}

// listen uses one connection until it is lost.
func (n *Notices) listen(ctx context.Context, hear func(string), heard func()) error {
	connecting, cancel := context.WithTimeout(ctx, noticeTime)
	defer cancel()
	conn, err := pgx.ConnectConfig(connecting, n.config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(connecting)) }()
	if _, err := conn.Exec(connecting, "listen "+noticeName); err != nil {
		return err
	}
	heard()
	hear("")
	for next := time.Now(); ; {
		if err := n.wait(ctx, conn, time.Until(next), hear); err != nil {
			return err
		}
		if messages := n.take(); len(messages) > 0 {
			sending, cancel := context.WithTimeout(ctx, noticeTime)
			_, err := conn.Exec(sending, "select pg_notify($1, m) from unnest($2::text[]) m", noticeName, messages)
			cancel()
			if err != nil {
				return err
			}
			next = time.Now().Add(noticePause)
		}
	}
}

// wait hears notices until there is something to send, and at least for a time.
func (n *Notices) wait(ctx context.Context, conn *pgx.Conn, least time.Duration, hear func(string)) error {
	waiting, wake := context.WithCancel(ctx)
	defer wake()
	done := make(chan struct{})
	defer func() { wake(); <-done }()
	go func() {
		defer close(done)
		defer wake()
		select {
		case <-time.After(least):
		case <-waiting.Done():
			return
		}
		select {
		case <-n.some:
		case <-waiting.Done():
		}
	}()
	for {
		got, err := conn.WaitForNotification(waiting)
		if err != nil {
			if waiting.Err() != nil && ctx.Err() == nil && !conn.IsClosed() {
				return nil
			}
			return errors.Join(ctx.Err(), err)
		}
		var said notices
		if json.Unmarshal([]byte(got.Payload), &said) == nil && said.From != n.from {
			for _, notice := range said.Of {
				hear(notice)
			}
		}
	}
}

// take returns the messages of what waits to be sent.
func (n *Notices) take() (messages []string) {
	n.mu.Lock()
	all := slices.Sorted(maps.Keys(n.waiting))
	clear(n.waiting)
	n.mu.Unlock()
	for len(all) > 0 {
		size, count := 0, 0
		for count < len(all) && (count == 0 || size+2*len(all[count]) < noticeBytes) {
			size += len(all[count]) + 8
			count++
		}
		text, err := json.Marshal(notices{n.from, all[:count]})
		if err == nil && len(text) <= noticeBytes {
			messages = append(messages, string(text))
		}
		all = all[count:]
	}
	return messages
}
