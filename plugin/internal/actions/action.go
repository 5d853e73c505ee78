package actions

import (
	"context"
	"errors"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/soundcheck"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// The names of the actions beside [integration.ActionWhoWouldAnswer].
const (
	Check      = "check"
	Connect    = "connect-number"
	Disconnect = "disconnect-number"
)

// fieldNumber is the only field of the two number actions. Both list numbers when it is empty, so
// that a person need not look them up at Twilio first.
const fieldNumber = "number"

// The groups of the buttons.
const (
	groupNumbers = "Phone numbers"
	groupTry     = "Try it"
)

// Descriptions lists the buttons. Help is one sentence each, as hosts show it beside the button.
func Descriptions() []integration.ActionDescription {
	number := func(help string) []integration.ActionField {
		return []integration.ActionField{{Name: fieldNumber, Label: "Phone number", Help: "With plus sign and country code, such as +12025550100. Empty: " + help}}
	}
	return []integration.ActionDescription{
		{Name: Check, Group: groupTry, Label: "Check", Help: "Tries the credentials, looks which of the account's numbers call this integration, and whether everybody on call has a phone and every sound file can be fetched."},
		{Name: Connect, Group: groupNumbers, Label: "Connect a number", Help: "Makes Twilio send the calls of a number here, and remembers where they went before.", Fields: number("lists the account's numbers.")},
		{Name: Disconnect, Group: groupNumbers, Label: "Disconnect a number", Help: "Gives a number back to what answered it before.", Fields: number("lists the numbers that are connected.")},
		whoAction(),
	}
}

// maxNumbers is the most numbers of an account that an action looks through. Twilio gives them in
// pages; without a limit an account with very many numbers would outlast the person's patience.
const maxNumbers = 1000

// report collects an action's lines. It is made OK and stays so unless a line says otherwise.
type report struct {
	integration.ActionResult
}

// line adds a line. A line of level "error" makes the whole action fail; the lines before it stay,
// since they tell how far it came. field names the option or the action's field that it concerns;
// "" for none.
func (r *report) line(level, field, text string) {
	r.Lines = append(r.Lines, integration.ActionLine{Level: level, Text: text, Field: field})
	if level == "error" {
		r.OK = false
	}
}

// Request asks for an action of an instance. It comes from package app, which knows the process;
// this package knows only what it is given.
type Request struct {
	integration.ActionRequest
	Options  options.Options       // ready to serve a call: whatever is wrong has its default
	Problems []integration.Problem // what is wrong in the options' document
	Music    []string              // addresses that the hold music is played from
	// Simulated says that requests go to a simulator instead of Twilio. It may call any address.
	Simulated bool
	// Client makes the REST client. It is a function because the credentials may be unusable, which
	// is a line of the report and no error of the action.
	Client func() (*twilio.Client, error)
	Sounds soundcheck.Checker // fetches the files that the form names by address
}

// Run runs an action. Whatever Twilio or the form has against it becomes a line of the result; the
// only error is KindNotFound for a name that [Descriptions] does not list. A result with questions
// (Need) holds nothing else: the host answers them and calls Run again with the same request.
func Run(ctx context.Context, req Request) (integration.ActionResult, error) {
	switch req.Name {
	case integration.ActionWhoWouldAnswer:
		return whoWouldAnswer(req), nil
	case Check, Connect, Disconnect, integration.ActionTestRing:
	default:
		return integration.ActionResult{}, integration.Errorf(integration.KindNotFound, "no action is called %q", req.Name)
	}
	r := &report{integration.ActionResult{OK: true}}
	if req.Name == Check {
		// The questions come first, so that nothing is asked of Twilio twice when the action is run
		// again with the answers.
		if r.Need = staffQuestions(req.Facts, req.Options); len(r.Need) > 0 {
			return r.ActionResult, nil
		}
	}
	// Writing over it would lose where the numbers went before.
	if (req.Name == Connect || req.Name == Disconnect) && newer(req.Facts) {
		r.line("error", "", "A newer release of the plugin has written down which numbers are connected and where they went before, and this one cannot read it. Nothing was changed; install the newer release again.")
		return r.ActionResult, nil
	}
	rings := req.Name == integration.ActionTestRing
	for _, p := range req.Problems {
		if !rings { // whose calls are served in spite of them, too
			r.line("error", p.Path, p.Message)
		}
	}
	client, err := req.Client()
	// A test ring is about a person: its only words are an outcome.
	if err != nil && rings {
		(&numberAction{report: r}).over(integration.RingRefused, messageOf(err))
		return r.ActionResult, nil
	}
	if err != nil {
		// With problems in the form, the missing client is their consequence and needs no line.
		if r.OK {
			r.line("error", "account_sid", err.Error())
		}
		return r.ActionResult, nil
	}
	// Without a session key the links are those of the endpoint itself, which numbers are pointed
	// to.
	n := numberAction{
		client: client, sounds: req.Sounds, report: r, links: endpoint.NewLinks(req.Facts.Instance, req.Facts.SessionKey), options: req.Options, facts: req.Facts, simulated: req.Simulated,
	}
	switch req.Name {
	case Check:
		n.check(ctx)
	case Connect:
		n.connect(ctx, strings.TrimSpace(req.Values[fieldNumber]))
	case Disconnect:
		n.disconnect(ctx, strings.TrimSpace(req.Values[fieldNumber]))
	case integration.ActionTestRing:
		n.testRing(ctx, req.Values)
	}
	return r.ActionResult, nil
}

// numberAction is an action that speaks with Twilio. It lives for one run of an action.
type numberAction struct {
	*report
	client  *twilio.Client
	sounds  soundcheck.Checker
	links   endpoint.Links
	options options.Options
	facts   integration.Facts

	simulated bool     // see [Request]
	own       []string // numbers that are connected here, in E.164 form
	loops     int      // phones of people on call that are among them
}

// explain turns an error of Twilio's API into a line that names the remedy. Twilio answers a key of
// another region like a wrong one, so both are named. Of a kind that has no line of its own the
// client's message is shown, which holds no secret.
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

// numbers lists the numbers of the account, or only the given one in E.164 form; "" = all. It
// reports false, with a line that says why, if Twilio did not answer. A Standard key may ask for
// it.
func (n *numberAction) numbers(ctx context.Context, number string) ([]twilio.PhoneNumber, bool) {
	list, err := n.client.PhoneNumbers(ctx, number, maxNumbers)
	if err != nil {
		n.explain(err)
		return nil, false
	}
	return list, true
}

// region is the name of the API region as the form shows it.
func (n *numberAction) region() string {
	r, _ := twilio.RegionByID(n.options.Account.Region)
	return r.Name
}
