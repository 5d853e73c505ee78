package app

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/render"
	"github.com/livecallrouting/livecall/plugin/internal/soundcheck"
)

// onlineTimeout bounds what a person waits for when a form is saved.
const onlineTimeout = 8 * time.Second

// ValidateOptions implements [integration.Integration]. It checks what Load says, and with Online
// also what only others know.
func (a *App) ValidateOptions(ctx context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	in := options.Context{Destinations: req.Destinations, Capabilities: req.Instance.Capabilities, ProtocolMinor: req.Instance.ProtocolMinor, MediaURLs: req.Instance.MediaURLs}
	if in.Destinations == nil {
		in.Destinations = []integration.Destination{} // none chosen, which is a problem
	}
	res := options.Load(req.Options, req.Format, in)
	out := integration.ValidateOptionsResponse{
		Problems: res.Problems, Warnings: res.Warnings, Options: res.Document, Format: options.Format,
		Fallback: render.Fallback(res.Options),
	}
	// Only a form without problems is worth the person's time at Twilio.
	if req.Online && len(out.Problems) == 0 {
		a.validateOnline(ctx, res.Options, &out)
		a.validateSounds(ctx, res.Options, &out)
	}
	return out, nil
}

// validateOnline asks Twilio whether the credentials are right. A Standard key may list numbers,
// but not read the account (Twilio docs: iam/api-keys). Not being able to ask is no problem of the
// form: it can be saved while Twilio is down.
func (a *App) validateOnline(ctx context.Context, o options.Options, out *integration.ValidateOptionsResponse) {
	ctx, cancel := context.WithTimeout(ctx, a.onlineTimeout)
	defer cancel()
	client, err := a.client(o)
	if err == nil {
		_, err = client.PhoneNumbers(ctx, "", 1)
	}
	switch integration.KindOf(err) {
	case "":
	case integration.KindUnauthorized:
		out.Problems = append(out.Problems, integration.Problem{Path: "api_key", Code: "unauthorized",
			Message: "Twilio refuses the API key: check key, secret, account and region; a key of one region is unknown in the others."})
	case integration.KindNotFound:
		out.Problems = append(out.Problems, integration.Problem{Path: "account_sid", Code: "not_found",
			Message: "Twilio knows no such account in this region."})
	default:
		out.Warnings = append(out.Warnings, integration.Problem{Path: "api_key", Code: "unavailable",
			Message: "The credentials could not be tried, as Twilio did not answer."})
	}
}

// validateSounds fetches the sound files that the form names by address. What cannot be right is a
// problem; what may be of the moment is a warning.
func (a *App) validateSounds(ctx context.Context, o options.Options, out *integration.ValidateOptionsResponse) {
	ctx, cancel := context.WithTimeout(ctx, a.onlineTimeout)
	defer cancel()
	for _, r := range a.cfg.Sounds.Fields(ctx, o.Prompts) {
		p := integration.Problem{Path: r.Field, Code: "sound", Message: r.Text}
		switch r.Level {
		case soundcheck.Error:
			out.Problems = append(out.Problems, p)
		case soundcheck.Warning:
			out.Warnings = append(out.Warnings, p)
		case soundcheck.OK:
		}
	}
}
