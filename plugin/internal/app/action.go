package app

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// Names of the actions.
const (
	actionCheck      = "check"
	actionConnect    = "connect-number"
	actionDisconnect = "disconnect-number"
)

const fieldNumber = "number"

func actions() []integration.ActionDescription {
	number := []integration.ActionField{{Name: fieldNumber, Label: "Phone number", Help: "With plus sign and country code, such as +12025550100.", Required: true}}
	return []integration.ActionDescription{
		{Name: actionCheck, Label: "Check", Help: "Tries the credentials, and looks which of the account's numbers call this integration."},
		{Name: actionConnect, Label: "Connect a number", Help: "Makes Twilio send the calls of a number here.", Fields: number},
		{Name: actionDisconnect, Label: "Disconnect a number", Help: "Makes Twilio no longer send the calls of a number here.", Fields: number},
	}
}

// maxNumbers is how many numbers of an account are looked through.
const maxNumbers = 1000

// report collects an action's lines.
type report struct {
	integration.ActionResult
}

func (r *report) line(level, field, text string) {
	r.Lines = append(r.Lines, integration.ActionLine{Level: level, Text: text, Field: field})
	if level == "error" {
		r.OK = false
	}
}

// RunAction implements [integration.Integration].
func (a *App) RunAction(ctx context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	in := req.Facts.Instance
	switch req.Name {
	case actionCheck, actionConnect, actionDisconnect:
	default:
		return integration.ActionResult{}, integration.Errorf(integration.KindNotFound, "no action is called %q", req.Name)
	}
	res := options.Load(in.Options, in.OptionsFormat, options.Context{})
	r := &report{integration.ActionResult{OK: true}}
	for _, p := range res.Problems {
		r.line("error", p.Path, p.Message)
	}
	client, err := a.client(res.Options)
	if err != nil {
		if r.OK {
			r.line("error", "account_sid", err.Error())
		}
		return r.ActionResult, nil
	}
	n := numberAction{client: client, report: r, links: newLinks(in, ""), options: res.Options}
	switch req.Name {
	case actionCheck:
		n.check(ctx, req.Facts)
	case actionConnect:
		n.connect(ctx, strings.TrimSpace(req.Values[fieldNumber]))
	case actionDisconnect:
		n.disconnect(ctx, strings.TrimSpace(req.Values[fieldNumber]))
	}
	return r.ActionResult, nil
}

type numberAction struct {
	client  *twilio.Client
	report  *report
	links   links
	options options.Options
}

// explain puts an error of Twilio into a line that says what to do.
func (n *numberAction) explain(err error) {
	switch integration.KindOf(err) {
	case integration.KindUnauthorized:
		n.report.line("error", "api_key", "Twilio refuses the API key: check key, secret, account and region; a key of one region is unknown in the others.")
	case integration.KindNotFound:
		n.report.line("error", "account_sid", "Twilio knows no such account in this region.")
	default:
		text := "Twilio did not answer; try again."
		var e *integration.Error
		if errors.As(err, &e) {
			text = e.Message
		}
		n.report.line("error", "", text)
	}
}

// numbers lists what the account has; false if Twilio did not say.
func (n *numberAction) numbers(ctx context.Context, number string) ([]twilio.PhoneNumber, bool) {
	list, err := n.client.PhoneNumbers(ctx, number, maxNumbers)
	if err != nil {
		n.explain(err)
		return nil, false
	}
	return list, true
}

// ours reports whether an address leads to this integration's endpoint.
func (n *numberAction) ours(address, path string) bool {
	address, _, _ = strings.Cut(address, "#")
	return strings.TrimSuffix(address, "/") == n.links.endpoint+path
}

func (n *numberAction) check(ctx context.Context, f integration.Facts) {
	list, ok := n.numbers(ctx, "")
	if !ok {
		return
	}
	n.report.line("ok", "api_key", "Twilio accepts the API key.")
	connected := 0
	for _, p := range list {
		if !n.ours(p.VoiceURL, "") {
			continue
		}
		connected++
		switch {
		case p.TrunkSID != "":
			n.report.line("error", "", p.Number+" has our address, but belongs to a SIP trunk: Twilio ignores the address. Take it off the trunk.")
		case p.VoiceApplicationSID != "":
			n.report.line("error", "", p.Number+" has our address, but belongs to a TwiML app: Twilio ignores the address. Take it off the app.")
		case !n.ours(p.StatusCallback, "/status"):
			n.report.line("warning", "", p.Number+" is connected, but its status callback is not set: hang-ups are noticed late. Use Connect a number.")
		default:
			n.report.line("ok", "", p.Number+" is connected.")
		}
	}
	if connected == 0 {
		n.report.line("warning", "", "No number of the account sends its calls here. Use Connect a number, or set the number's voice address to "+n.links.endpoint+".")
	}
	switch {
	case len(n.options.Account.AuthTokens) == 0:
		n.report.line("warning", "auth_token", "Without an Auth Token requests cannot be told from forged ones.")
	case signedSinceSaved(f):
		n.report.line("ok", "auth_token", "Signatures of Twilio's requests are right.")
	default:
		n.report.line("info", "auth_token", "No signed request has come since the options were saved; call the number to try the Auth Token.")
	}
	if connected > 0 && n.report.OK {
		n.report.Findings = append(n.report.Findings, integration.Finding{Code: callflow.FindingCallsNotFound, Severity: integration.FindingClear, At: f.Now})
	}
}

// shown is an address without credentials or query, either of which may hold a secret of somebody else's.
func shown(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "another address"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// one finds the number that a person named.
func (n *numberAction) one(ctx context.Context, number string) (twilio.PhoneNumber, bool) {
	if !twilio.IsE164(number) {
		n.report.line("error", fieldNumber, "The number must have a plus sign and the country code, such as +12025550100.")
		return twilio.PhoneNumber{}, false
	}
	list, ok := n.numbers(ctx, number)
	if !ok {
		return twilio.PhoneNumber{}, false
	}
	if len(list) == 0 {
		n.report.line("error", fieldNumber, "The account has no number "+number+" in this region.")
		return twilio.PhoneNumber{}, false
	}
	return list[0], true
}

func (n *numberAction) connect(ctx context.Context, number string) {
	p, ok := n.one(ctx, number)
	if !ok {
		return
	}
	switch {
	case p.TrunkSID != "":
		n.report.line("error", fieldNumber, number+" belongs to a SIP trunk, so Twilio would ignore our address. Take it off the trunk in the Twilio console first.")
		return
	case p.VoiceApplicationSID != "":
		n.report.line("error", fieldNumber, number+" belongs to a TwiML app, so Twilio would ignore our address. Take it off the app in the Twilio console first.")
		return
	case p.VoiceURL != "" && !n.ours(p.VoiceURL, ""):
		n.report.line("info", fieldNumber, "Until now "+number+" was answered by "+shown(p.VoiceURL)+".")
	}
	fallback := n.options.Fallback
	if fallback == "" {
		fallback = n.links.plain("/resume")
	}
	if _, err := n.client.Connect(ctx, p.SID, n.links.plain(""), fallback, n.links.plain("/status")); err != nil {
		n.explain(err)
		return
	}
	n.report.line("ok", fieldNumber, number+" is connected.")
}

func (n *numberAction) disconnect(ctx context.Context, number string) {
	p, ok := n.one(ctx, number)
	if !ok {
		return
	}
	if !n.ours(p.VoiceURL, "") {
		n.report.line("info", fieldNumber, number+" does not send its calls here; nothing was changed.")
		return
	}
	if _, err := n.client.Connect(ctx, p.SID, "", "", ""); err != nil {
		n.explain(err)
		return
	}
	n.report.line("ok", fieldNumber, number+" no longer sends its calls here. Give it another address before anybody calls it.")
}
