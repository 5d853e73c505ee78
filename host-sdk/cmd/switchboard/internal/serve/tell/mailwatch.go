package tell

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// mailEvery is how long the mail server may go without having been spoken to, on the wall clock: a
// server that is down is noticed before the night in which it is needed.
const mailEvery = 5 * time.Minute

// mailAgain is how often a server that could not be used is asked whether it can be now.
const mailAgain = time.Minute

// MailServer sends mails and can be asked whether it would, such as a mail.Sender.
type MailServer interface {
	engine.Mailer
	// Check signs in and leaves again without sending anything.
	Check(ctx context.Context) error
}

// What a mail is for, as a label of its metrics.
const (
	MailOfCall = "message" // what a call's outcome sends, such as a voicemail message
	MailOfPage = "page"    // tells people on call of an alert
	MailOfLink = "login"   // a link to log in with
)

// MailWatch stands before the mail server: it counts attempts, and knows whether the server
// answered lately. A nil *MailWatch stands for no mail server. Its mails and its own questions
// count alike.
type MailWatch struct {
	server   MailServer
	clock    clock.Clock
	attempts *prometheus.CounterVec

	// mu protects the rest.
	mu      sync.Mutex
	spoken  time.Time // when the server was last spoken to, on the wall clock
	failure error     // of the last time; nil: it answered
	since   time.Time // when the failures began, on the host's clock
}

// NewMailWatch watches a mail server.
func NewMailWatch(server MailServer, c clock.Clock) *MailWatch {
	w := &MailWatch{server: server, clock: c, attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "switchboard_mail_attempts_total",
		Help: "Attempts to send a mail to one address, by purpose (message: of a call; page: to people on call; login: a link to log in) and result (sent, refused: this mail, now or for good; failed: the server cannot be used).",
	}, []string{"purpose", "result"})}
	for _, purpose := range []string{MailOfCall, MailOfPage, MailOfLink} {
		for _, result := range []string{"sent", "refused", "failed"} {
			// From the start, so that the first failure is a rise.
			w.attempts.WithLabelValues(purpose, result)
		}
	}
	return w
}

// purposeMailer sends through a watch.
type purposeMailer struct {
	watch   *MailWatch
	purpose string
}

// Mailer sends mails for one purpose; nil without a mail server. nil is an untyped nil, so that
// callers can compare.
func (w *MailWatch) Mailer(purpose string) engine.Mailer {
	if w == nil {
		return nil
	}
	return purposeMailer{w, purpose}
}

// Send implements engine.Mailer.
func (m purposeMailer) Send(ctx context.Context, mail engine.OutgoingMail) error {
	err := m.watch.server.Send(ctx, mail)
	result := "sent"
	switch {
	case err == nil:
	case refusesTheMailAlone(err):
		result = "refused"
	default:
		result = "failed"
	}
	// A server that refuses one mail has answered: it is well.
	if result == "failed" {
		m.watch.note(err)
	} else {
		m.watch.note(nil)
	}
	m.watch.attempts.WithLabelValues(m.purpose, result).Inc()
	return err
}

// refusesTheMailAlone reports whether the server is well and refuses this mail, now or for good. Of
// the refusals for now, 421 says that the server itself is not available (RFC 5321), and 454 that
// TLS is not (RFC 3207); a 5xx that is not about the mail is about the server or our account. An
// error without a kind is one of the connection.
func refusesTheMailAlone(err error) bool {
	var e *integration.Error
	if !errors.As(err, &e) {
		return false
	}
	forNow := strings.HasPrefix(e.Code, "4") && e.Code != "421" && e.Code != "454"
	return e.Kind == integration.KindInvalid || e.Kind == integration.KindUnavailable && forNow
}

// Collector counts the attempts for metrics.
func (w *MailWatch) Collector() prometheus.Collector { return w.attempts }

// note remembers what came of speaking to the server. nil: it answered.
func (w *MailWatch) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && w.failure == nil {
		w.since = w.clock.Now()
	}
	w.failure, w.spoken = err, time.Now()
}

// Check says whether the server answered when it was last spoken to. It asks nobody.
func (w *MailWatch) Check() health.Check {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failure != nil {
		return health.Check{State: health.StateDegraded, Message: "The mail server cannot be used, so pages and messages reach nobody by mail: " + wording.Sentence(wording.Plain(w.failure)), Since: w.since}
	}
	if w.spoken.IsZero() {
		return health.OK("The mail server has not been asked yet.")
	}
	return health.OK("The mail server answered when it was last asked.")
}

// Run speaks to the server from time to time until ctx ends, unless mails do. It returns ctx's
// error. While the server cannot be used it is asked each minute.
func (w *MailWatch) Run(ctx context.Context) error {
	tick := time.NewTicker(mailAgain)
	defer tick.Stop()
	for {
		w.mu.Lock()
		// Mails that are sent prove as much as asking does.
		due := time.Since(w.spoken) >= mailEvery || w.failure != nil
		w.mu.Unlock()
		if due {
			ask, cancel := context.WithTimeout(ctx, time.Minute)
			err := w.server.Check(ask)
			cancel()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			w.note(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
