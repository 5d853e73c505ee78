package serve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// notify tells a person by mail that an alert waits for them. nil without a mail server: then the
// alert list and the phone are all there is. link is the personal link of a person to an alert.
func notify(mailer engine.Mailer, link func(user, alert string) string) func(context.Context, alerts.Page) error {
	if mailer == nil {
		return nil
	}
	return func(ctx context.Context, page alerts.Page) error {
		// Not an error: the phone rings them, and the alert list shows it.
		if page.User.Email == "" {
			return nil
		}
		// The same for every attempt: a mail that goes out twice is shown once. User ids may hold what a
		// Message-ID may not.
		id := sha256.Sum256([]byte(page.ID + "\x00" + page.User.ID))
		return mailer.Send(ctx, engine.OutgoingMail{
			MessageID: hex.EncodeToString(id[:16]),
			To:        page.User.Email,
			Subject:   subject(page),
			Text:      pageText(page),
			AlertURL:  link(page.User.ID, page.Alert.ID),
		})
	}
}

// tellShift tells a person by mail of a shift that somebody gave to them. nil without a mail server: the
// pages alone show it. file is the switchboard file in force.
func tellShift(mailer engine.Mailer, public string, file func() *switchboardfile.File) func(context.Context, shifts.Change, integration.User) error {
	if mailer == nil {
		return nil
	}
	return func(ctx context.Context, c shifts.Change, to integration.User) error {
		t := file().Team(c.Team)
		if to.Email == "" || t == nil {
			return nil
		}
		const shown = "Mon 2 Jan 2006 15:04 MST"
		text := fmt.Sprintf("%s gave you a shift: layer %d of %s, from %s to %s.\n", c.By, c.Layer, t.Name,
			c.From.In(t.Schedule.Zone()).Format(shown), c.To.In(t.Schedule.Zone()).Format(shown))
		if c.Note != "" {
			text += "\n" + c.Note + "\n"
		}
		return mailer.Send(ctx, engine.OutgoingMail{
			MessageID: "shift-" + c.ID, To: to.Email, Subject: "You are on call: " + oneline.Clean(t.Name, oneline.MaxName),
			Text: text + "\nThe month ahead: " + public + "/oncall/" + url.PathEscape(t.ID) + "\n",
		})
	}
}

// subject is one line, whatever a caller's data brought into the title.
func subject(page alerts.Page) string {
	title := oneline.Clean(page.Alert.Title, 0)
	if page.Alert.Urgency == "" {
		return title
	}
	return "[" + page.Alert.Urgency + "] " + title
}

// pageText is the body of the mail. It says what the alert list says, as the mail may be all that a
// person sees before a caller is on their phone.
func pageText(page alerts.Page) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", page.Alert.Title)
	if page.Alert.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", page.Alert.Description)
	}
	if len(page.Alert.Fields) > 0 {
		b.WriteString("\n")
	}
	for _, f := range page.Alert.Fields {
		fmt.Fprintf(&b, "%s: %s\n", f.Label, f.Value)
	}
	fmt.Fprintf(&b, "\nYou are on call (layer %d). Acknowledge the alert to take it.\n", page.Layer)
	return b.String()
}
