// Package account is the model of one simulated Twilio account: its numbers, calls, queues and
// recordings, and the transcript of what happens to them. It also sends what Twilio sends by
// itself: status callbacks. What a document makes a call do is in package executor, what people do
// in package phone.
//
// One lock, the Account's, guards everything in it. Methods whose name ends in Locked want it held;
// so do reads and writes of the fields that say so. A goroutine that waits uses Account.Await: it
// is woken whenever the call it waits for changes.
//
//	account.go    Config, Account; waiting
//	behaviour.go  switches for what Twilio does not document
//	sid.go        SIDs, dates, telephone numbers, places
//	number.go     the account's numbers
//	events.go     what happens, as events of the transcript
//	violation.go  what the program under test did wrong
//	call.go       one call: status, interruption, end
//	bridge.go     a conversation of two calls
//	queue.go      queues and who waits in them
//	recording.go  recordings and their callbacks
//	sound.go      what is said and what a recording holds
//	webhook.go    requests about a call, and what comes of them
//	callback.go   status callbacks
package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/fault"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// Defaults of an account, for demonstrations and tests. twilio-go accepts alphanumeric credentials
// alone.
const (
	DefaultAccountSid = "AC00000000000000000000000000000001"
	DefaultAuthToken  = "simulatedauthtoken00000000000001"
	DefaultAPIKey     = "SK00000000000000000000000000000001"
	DefaultAPISecret  = "simulatedapisecret00000000000001"
)

// Config says which account a simulator has, which numbers, and how Twilio behaves. The zero value
// works.
type Config struct {
	// AccountSid (AC…), AuthToken, APIKey (SK…) and APISecret are the account's credentials; see
	// the defaults.
	AccountSid, AuthToken, APIKey, APISecret string
	// Credentials are further user names (AC… or SK…) and passwords that the REST API accepts.
	Credentials map[string]string
	// AnyCredentials accepts every user name and password, and every account in a path: for
	// demonstrations.
	AnyCredentials bool
	// MainAPIKey lets the API key read /Accounts as well. Default: it is a Standard key, which may
	// not (401, 20003).
	MainAPIKey bool
	// Region in which the account's credentials, numbers and calls are: us1 (default), ie1, au1 or
	// jp1.
	Region string
	// Numbers of the account. Sim.AddNumber adds more.
	Numbers []Number
	// VerifiedCallerIDs are numbers that calls may show besides the account's own.
	VerifiedCallerIDs []string
	// Clock of everything that takes time; default the machine's.
	Clock clock.Clock
	// Transport carries webhooks and media requests; default one without kept connections.
	Transport http.RoundTripper
	// PatienceFloor is the least real time before a webhook is given up, however fast the clock
	// runs. Default 3s.
	PatienceFloor time.Duration
	// Logger gets every event at debug level; nil: none.
	Logger *slog.Logger
	// Behaviour holds what Twilio does not document.
	Behaviour Behaviour
	// Lenient makes what the program does wrong an event, but no violation.
	Lenient bool
	// SpeechPerCharacter is how long a character takes to speak. Default 60ms.
	SpeechPerCharacter time.Duration
	// AudioLength is taken for sound files whose length is unknown. Default 10s.
	AudioLength time.Duration
	// CallsPerSecond is how many calls POST /Calls starts a second; 0: 1, as for a new account.
	// Negative: no limit.
	CallsPerSecond float64
	// MaxConcurrentREST is how many REST requests are served at once, more get 429; 0: no limit.
	MaxConcurrentREST int
	// OpenMedia serves recordings without credentials. Default: the account enforces HTTP
	// authentication on media URLs.
	OpenMedia bool
	// EventLimit is how many events are kept, of all calls together; older ones are dropped.
	// Default 100,000.
	EventLimit int
	// Places of telephone numbers, where the built-in ones are not wanted.
	Places map[string]Place
	// Page, when not nil, is served at / instead of the plain page.
	Page http.Handler
}

// withDefaults fills what the configuration leaves open and checks the rest.
func (c Config) withDefaults() (Config, error) {
	orDefault(&c.AccountSid, DefaultAccountSid)
	orDefault(&c.AuthToken, DefaultAuthToken)
	orDefault(&c.APIKey, DefaultAPIKey)
	orDefault(&c.APISecret, DefaultAPISecret)
	orDefault(&c.Region, "us1")
	if _, ok := RegionEdges[c.Region]; !ok {
		return c, fmt.Errorf("region %q: want us1, ie1, au1 or jp1", c.Region)
	}
	if !IsSid("AC", c.AccountSid) {
		return c, fmt.Errorf("account SID %q: want AC and 32 hexadecimal digits", c.AccountSid)
	}
	for name, v := range map[string]string{"auth token": c.AuthToken, "API key": c.APIKey, "API secret": c.APISecret} {
		if !alphanumeric.MatchString(v) {
			return c, fmt.Errorf("%s: want letters and digits alone, as Twilio's clients do", name)
		}
	}
	if c.Clock == nil {
		c.Clock = clock.System()
	}
	orDefault(&c.PatienceFloor, 3*time.Second)
	orDefault(&c.SpeechPerCharacter, 60*time.Millisecond)
	orDefault(&c.AudioLength, 10*time.Second)
	orDefault(&c.CallsPerSecond, 1)
	orDefault(&c.EventLimit, 100_000)
	c.Behaviour = c.Behaviour.withDefaults()
	if c.Transport == nil {
		c.Transport = webhook.DefaultTransport()
	}
	return c, nil
}

func orDefault[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}

// Account is one simulated Twilio account in one region. Its methods may be used from several
// goroutines.
type Account struct {
	// Config, Clock and Context do not change. Context ends when the account is closed.
	Config  Config
	Clock   clock.Clock
	Context context.Context
	// Faults disturb requests in both directions.
	Faults *fault.List

	webhooks *webhook.Client
	log      *transcript.Log
	cancel   context.CancelFunc
	spawning sync.Mutex // held while running grows, so that it never grows while Close waits
	running  sync.WaitGroup

	// Mutex guards what follows.
	sync.Mutex
	// Calls, Queues, Recordings and Numbers are all there are, oldest first.
	Calls      []*Call
	Queues     []*Queue
	Recordings []*Recording
	Numbers    []*Number

	closed     bool
	callBySid  map[string]*Call
	violations []Violation
	allowed    map[int]bool
}

// New returns an account. It fails if the configuration names a credential that Twilio's clients
// would refuse, an unknown region or a malformed telephone number.
func New(cfg Config) (*Account, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	a := &Account{
		Config: cfg, Clock: cfg.Clock, Faults: &fault.List{}, callBySid: map[string]*Call{},
		log: transcript.NewLog(cfg.EventLimit), allowed: map[int]bool{},
	}
	a.Context, a.cancel = context.WithCancel(context.Background())
	a.webhooks = &webhook.Client{
		AuthToken: cfg.AuthToken, Transport: cfg.Transport, Clock: cfg.Clock, PatienceFloor: cfg.PatienceFloor,
		SignHTTPSPort: cfg.Behaviour.SignHTTPSPort, Faults: a.Faults, Context: a.Context, Go: a.Go,
		NewToken: func() string { return NewSid("") },
	}
	for _, n := range cfg.Numbers {
		if _, err := a.AddNumber(n); err != nil {
			a.cancel()
			return nil, err
		}
	}
	return a, nil
}

// Close ends every call without further requests and waits for what is running.
func (a *Account) Close() {
	a.Lock()
	a.closed = true
	for _, c := range a.Calls {
		c.NotifyLocked()
	}
	a.Unlock()
	a.spawning.Lock()
	a.cancel()
	a.spawning.Unlock()
	a.running.Wait()
	if t, ok := a.Config.Transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// IsClosed reports whether Close was called.
func (a *Account) IsClosed() bool { return a.Context.Err() != nil }

// Go runs f in a goroutine, and Close waits for it; after Close nothing is started.
func (a *Account) Go(f func()) {
	a.spawning.Lock()
	defer a.spawning.Unlock()
	if a.IsClosed() {
		return
	}
	a.running.Add(1)
	go func() {
		defer a.running.Done()
		f()
	}()
}

// ErrClosed ends what runs when the account is closed.
var ErrClosed = errors.New("the simulator is closed")

// Await waits until done, called with the lock held, is true; it is asked again whenever c changes.
// Await reports false if the deadline (zero: none) passed, or the account was closed.
func (a *Account) Await(c *Call, deadline time.Time, done func() bool) bool {
	for {
		a.Lock()
		if done() {
			a.Unlock()
			return true
		}
		changed, closed := c.changed, a.closed
		a.Unlock()
		if closed {
			return false
		}
		var expired <-chan time.Time
		stop := func() bool { return true }
		if !deadline.IsZero() {
			left := deadline.Sub(a.Clock.Now())
			if left <= 0 {
				return false
			}
			timer := a.Clock.NewTimer(left)
			expired, stop = timer.C, timer.Stop
		}
		select {
		case <-changed:
		case <-expired:
		case <-a.Context.Done():
		}
		stop()
	}
}

// Sleep waits d; it reports false if the account was closed.
func (a *Account) Sleep(d time.Duration) bool { return clock.Sleep(a.Context, a.Clock, d) == nil }
