package sharing

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

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
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
// notifying within a commit would make the commits of all hosts wait for one another. A notice may
// be lost, and the same one may come once for several: whoever relies on it also looks now and
// then. It only makes others look earlier; nothing depends on it.
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

// NewNotices makes the notices of a host, of which from is the name. They take the server's own
// address, see [sqldb.Direct]: a connection that a pooler hands out by the transaction cannot
// listen. A file has no notices: unsupported.
func NewNotices(db *sqldb.DB, from string, log *slog.Logger) (*Notices, error) {
	config, err := db.Directly()
	if err != nil {
		return nil, err
	}
	return &Notices{config: config, from: from, log: log, waiting: map[string]bool{}, some: make(chan struct{}, 1)}, nil
}

// Send says something to the other hosts. It never waits, and says the same thing once if it has
// not been sent yet. More than noticesKept, or a very long one, is dropped.
func (n *Notices) Send(notice string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) >= noticesKept || len(notice) > noticeBytes/2 {
		return
	}
	n.waiting[notice] = true
	n.awake()
}

// awake says that there may be notices to send.
func (n *Notices) awake() {
	select {
	case n.some <- struct{}{}:
	default:
	}
}

// Run sends what Send was given and calls hear with what other hosts say, and once with "" whenever
// it has begun to listen: something may have been lost before. It returns ctx's error when ctx
// ends. hear is called on Run's goroutine and must not wait.
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

// listen uses one connection until it is lost. heard is called once listening has begun, before any
// notice.
func (n *Notices) listen(ctx context.Context, hear func(string), heard func()) error {
	connecting, cancel := context.WithTimeout(ctx, noticeTime)
	defer cancel()
	conn, err := pgx.ConnectConfig(connecting, n.config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(connecting)) }()
	pooled, err := sqldb.IsPooled(connecting, conn)
	if err != nil {
		return err
	}
	// A pooler would lend the connection that listens to others; [HostLock] says what this host is
	// without.
	if !pooled {
		if _, err := conn.Exec(connecting, "listen "+noticeName); err != nil {
			return err
		}
	}
	heard()
	hear("")
	return n.carry(ctx, pgConnection{conn}, hear)
}

// connection is what notices need of one to the server. Tests have one without a server.
type connection interface {
	// hear waits for a notice. An error that is ctx's leaves the connection as it is.
	hear(ctx context.Context) (message string, err error)
	// send notifies, of all messages at once.
	send(ctx context.Context, messages []string) error
	// closed reports whether the connection is lost.
	closed() bool
}

// pgConnection is a connection of pgx, used by one goroutine at a time.
type pgConnection struct{ *pgx.Conn }

func (c pgConnection) hear(ctx context.Context) (string, error) {
	got, err := c.WaitForNotification(ctx)
	if err != nil {
		return "", err
	}
	return got.Payload, nil
}

func (c pgConnection) send(ctx context.Context, messages []string) error {
	_, err := c.Exec(ctx, "select pg_notify($1, m) from unnest($2::text[]) m", noticeName, messages)
	return err
}

func (c pgConnection) closed() bool { return c.IsClosed() }

// carry hears and sends until the connection is lost. What was to be sent then is sent on the next
// one: it may have been sent on this one, which does no harm. Hearing is interrupted to send, as a
// connection does one thing at a time.
func (n *Notices) carry(ctx context.Context, conn connection, hear func(string)) error {
	n.awake() // of what the connection before has left
	// The pause gathers what is said in quick succession into one message.
	for next := time.Now(); ; {
		if err := n.wait(ctx, conn, time.Until(next), hear); err != nil {
			return err
		}
		all := n.take()
		if len(all) == 0 {
			continue
		}
		sending, cancel := context.WithTimeout(ctx, noticeTime)
		err := conn.send(sending, n.messages(all))
		cancel()
		if err != nil {
			for _, notice := range all {
				n.Send(notice)
			}
			return err
		}
		next = time.Now().Add(noticePause)
	}
}

// wait hears notices until there is something to send, and at least for a time. nil: there may be
// something to send. An error is the connection's, or ctx's.
func (n *Notices) wait(ctx context.Context, conn connection, least time.Duration, hear func(string)) error {
	waiting, wake := context.WithCancel(ctx)
	defer wake()
	done := make(chan struct{})
	// The goroutine must be gone before the caller takes what n.some was for.
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
		got, err := conn.hear(waiting)
		if err != nil {
			// Interrupted by ourselves, and the connection is as good as before.
			if waiting.Err() != nil && ctx.Err() == nil && !conn.closed() {
				return nil
			}
			return errors.Join(ctx.Err(), err)
		}
		var said notices
		// Our own notices come back as well; anything else on the channel is not ours.
		if json.Unmarshal([]byte(got), &said) == nil && said.From != n.from {
			for _, notice := range said.Of {
				hear(notice)
			}
		}
	}
}

// take returns what waits to be sent. Sorted, so that equal notices make equal messages.
func (n *Notices) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := slices.Sorted(maps.Keys(n.waiting))
	clear(n.waiting)
	return all
}

// messages puts notices into as few messages as hold them. A notice that does not fit even alone is
// left out.
func (n *Notices) messages(all []string) (messages []string) {
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
