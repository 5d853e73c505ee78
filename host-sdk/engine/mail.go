package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// mailItem is a mail in the outbox: first to all its recipients, then one item for each address.
type mailItem struct {
	Mail      integration.Mail `json:"mail"`
	To        string           `json:"to,omitempty"`
	MessageID string           `json:"message_id,omitempty"`
}

// mail addresses a mail, or sends it if that is done. The two are items of their own: the addresses
// are settled once, and a server that refuses one recipient delays no other.
func (o *outbox) mail(ctx context.Context, it store.Item) {
	var m mailItem
	if err := json.Unmarshal(it.Body, &m); err != nil {
		o.drop(ctx, it, "unreadable mail")
		return
	}
	work := o.send
	if m.To == "" {
		work = o.addressMail
	}
	if err := work(ctx, it, m); err != nil {
		o.failed(ctx, it, err, mailRetry, maxMailRetry)
	}
}

// addressMail replaces the mail by one item for each address, in one transaction, so that no
// address is served twice.
func (o *outbox) addressMail(ctx context.Context, it store.Item, m mailItem) error {
	e := o.e
	var to []string
	// A person who is in two audiences gets one mail.
	add := func(address string) {
		if !slices.ContainsFunc(to, func(a string) bool { return strings.EqualFold(a, address) }) {
			to = append(to, address)
		}
	}
	for _, r := range m.Mail.To {
		if r.Address != "" {
			add(r.Address)
			continue
		}
		addresses, err := e.platform.Audience(ctx, e.scope(it.Integration), r.Audience, r.Teams, m.Mail.At)
		if err != nil {
			return err
		}
		for _, a := range addresses {
			add(a)
		}
	}
	items := make([]store.Item, len(to))
	for i, address := range to {
		// The Message-ID depends on the mail and the address alone, so that a mail which goes
		// twice, since this process died after sending it, is recognised as the same one.
		sum := sha256.Sum256([]byte(it.Integration + "\x00" + it.Key + "\x00" + m.Mail.Key + "\x00" + strings.ToLower(address)))
		body, err := json.Marshal(mailItem{Mail: m.Mail, To: address, MessageID: hex.EncodeToString(sum[:16])})
		if err != nil {
			return err
		}
		items[i] = store.Item{
			Integration: it.Integration, Key: it.Key, Kind: store.ItemMail, Due: e.clock.Now(), NotAfter: it.NotAfter,
			Phase: store.PhaseWaiting, Body: body,
		}
	}
	if len(to) == 0 {
		e.log.Warn("mail has no recipients", "integration", it.Integration, "call", it.Key, "mail", m.Mail.Key)
		o.fail(ctx, it, &integration.Error{Kind: integration.KindNotFound, Message: "none of its recipients has an e-mail address"})
		return nil
	}
	return e.commitItems(ctx, it.Integration, it.Key, items, it.ID)
}

// hearsOfMails reports whether the plugin of an integration knows [integration.TaskMail].
func (e *Engine) hearsOfMails(ctx context.Context, id string) bool {
	in, err := e.instance(ctx, id)
	if err != nil {
		return false
	}
	desc, err := e.description(ctx, in.Plugin)
	return err == nil && desc.ProtocolMinor >= hintMinor
}

// send sends a mail to its one address, with the attachments and the link as they are now.
func (o *outbox) send(ctx context.Context, it store.Item, m mailItem) error {
	e := o.e
	if e.cfg.Mailer == nil {
		o.fail(ctx, it, &integration.Error{Kind: integration.KindUnsupported, Message: "this host has no mail server"})
		return nil
	}
	out := OutgoingMail{MessageID: m.MessageID, To: m.To, Subject: m.Mail.Subject, Text: m.Mail.Text, HTML: m.Mail.HTML}
	if m.Mail.LinkAlert {
		sess, err := e.store.Session(ctx, it.Integration, it.Key)
		if err != nil {
			return err
		}
		snap, err := e.readSnapshot(ctx, platform.Hint{Scope: e.scope(it.Integration), AlertKey: sess.AlertKey})
		if err != nil {
			return err
		}
		if snap != nil {
			out.AlertURL = snap.URL
		}
	}
	for _, ref := range m.Mail.Attachments {
		medium, err := e.store.Medium(ctx, ref.Ref)
		if err != nil {
			return err
		}
		out.Attachments = append(out.Attachments, medium)
	}
	if err := e.cfg.Mailer.Send(ctx, out); err != nil {
		return err
	}
	e.metrics.item(it.Kind, "done")
	o.delete(ctx, it)
	return nil
}
