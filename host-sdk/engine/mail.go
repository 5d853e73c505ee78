package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/known"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/patient"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/snapshots"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/mailbox"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// FindingMail is the code of the finding that the host raises while mails of an integration cannot
// be sent, and clears when one was.
const FindingMail = "host-mail"

// mailTrouble is the attempt from which on a failing mail is worth a finding. A mail server that
// refuses our account is worth one at once.
const mailTrouble = 3

// Mails are tried again after these times, which double from the first to the limit.
const (
	mailRetry    = 10 * time.Second
	maxMailRetry = 30 * time.Minute
)

// mailItem is a mail in the outbox, stored as JSON: first to all its recipients, then one item for
// each address. To is empty until the mail is addressed.
type mailItem struct {
	Mail      integration.Mail `json:"mail"`
	To        string           `json:"to,omitempty"`
	MessageID string           `json:"message_id,omitempty"`
	// Lines for the end of the mail: what is missing.
	Notes []string `json:"notes,omitempty"`
}

// Mail addresses a mail, or sends it if that is done. The two are items of their own: the addresses
// are settled once, and a server that refuses one recipient delays no other.
func (e work) Mail(ctx context.Context, it store.Item) {
	var m mailItem
	if err := json.Unmarshal(it.Body, &m); err != nil {
		e.outbox.Drop(ctx, it, "unreadable mail")
		return
	}
	work := e.send
	if m.To == "" {
		work = e.addressMail
	}
	err := work(ctx, it, m)
	if err == nil {
		return
	}
	failure := patient.Error(ctx, err)
	if failure.Kind == integration.KindUnauthorized {
		// The server refuses our account, not this mail: somebody can put that right.
		failure = &integration.Error{Kind: integration.KindUnavailable, Message: failure.Message, Field: failure.Field, Code: failure.Code, Err: err}
		e.findMailTrouble(ctx, it.Integration, failure)
	} else if !failure.Kind.Final() && it.Attempt >= mailTrouble {
		e.findMailTrouble(ctx, it.Integration, failure)
	}
	e.outbox.Failed(ctx, it, failure, mailRetry, maxMailRetry)
}

// findMailTrouble raises [FindingMail], unless it is there already: while a server is down each
// attempt of each mail comes here, and none of them is to cost a write.
func (e *Engine) findMailTrouble(ctx context.Context, id string, cause *integration.Error) {
	if there, known := e.known.Finding(ctx, id, FindingMail); there || !known {
		return
	}
	e.known.Find(ctx, id, integration.Finding{
		Code: FindingMail, Severity: integration.FindingError, At: e.clock.Now(),
		Message: "Mails of this integration cannot be sent; they are tried again for a day. The last error: " + cause.Message,
	})
}

// endMailTrouble clears [FindingMail] if it is there.
func (e *Engine) endMailTrouble(ctx context.Context, id string) {
	if there, _ := e.known.Finding(ctx, id, FindingMail); there {
		e.known.Find(ctx, id, integration.Finding{Code: FindingMail, Severity: integration.FindingClear, At: e.clock.Now()})
	}
}

// addresses are whom a mail goes to, each once: a person who is in two audiences gets one mail.
type addresses []string

// add adds an address unless it is there.
func (a *addresses) add(address string) {
	if !slices.ContainsFunc(*a, func(have string) bool { return mailbox.Key(have) == mailbox.Key(address) }) {
		*a = append(*a, address)
	}
}

// resolveMail finds the addresses of a mail, one team at a time: a team that the platform no longer
// knows is noted in the mail of the others. later holds the recipients whose addresses could not be
// found out now. err is the last error, if any.
func (e work) resolveMail(ctx context.Context, it store.Item, m *mailItem) (to addresses, later []integration.Recipient, err error) {
	for _, r := range m.Mail.To {
		if r.Address != "" {
			to.add(r.Address)
			continue
		}
		for _, teams := range oneByOne(r.Teams) {
			found, failed := e.platform.Audience(ctx, e.known.Scope(it.Integration), r.Audience, teams, clock.OnWall(e.clock, m.Mail.At))
			if failed == nil {
				for _, address := range found {
					to.add(address)
				}
				continue
			}
			err = failed
			if !integration.KindOf(failed).Final() {
				later = append(later, integration.Recipient{Audience: r.Audience, Teams: teams})
				continue
			}
			e.log.Warn("a team of a mail cannot be addressed", "integration", it.Integration, "call", it.Key, "mail", m.Mail.Key, "teams", teams, "error", failed)
			m.Notes = append(m.Notes, "The team "+strings.Join(teams, ", ")+" could not be found. Nobody of it got this mail.")
		}
	}
	return to, later, err
}

// oneByOne makes a list of each team; one list of none if there are none.
func oneByOne(teams []string) [][]string {
	if len(teams) == 0 {
		return [][]string{nil}
	}
	return slices.Collect(slices.Chunk(teams, 1))
}

// addressMail replaces the mail by one item for each address, in one transaction, so that no
// address is served twice. Recipients whose addresses cannot be found out now stay behind in an
// item of their own.
func (e work) addressMail(ctx context.Context, it store.Item, m mailItem) error {
	to, later, err := e.resolveMail(ctx, it, &m)
	// With at least one address the mail goes out to those that are known.
	if err != nil && len(to) == 0 {
		return err
	}
	items := make([]store.Item, 0, len(to)+1)
	for _, address := range to {
		// The Message-ID depends on the mail and the address alone, so that a mail which goes
		// twice, since this process died after sending it, is recognised as the same one.
		sum := sha256.Sum256([]byte(it.Integration + "\x00" + it.Key + "\x00" + m.Mail.Key + "\x00" + mailbox.Key(address)))
		body, err := json.Marshal(mailItem{Mail: m.Mail, To: address, MessageID: hex.EncodeToString(sum[:16]), Notes: m.Notes})
		if err != nil {
			return err
		}
		items = append(items, store.Item{
			Integration: it.Integration, Key: it.Key, Kind: store.ItemMail, Due: e.clock.Now(), NotAfter: it.NotAfter,
			Phase: store.PhaseWaiting, Body: body,
		})
	}
	if len(to) == 0 {
		e.log.Warn("mail has no recipients", "integration", it.Integration, "call", it.Key, "mail", m.Mail.Key)
		e.outbox.Fail(ctx, it, &integration.Error{Kind: integration.KindNotFound, Message: "nobody with an e-mail address is among its recipients"})
		return nil
	}
	if len(later) > 0 {
		e.log.Warn("recipients of a mail not known yet, will retry", "integration", it.Integration, "call", it.Key, "mail", m.Mail.Key, "error", err)
		m.Mail.To = later
		body, err := json.Marshal(m)
		if err != nil {
			return err
		}
		items = append(items, store.Item{
			Integration: it.Integration, Key: it.Key, Kind: store.ItemMail, Due: e.clock.Now().Add(mailRetry), NotAfter: it.NotAfter,
			Phase: store.PhaseWaiting, Body: body,
		})
	}
	return e.commitItems(ctx, it.Integration, it.Key, items, it.ID)
}

// hearsOfMails reports whether the plugin of an integration knows [integration.TaskMail]. One
// that cannot be asked is taken to know it: one that does not know the task does nothing.
func (e *Engine) hearsOfMails(ctx context.Context, id string) bool {
	in, err := e.known.Integration(ctx, id)
	if err != nil {
		return integration.KindOf(err) != integration.KindNotFound
	}
	desc, err := e.known.Description(ctx, in.Plugin)
	return err != nil || desc.ProtocolMinor >= known.HintMinor
}

// send sends a mail to its one address, with the attachments and the link as they are now.
func (e work) send(ctx context.Context, it store.Item, m mailItem) error {
	if e.cfg.Mailer == nil {
		e.outbox.Fail(ctx, it, &integration.Error{Kind: integration.KindUnsupported, Message: "this host has no mail server"})
		return nil
	}
	out := OutgoingMail{MessageID: m.MessageID, To: m.To, Subject: m.Mail.Subject, Text: m.Mail.Text, HTML: m.Mail.HTML, Notes: m.Notes}
	if m.Mail.LinkAlert {
		url, err := e.alertLink(ctx, it)
		if err != nil && it.Attempt < mailTrouble { // later the mail goes without its link
			return err
		}
		out.AlertURL = url
	}
	for _, ref := range m.Mail.Attachments {
		medium, err := e.store.Medium(ctx, ref.Ref)
		switch {
		case err == nil:
			out.Attachments = append(out.Attachments, medium)
		case integration.KindOf(err) == integration.KindNotFound:
			e.log.Warn("an attachment of a mail is gone", "integration", it.Integration, "call", it.Key, "mail", m.Mail.Key, "medium", ref.Ref)
			out.Notes = append(out.Notes, "The attachment "+cmp.Or(ref.Name, ref.Ref)+" is no longer there.")
		default:
			return err
		}
	}
	if err := e.cfg.Mailer.Send(ctx, out); err != nil {
		return err
	}
	e.metrics.Item(it.Kind, "done")
	e.endMailTrouble(ctx, it.Integration)
	e.outbox.Done(ctx, it)
	return nil
}

// alertLink is the page of the alert of a mail's session; "" if there is none (any more).
func (e work) alertLink(ctx context.Context, it store.Item) (string, error) {
	sess, err := e.store.Session(ctx, it.Integration, it.Key)
	if integration.KindOf(err) == integration.KindNotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	r, err := e.alerts.Read(ctx, platform.Hint{Scope: e.known.Scope(it.Integration), AlertKey: sess.AlertKey}, snapshots.MemoryOf(&sess))
	if err != nil || r.Snap == nil {
		return "", err
	}
	return r.Snap.URL, nil
}
