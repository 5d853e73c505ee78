package people

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	// linkTime is how long the link works that logs somebody in.
	linkTime = 15 * time.Minute
	// maxLinks is how many links of one account can be open at a time: whoever asks for more of
	// them fills nobody's mailbox, and every one that was sent works.
	maxLinks = 3
	// maxUnsent is how many of an account's links need not count as they were not sent. Anybody may
	// ask for links, and each takes a row of the store and a word with the mail server.
	maxUnsent = 20
	// maxAddress is the longest address of a mailbox in bytes (RFC 5321, 4.5.3.1.3).
	maxAddress = 254

	// A bound, as anybody can ask: beyond it requests are dropped, not kept waiting.
	mailQueue   = 1000 // addresses that wait to be looked up
	mailsAtOnce = 4    // that are being sent; others wait
	// They end well before the link does.
	mailAttempts = 4                // for one link
	mailPause    = 20 * time.Second // between them
)

// LinkPath is where, below the public address, the link leads: the token follows.
const LinkPath = "/login/mail/"

// MailWorks reports whether links are sent by mail.
func (p *People) MailWorks() bool { return p.cfg.Mailer != nil }

// AskLink sends a link to log in to an address, if it is that of an account. The caller learns
// nothing of that, not even by the time that it takes: everything is done later.
func (p *People) AskLink(email string) {
	// It could not be an account's, and would only fill the queue's memory.
	if len(email) > maxAddress {
		return
	}
	// It never waits: waiting would tell how busy the queue is, and hold a request.
	select {
	case p.mails <- email:
	default:
		p.cfg.Log.Warn("a link to log in is not sent: too many wait to be sent")
	}
}

// sendLinks sends links until ctx ends. Each waits for its own pauses: a mailbox that takes no mail
// keeps nobody else from theirs.
func (p *People) sendLinks(ctx context.Context) {
	var working sync.WaitGroup
	defer working.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case email := <-p.mails:
			mail, link, err := p.makeLink(ctx, strings.TrimSpace(email))
			if err == nil && mail.To != "" {
				working.Go(func() { p.sendLink(ctx, mail, link) }) // at most maxLinks of an account
			} else if err != nil && ctx.Err() == nil {
				p.cfg.Log.ErrorContext(ctx, "a link to log in was not sent", "error", err.Error())
			}
		}
	}
}

// makeLink makes a link for an account, and the mail about it. Addresses that are none have no
// mail, and neither has an account with enough of them.
func (p *People) makeLink(ctx context.Context, email string) (mail engine.OutgoingMail, link store.OneTime, err error) {
	a := p.account(email)
	if a == nil || p.cfg.Mailer == nil {
		return mail, link, nil
	}
	now := p.cfg.Clock.Now()
	about := switchboardfile.Mailbox(a.Email)
	if open, err := p.cfg.Store.OpenOneTimes(ctx, about, now); err != nil || open-min(p.unsent(about), maxUnsent) >= maxLinks {
		return mail, link, err
	}
	// 128 bits at least, of which the store gets a hash alone: whoever reads it cannot log in.
	secret := rand.Text()
	link = store.OneTime{ID: hashOf("mail", secret), About: about, Ends: now.Add(linkTime)}
	if err := p.cfg.Store.AddOneTime(ctx, link); err != nil {
		return mail, link, err
	}
	public := strings.TrimRight(p.cfg.PublicURL.String(), "/")
	return engine.OutgoingMail{
		// The same for each attempt, so that a mail that arrives twice is shown once; it does not
		// reveal the secret.
		MessageID: hashOf("mail id", secret)[:32], To: a.Email, Subject: "Log in to Switchboard",
		Text: fmt.Sprintf("Somebody, most likely you, wants to log in to %s as %s.\n\nOpen this address within 15 minutes and press the button:\n\n%s\n\nIt works once. If it was not you, do nothing: nobody can log in without this address.\n",
			public, a.Email, public+LinkPath+secret),
	}, link, nil
}

// sendLink sends the mail with a link, and again after a pause if it is not taken.
func (p *People) sendLink(ctx context.Context, mail engine.OutgoingMail, link store.OneTime) {
	for attempt := 1; ; attempt++ {
		p.sending <- struct{}{}
		err := p.cfg.Mailer.Send(ctx, mail)
		<-p.sending
		if err == nil || ctx.Err() != nil {
			return
		}
		if integration.KindOf(err).Final() || attempt == mailAttempts {
			p.giveUp(link)
			p.cfg.Log.ErrorContext(ctx, "a link to log in was not sent", "error", err.Error())
			return
		}
		if clock.Sleep(ctx, p.cfg.Clock, mailPause) != nil {
			return
		}
	}
}

// giveUp notes that a link of an account was not sent, so that it does not keep the next one from
// being sent. It works nevertheless: a mail server that answers too late may have taken it.
func (p *People) giveUp(link store.OneTime) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notSent = append(p.notSent, link)
}

// arrived notes that a link was used: if it was not sent as far as is known, its mail has come
// after all.
func (p *People) arrived(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notSent = slices.DeleteFunc(p.notSent, func(link store.OneTime) bool { return link.ID == id })
}

// unsent is how many links of an account that may be open were not sent.
func (p *People) unsent(about string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Clock.Now()
	p.notSent = slices.DeleteFunc(p.notSent, func(link store.OneTime) bool { return !now.Before(link.Ends) })
	for _, link := range p.notSent {
		if link.About == about {
			n++
		}
	}
	return n
}

// LinkProblem says why a link cannot be used, in a sentence with the remedy; "": it can. Nothing is
// used up by asking. It is shown before the button, so that people need not press it to find out.
func (p *People) LinkProblem(ctx context.Context, secret string) (string, error) {
	o, err := p.cfg.Store.OneTime(ctx, hashOf("mail", secret))
	return p.linkProblem(o, err)
}

// linkProblem is LinkProblem for what the store has returned. A link that is over is kept for a
// day, so that the reason can be said.
func (p *People) linkProblem(o store.OneTime, err error) (string, error) {
	switch {
	case integration.KindOf(err) == integration.KindNotFound:
		return "This link is not complete, or older than a day. Ask for a new one.", nil
	case err != nil:
		return "", err
	case !o.Used.IsZero():
		return "This link was used already: it works once. Ask for a new one.", nil
	case !p.cfg.Clock.Now().Before(o.Ends):
		return "This link is older than 15 minutes. Ask for a new one.", nil
	case p.account(o.About) == nil:
		return "The account of this link is no longer in the switchboard file. Whoever keeps the file can add it.", nil
	}
	return "", nil
}

// LogInWithLink uses a link and gives the browser a login of its account. problem is as of
// LinkProblem.
func (p *People) LogInWithLink(w http.ResponseWriter, r *http.Request, secret string) (problem string, err error) {
	// Read first, for the sentence; what counts is UseOneTime, which only one of two requests at
	// once gets.
	before, err := p.cfg.Store.OneTime(r.Context(), hashOf("mail", secret))
	if problem, err := p.linkProblem(before, err); problem != "" || err != nil {
		return problem, err
	}
	o, ok, err := p.cfg.Store.UseOneTime(r.Context(), hashOf("mail", secret), p.cfg.Clock.Now())
	if err != nil {
		return "", err
	}
	p.arrived(hashOf("mail", secret))
	// It may have been used, and the account may have left the file, between the two.
	a := p.account(o.About)
	if !ok || a == nil {
		return p.linkProblem(o, nil)
	}
	return "", p.begin(w, r, store.Login{How: store.LoginByMail, Email: switchboardfile.Mailbox(a.Email)}, accountLogin)
}
