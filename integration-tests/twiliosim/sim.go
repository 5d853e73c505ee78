package twiliosim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// Defaults of an account, for demonstrations and tests. twilio-go accepts alphanumeric credentials alone.
const (
	DefaultAccountSid = "AC00000000000000000000000000000001"
	DefaultAuthToken  = "simulatedauthtoken00000000000001"
	DefaultAPIKey     = "SK00000000000000000000000000000001"
	DefaultAPISecret  = "simulatedapisecret00000000000001"
)

// Config says which account, numbers and manners a Sim has. The zero value works.
type Config struct {
	// AccountSid (AC…), AuthToken, APIKey (SK…) and APISecret are the account's credentials; see the defaults.
	AccountSid, AuthToken, APIKey, APISecret string
	// Credentials are further user names (AC… or SK…) and passwords that the REST API accepts.
	Credentials map[string]string
	// AnyCredentials accepts every user name and password, and every account in a path: for demonstrations.
	AnyCredentials bool
	// MainAPIKey: the API key may read /Accounts as well. Default: a Standard key, which may not (401, 20003).
	MainAPIKey bool
	// Region in which the account's credentials, numbers and calls are: us1 (default), ie1, au1 or jp1.
	Region string
	// Numbers of the account. Sim.AddNumber adds more.
	Numbers []Number
	// VerifiedCallerIDs are numbers that calls may show besides the account's own.
	VerifiedCallerIDs []string
	// Clock of everything that takes time; default the machine's.
	Clock clock.Clock
	// Transport carries webhooks and media requests; default one without kept connections.
	Transport http.RoundTripper
	// PatienceFloor is the least real time before a webhook is given up, however fast the clock runs. Default 3s.
	PatienceFloor time.Duration
	// Logger gets every event at debug level; nil: none.
	Logger *slog.Logger
	// Behaviour holds what Twilio does not document.
	Behaviour Behaviour
	// Lenient: what the program does wrong is an event, but no violation.
	Lenient bool
	// SpeechPerCharacter is how long a character takes to speak. Default 60ms.
	SpeechPerCharacter time.Duration
	// AudioLength is taken for sound files whose length cannot be told. Default 10s.
	AudioLength time.Duration
	// CallsPerSecond is how many calls POST /Calls starts a second; 0: 1, as for a new account. Negative: no limit.
	CallsPerSecond float64
	// MaxConcurrentREST is how many REST requests are served at once, more get 429; 0: no limit.
	MaxConcurrentREST int
	// OpenMedia: recordings can be had without credentials. Default: the account enforces HTTP auth on media URLs.
	OpenMedia bool
	// Places of telephone numbers, where the built-in ones are not wanted.
	Places map[string]Place
	// Page, when not nil, is served at / instead of the plain page.
	Page http.Handler
}

// Sim is one simulated Twilio account in one region, with the telephone network around it. Its methods may be used from
// several goroutines.
type Sim struct {
	cfg     Config
	clock   clock.Clock
	ctx     context.Context
	cancel  context.CancelFunc
	handler http.Handler

	spawning sync.Mutex // held while wg grows, so that it never grows while Close waits
	wg       sync.WaitGroup

	mu         sync.Mutex
	closed     bool
	calls      map[string]*Call
	callOrder  []*Call
	queues     []*queue
	recordings []*recording
	numbers    []*Number
	phones     map[string]*Phone
	events     []Event
	eventAdded chan struct{}
	violations []Violation
	allowed    map[int]bool
	faults     []*Fault
	nextStart  time.Time // when POST /Calls may start the next call
	restActive int
	media      map[string]cachedMedia
}

// New returns a Sim. It fails if the configuration names a credential that Twilio's clients would refuse.
func New(cfg Config) (*Sim, error) {
	def := func(p *string, d string) {
		if *p == "" {
			*p = d
		}
	}
	def(&cfg.AccountSid, DefaultAccountSid)
	def(&cfg.AuthToken, DefaultAuthToken)
	def(&cfg.APIKey, DefaultAPIKey)
	def(&cfg.APISecret, DefaultAPISecret)
	def(&cfg.Region, "us1")
	if _, ok := regionEdges[cfg.Region]; !ok {
		return nil, fmt.Errorf("region %q: want us1, ie1, au1 or jp1", cfg.Region)
	}
	if !sidPattern["AC"].MatchString(cfg.AccountSid) {
		return nil, fmt.Errorf("account SID %q: want AC and 32 hexadecimal digits", cfg.AccountSid)
	}
	for name, v := range map[string]string{"auth token": cfg.AuthToken, "API key": cfg.APIKey, "API secret": cfg.APISecret} {
		if !alphanumeric.MatchString(v) {
			return nil, fmt.Errorf("%s: want letters and digits alone, as Twilio's clients do", name)
		}
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.PatienceFloor == 0 {
		cfg.PatienceFloor = 3 * time.Second
	}
	if cfg.SpeechPerCharacter == 0 {
		cfg.SpeechPerCharacter = 60 * time.Millisecond
	}
	if cfg.AudioLength == 0 {
		cfg.AudioLength = 10 * time.Second
	}
	if cfg.CallsPerSecond == 0 {
		cfg.CallsPerSecond = 1
	}
	cfg.Behaviour = cfg.Behaviour.withDefaults()
	if cfg.Transport == nil {
		cfg.Transport = defaultTransport()
	}
	s := &Sim{
		cfg: cfg, clock: cfg.Clock, calls: map[string]*Call{}, phones: map[string]*Phone{}, eventAdded: make(chan struct{}),
		allowed: map[int]bool{}, media: map[string]cachedMedia{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, n := range cfg.Numbers {
		if _, err := s.AddNumber(n); err != nil {
			s.cancel()
			return nil, err
		}
	}
	s.handler = s.routes()
	return s, nil
}

// Close ends every call without further requests and waits for what is under way.
func (s *Sim) Close() {
	s.mu.Lock()
	s.closed = true
	for _, c := range s.callOrder {
		c.notifyLocked()
	}
	s.mu.Unlock()
	s.spawning.Lock()
	s.cancel()
	s.spawning.Unlock()
	s.wg.Wait()
	if t, ok := s.cfg.Transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// ServeHTTP implements http.Handler: REST, control, page.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// AccountSid of the account.
func (s *Sim) AccountSid() string { return s.cfg.AccountSid }

// Now is the simulator's time.
func (s *Sim) Now() time.Time { return s.clock.Now() }

// Clock is the simulator's clock.
func (s *Sim) Clock() clock.Clock { return s.clock }

// spawn runs f beside, and Close waits for it; after Close nothing is started.
func (s *Sim) spawn(f func()) {
	s.spawning.Lock()
	defer s.spawning.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		f()
	}()
}

var errClosed = errors.New("the simulator is closed")

// await waits until pred, called with s.mu held, is true; it is looked at again whenever c changes. False: the deadline
// (zero: none) passed, or the simulator was closed.
func (s *Sim) await(c *Call, deadline time.Time, pred func() bool) bool {
	for {
		s.mu.Lock()
		if pred() {
			s.mu.Unlock()
			return true
		}
		changed, closed := c.changed, s.closed
		s.mu.Unlock()
		if closed {
			return false
		}
		var fire <-chan time.Time
		stop := func() bool { return true }
		if !deadline.IsZero() {
			left := deadline.Sub(s.clock.Now())
			if left <= 0 {
				return false
			}
			timer := s.clock.NewTimer(left)
			fire, stop = timer.C, timer.Stop
		}
		select {
		case <-changed:
		case <-fire:
		case <-s.ctx.Done():
		}
		stop()
	}
}

// sleep waits d; false if the simulator was closed.
func (s *Sim) sleep(d time.Duration) bool { return clock.Sleep(s.ctx, s.clock, d) == nil }
