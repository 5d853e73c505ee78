package people

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Config is what People is made of. All fields are required unless said otherwise. What is nil or
// zero switches a way to log in off.
type Config struct {
	Store store.People
	// File has the accounts; nil: there are none.
	File *switchboardfile.Source
	// Token is the API token of the settings; TokenOff refuses it at the login and in the API.
	Token     string
	TokenOff  bool
	PublicURL *url.URL
	// Mailer sends links to log in with; nil: nobody can log in by mail.
	Mailer engine.Mailer
	OpenID OpenID // zero: there is no provider
	// Pages makes and reads the links in pages; nil: there are none.
	Pages     *PageLinks
	Attempts  *httpkit.Attempts // wrong tokens
	KeepAudit time.Duration     // how long lines of the audit are kept; 0: for ever
	Clock     clock.Clock
	Log       *slog.Logger
}

// People says who uses the host. See the package. Its methods may be called by many requests at
// once; Run must run beside them.
type People struct {
	cfg     Config
	key     []byte        // of the ids of logins with the API token
	mails   chan string   // addresses to which a link is to be sent
	sending chan struct{} // has one for each mail that is being sent
	openID  *openID       // nil: there is none
	heard   recentlyHeard // what the audit has heard

	mu    sync.Mutex
	ended chan struct{} // closed when a login ends
	// Links that may be open and were not sent, as far as is known.
	notSent []store.OneTime
}

// New makes a People. Nothing is started, and no provider is asked. Run does the work.
func New(cfg Config) *People {
	p := &People{cfg: cfg, mails: make(chan string, mailQueue), sending: make(chan struct{}, mailsAtOnce)}
	// Derived and not the token itself, which is used elsewhere.
	p.key = derived([]byte(cfg.Token), "login session")
	if cfg.OpenID.Issuer != "" {
		p.openID = newOpenID(cfg)
	}
	return p
}

// account finds the account of an e-mail address; nil if there is none. The file in force is read
// each time, so that a change of it counts with the next request.
func (p *People) account(email string) *switchboardfile.Account {
	if email == "" || p.cfg.File == nil {
		return nil
	}
	return p.cfg.File.File().Account(email)
}

// Accounts are those of the switchboard file.
func (p *People) Accounts() []switchboardfile.Account {
	if p.cfg.File == nil {
		return nil
	}
	return p.cfg.File.File().Accounts()
}

// OnlyLooks reports whether the accounts of a platform's user leave actions to others. It matters
// where a token acts in the user's name: the token may do more, but a viewer must not be on record
// as having done it. Of several accounts of one user the one that may do most counts. An account
// that names no user is that of the user with its address.
func (p *People) OnlyLooks(u integration.User) bool {
	looks := false
	for _, a := range p.Accounts() {
		if a.User != u.ID && (a.User != "" || u.Email == "" || switchboardfile.Mailbox(a.Email) != switchboardfile.Mailbox(u.Email)) {
			continue
		}
		if Role(a.Role) != Viewer {
			return false
		}
		looks = true
	}
	return looks
}

// Times of what runs beside the requests. They are real even where a test has another clock.
const (
	lookEvery  = 2 * time.Second // for people who have left the switchboard file
	sweepEvery = time.Hour       // for what is kept too long
)

// Run sends links by mail, ends the logins of people who leave the switchboard file, and removes
// old lines of the audit, until ctx ends. It returns ctx's error, after what is being sent has been
// given up.
func (p *People) Run(ctx context.Context) error {
	var working sync.WaitGroup
	defer working.Wait()
	working.Go(func() { p.sendLinks(ctx) })
	look, sweep := time.NewTicker(lookEvery), time.NewTicker(sweepEvery)
	defer look.Stop()
	defer sweep.Stop()
	p.sweep(ctx)
	// The file that was last looked at; a failed look is repeated after two seconds.
	var seen *switchboardfile.File
	for {
		if p.cfg.File != nil && p.cfg.File.File() != seen {
			if now := p.cfg.File.File(); p.endGone(ctx) == nil {
				seen = now
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		case <-sweep.C:
			p.sweep(ctx)
		}
	}
}

// sweep removes lines of the audit that have been kept long enough. It also runs at the start, as a
// host may never live for an hour.
func (p *People) sweep(ctx context.Context) {
	if p.cfg.KeepAudit <= 0 {
		return
	}
	if _, err := p.cfg.Store.ExpireAudit(ctx, p.cfg.Clock.Now().Add(-p.cfg.KeepAudit)); err != nil && ctx.Err() == nil {
		p.cfg.Log.WarnContext(ctx, "old lines of the audit cannot be removed; they are in an hour", "error", err.Error())
	}
}
