package app

import (
	"context"
	"errors"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// Names of the actions beside [integration.ActionWhoWouldAnswer].
const (
	actionCheck      = "check"
	actionConnect    = "connect-number"
	actionDisconnect = "disconnect-number"
)

const fieldNumber = "number"

func actions() []integration.ActionDescription {
	number := func(help string) []integration.ActionField {
		return []integration.ActionField{{Name: fieldNumber, Label: "Phone number", Help: "With plus sign and country code, such as +12025550100. Empty: " + help}}
	}
	return []integration.ActionDescription{
		{Name: actionCheck, Label: "Check", Help: "Tries the credentials, looks which of the account's numbers call this integration, and whether everybody on call has a phone."},
		{Name: actionConnect, Label: "Connect a number", Help: "Makes Twilio send the calls of a number here, and remembers where they went before.", Fields: number("lists the account's numbers.")},
		{Name: actionDisconnect, Label: "Disconnect a number", Help: "Gives a number back to what answered it before.", Fields: number("lists the numbers that are connected.")},
		whoAction(),
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
	s := a.documents.load(in)
	switch req.Name {
	case integration.ActionWhoWouldAnswer:
		return whoWouldAnswer(req, s), nil
	case actionCheck, actionConnect, actionDisconnect:
	default:
		return integration.ActionResult{}, integration.Errorf(integration.KindNotFound, "no action is called %q", req.Name)
	}
	r := &report{integration.ActionResult{OK: true}}
	if req.Name == actionCheck {
		if r.Need = staffQuestions(req.Facts, s.Options); len(r.Need) > 0 {
			return r.ActionResult, nil
		}
	}
	for _, p := range s.problems {
		r.line("error", p.Path, p.Message)
	}
	client, err := a.client(s.Options)
	if err != nil {
		if r.OK {
			r.line("error", "account_sid", err.Error())
		}
		return r.ActionResult, nil
	}
	n := numberAction{client: client, report: r, links: newLinks(in, ""), options: s.Options, facts: req.Facts}
	switch req.Name {
	case actionCheck:
		n.check(ctx)
	case actionConnect:
		n.connect(ctx, strings.TrimSpace(req.Values[fieldNumber]))
	case actionDisconnect:
		n.disconnect(ctx, strings.TrimSpace(req.Values[fieldNumber]))
	}
	return r.ActionResult, nil
}

// numberAction is an action that speaks with Twilio.
type numberAction struct {
	*report
	client  *twilio.Client
	links   links
	options options.Options
	facts   integration.Facts
}

// explain puts an error of Twilio into a line that says what to do.
func (n *numberAction) explain(err error) {
	switch integration.KindOf(err) {
	case integration.KindUnauthorized:
		n.line("error", "api_key", "Twilio refuses the API key: check key, secret, account and region; a key of one region is unknown in the others.")
	case integration.KindNotFound:
		n.line("error", "account_sid", "Twilio knows no such account in this region.")
	default:
		text := "Twilio did not answer; try again."
		var e *integration.Error
		if errors.As(err, &e) {
			text = e.Message
		}
		n.line("error", "", text)
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

func (n *numberAction) region() string {
	r, _ := twilio.RegionByID(n.options.Account.Region)
	return r.Name
}
