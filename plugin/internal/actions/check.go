package actions

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/draft"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/soundcheck"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// maxRegionLooks bounds the requests about single numbers in a check: the region of a number is not
// in the list of numbers, so it costs one request for each.
const maxRegionLooks = 10

// check tells everything that can be known without a call. The list of numbers comes first: every
// key may read it, so it proves the credentials, and without it nothing else can be asked. It
// changes nothing at Twilio, so it may be run at any time, also while calls come in.
func (n *numberAction) check(ctx context.Context) {
	list, ok := n.numbers(ctx, "")
	if !ok {
		return
	}
	if err := n.reachable(); err != nil {
		n.line("error", "", "Twilio cannot call "+n.links.Endpoint()+": "+err.Error()+". "+setPublicURL)
	}
	// Said only now: the list of numbers was the proof.
	n.line("ok", "api_key", "Twilio accepts the API key in region "+n.region()+".")
	n.clock()
	n.account(ctx)
	connected := n.connected(ctx, list)
	n.signatures()
	// connected has filled in the own numbers, which staff looks for among people's phones.
	n.staff()
	// A finding of an earlier call goes away as soon as a check sees that its cause is gone;
	// otherwise it would stay until the next call that could show the same.
	if n.loops == 0 {
		n.Findings = append(n.Findings, integration.Finding{Code: effect.FindingLoop, Severity: integration.FindingClear, At: n.facts.Now})
	}
	if why := n.options.Unnotified(n.facts.Instance); why != "" {
		n.line("error", "reach", "No phone rings, because "+why+". Choose another way in "+options.Title("reach")+", or have people told of alerts.")
	}
	n.messages()
	n.files(ctx)
	// Calls were not found because account, region or key were wrong. A check without errors shows
	// that they are right now.
	if connected && n.OK {
		n.Findings = append(n.Findings, integration.Finding{Code: effect.FindingCallsNotFound, Severity: integration.FindingClear, At: n.facts.Now})
	}
}

// clockDiffers is the difference above which somebody should look at the machine's clock. The Date
// of an answer has whole seconds, and the answer was on its way.
const clockDiffers = 15 * time.Second

// clock says when the machine's clock differs from Twilio's: shifts change by the machine's. It
// goes by the Date of the last answer.
func (n *numberAction) clock() {
	ahead, known := n.client.Ahead()
	if !known || ahead.Abs() < clockDiffers {
		return
	}
	way := "behind"
	if ahead < 0 {
		way = "ahead of"
	}
	n.line("warning", "", "The clock of this machine is "+ahead.Abs().Round(time.Second).String()+" "+way+" Twilio's: run chrony or systemd-timesyncd, as shifts change by it.")
}

// files fetches the sound files that the form names by address. A file that can be fetched clears
// the finding of a call that could not play it. A file that cannot be fetched keeps the finding,
// whether a call has met it or not.
func (n *numberAction) files(ctx context.Context) {
	for _, r := range n.sounds.Fields(ctx, n.options.Prompts) {
		n.line(string(r.Level), r.Field, r.Text)
		if r.Level == soundcheck.OK {
			n.Findings = append(n.Findings, integration.Finding{Code: effect.FindingSound + r.Field, Severity: integration.FindingClear, At: n.facts.Now})
		}
	}
}

// account says what kind of account it is. An auth token may ask, and is proven by it; a Standard
// key may not. Twilio docs: iam/api-keys. Each case adds one line or two; none of them stops the
// check.
func (n *numberAction) account(ctx context.Context) {
	token := ""
	if len(n.options.Account.AuthTokens) > 0 {
		token = n.options.Account.AuthTokens[0]
	}
	a, err := n.client.FetchAccount(ctx, token)
	switch {
	// The token itself has asked, and was let in.
	case err == nil && token != "":
		n.line("ok", "auth_token", "The Auth Token is the account's.")
	case integration.KindOf(err) == integration.KindUnauthorized && token != "":
		n.line("error", "auth_token", "Twilio refuses the Auth Token: it must be the primary one of the account in region "+n.region()+".")
		return
	case err != nil:
		n.line("info", "account_sid", "It is not known whether this is a trial account: a Standard key may not ask. A trial account calls nobody whose number is not verified.")
		return
	}
	switch {
	case a.Status != "" && a.Status != "active":
		n.line("error", "account_sid", "The account is "+a.Status+": Twilio makes no calls for it.")
	case a.Trial:
		n.line("error", "account_sid", "This is a trial account: Twilio calls nobody whose number is not verified, and speaks a notice first. Upgrade it.")
	default:
		n.line("ok", "account_sid", "The account is active, and no trial account.")
	}
}

// connected looks at the numbers that send their calls here, and reports whether there is one. A
// number counts as ours by its voice address alone, see [endpoint.Links].
func (n *numberAction) connected(ctx context.Context, list []twilio.PhoneNumber) bool {
	connected, unknown := 0, false
	var own []string
	// At each way out, with whatever was found.
	defer func() { n.rememberOwn(own) }()
	for _, p := range list {
		// Somebody else's number, or a spare one: a check has nothing to say of it.
		if !n.links.Ours(p.VoiceURL, "") {
			continue
		}
		connected++
		own = append(own, p.Number)
		shown := phone.Display(p.Number)
		// Whether anything was said of the number decides whether it is well.
		before := len(n.Lines)
		switch {
		case p.TrunkSID != "":
			n.line("error", "", shown+" has our address, but belongs to a SIP trunk: Twilio ignores the address. Take it off the trunk.")
		case p.VoiceApplicationSID != "":
			n.line("error", "", shown+" has our address, but belongs to a TwiML app: Twilio ignores the address. Take it off the app.")
		default:
			if !n.links.Ours(p.StatusCallback, "/status") {
				n.line("warning", "", shown+" is connected, but its status callback is not set: hang-ups are noticed late. Use Connect a number.")
			}
			if p.VoiceFallbackURL == "" {
				n.line("warning", "fallback_url", shown+" is connected, but has no fallback address: callers hear Twilio's error when this host is down. Use Connect a number.")
			}
		}
		if connected <= maxRegionLooks {
			// Only the first few are asked about, see maxRegionLooks. The call stands first, so it
			// is made for every number and not only until one is unknown.
			unknown = !n.processedHere(ctx, p.Number) || unknown
		}
		if len(n.Lines) == before {
			n.line("ok", "", shown+" is connected.")
		}
	}
	if unknown {
		n.line("info", "api_region", "It is not known in which region Twilio processes the calls; it must be "+n.region()+".")
	}
	if connected == 0 {
		n.line("warning", "", "No number of the account sends its calls here. Use Connect a number, or set the number's voice address to "+n.links.Endpoint()+".")
	}
	return connected > 0
}

// rememberOwn keeps which numbers are connected, for actions that do not speak with Twilio. It
// writes only what changed: a new state is a commit of the integration's session.
func (n *numberAction) rememberOwn(own []string) {
	n.own = own
	if r := recall(n.facts); !slices.Equal(r.Own, own) {
		r.Own = own
		n.remember(r)
	}
}

// ownPhones says whose phone is a number of this hotline: a call to it would come back here. Twilio
// would take such a call for a new one, and ring the same person again.
func (n *numberAction) ownPhones(team string, onCall []integration.OnCallEntry) {
	var told []string
	for _, e := range onCall {
		// A person may be on call for several layers of a team, but is named once a phone.
		for _, number := range e.User.Phones {
			if slices.Contains(n.own, number) && !slices.Contains(told, e.User.ID+number) {
				told = append(told, e.User.ID+number)
				n.loops++
				n.line("error", "destinations", team+": "+e.User.Name+"'s phone "+phone.Display(number)+" is a number of this hotline: it would call itself. Give "+e.User.Name+" another phone.")
			}
		}
	}
}

// messages says whether anybody would be mailed about a message that a caller leaves now, and
// whether people are called to hear it. The finding is given in either case, so that it also goes
// when its cause is gone. It says nothing of voicemail that is off: then there is no message.
func (n *numberAction) messages() {
	if !n.options.Flow.Voicemail {
		return
	}
	why := n.options.Unmailed(n.facts.Instance)
	// The options alone do not say whether there is anybody to be mailed.
	if why == "" && n.options.OnlyOnCall() && !n.mailOnCall() {
		why = "nobody who is on call now has an e-mail address"
	}
	finding := integration.Finding{Code: effect.FindingUnmailed, Severity: integration.FindingClear, At: n.facts.Now}
	silent := n.options.Undelivered(n.facts.Instance)
	switch {
	case silent == "":
		n.line("ok", "deliver_messages", "People are called to hear a message.")
	case n.options.Flow.Deliver == config.DeliverOn:
		n.line("error", "deliver_messages", "Nobody would be called to hear a message, because "+silent+".")
	}
	switch {
	case why == "":
		n.line("ok", "voicemail_emails", "Messages are mailed.")
	case silent == "":
		n.line("info", "voicemail_emails", "Nobody would be mailed about a message, because "+why+".")
	default:
		text := "Nobody would be mailed about a message, because " + why + ", and nobody called to hear it, because " + silent +
			": it would only be kept with the alert."
		n.line("error", "voicemail_emails", text)
		finding.Severity, finding.Field, finding.Message = integration.FindingError, "voicemail_emails", text
	}
	n.Findings = append(n.Findings, finding)
}

// mailOnCall reports whether anybody on call for one of the teams has an e-mail address. Where the
// platform did not say who is on call, somebody may have. It looks at the answers of this check.
func (n *numberAction) mailOnCall() bool {
	for _, a := range n.facts.Answers {
		if a.Err != nil || slices.ContainsFunc(a.OnCall, func(e integration.OnCallEntry) bool { return e.User.Email != "" }) {
			return true
		}
	}
	return false
}

// processedHere warns of a number whose calls are processed in another region, where our key is
// unknown; false if that is not known. Twilio docs:
// global-infrastructure/inbound-processing-console. Only keys of US1 may ask, so elsewhere it is
// not known.
func (n *numberAction) processedHere(ctx context.Context, number string) bool {
	code, err := n.client.VoiceRegion(ctx, number)
	if err != nil || code == "" {
		return false
	}
	if r, _ := twilio.RegionByID(n.options.Account.Region); r.Code != code {
		n.line("error", "api_region", "Twilio processes the calls of "+phone.Display(number)+" in region "+strings.ToUpper(code)+", but the API region here is "+r.Name+": calls come from there and are not found here. Change one of them.")
	}
	return true
}

// signatures says whether forged requests are recognised, and when a signature was last right. Only
// requests that came show whether the token is right; the check itself makes none.
func (n *numberAction) signatures() {
	if len(n.options.Account.AuthTokens) == 0 {
		n.line("warning", "auth_token", "Without an Auth Token forged requests cannot be recognised.")
		return
	}
	address := " Signatures are made of the address that Twilio calls: it must be " + n.links.Endpoint() + " to the letter."
	for _, f := range n.facts.Findings {
		// A finding from before the last save is about the token of that time, which may have been
		// the reason to save.
		if f.Code == effect.FindingSignature && f.Severity != integration.FindingClear && !f.At.Before(n.facts.Instance.SavedAt) {
			n.line("error", "auth_token", "A signature did not match the Auth Token at "+f.At.UTC().Format("2006-01-02 15:04 UTC")+"."+address)
		}
	}
	if last := endpoint.LastSigned(n.facts, n.options.Account); !last.IsZero() {
		n.line("ok", "auth_token", "Signatures of Twilio's requests are right; last seen valid at "+last.UTC().Format("2006-01-02 15:04 UTC")+".")
		return
	}
	if n.facts.FindingsUnknown {
		n.line("info", "auth_token", "Whether signatures were right is not known: the host could not read what it remembers. Check again.")
		return
	}
	n.line("info", "auth_token", "No signed request has come since the options were saved; call the number to try."+address)
}

// staffQuestions asks who is on call for each team that calls can go to: the integration's own, and
// those that its routers name just now or by default. It is empty when everything has been
// answered. Routers come in the first round; the teams they name are known, and asked about, in the
// next. Routers are asked about a caller of whom nothing is known.
func staffQuestions(f integration.Facts, o options.Options) []integration.Question {
	answered := map[string]bool{}
	for _, a := range f.Answers {
		answered[a.ID] = true
	}
	var questions []integration.Question
	ask := func(q integration.Question) {
		if !answered[q.ID] {
			answered[q.ID] = true // once is enough
			questions = append(questions, q)
		}
	}
	for _, d := range f.Destinations {
		if d.Kind == integration.DestinationRouter && !d.Missing {
			ask(effect.AskRoute(d.ID, draft.RoutingFacts(f, call.Caller{}, parameters(call.Caller{}, o))))
		}
	}
	for _, t := range staffTeams(f) {
		ask(effect.AskOnCall(t.ID, 0))
	}
	return questions
}

// staffTeams are the teams that are known so far, each once. Missing ones are left out: staff names
// them by themselves.
func staffTeams(f integration.Facts) []integration.Destination {
	var teams []integration.Destination
	add := func(ds []integration.Destination) {
		for _, d := range ds {
			if d.Kind == integration.DestinationTeam && !d.Missing && !slices.ContainsFunc(teams, func(o integration.Destination) bool { return o.ID == d.ID }) {
				teams = append(teams, d)
			}
		}
	}
	add(f.Destinations)
	for _, a := range f.Answers {
		if a.Route != nil {
			add(a.Route.Receivers)
			add(a.Route.Default)
		}
	}
	return teams
}

// staff says who of those on call now cannot be rung. A person in several layers is named once.
// Phones are looked at here and not dialed.
func (n *numberAction) staff() {
	onCall := map[string]integration.Answer{}
	for _, a := range n.facts.Answers {
		onCall[a.ID] = a
	}
	for _, d := range n.facts.Destinations {
		switch {
		case d.Missing:
			n.line("error", "destinations", "The destination "+d.Name+" does not exist any more; choose another.")
		// Its teams are not known then, so they are missing below as well.
		case d.Kind == integration.DestinationRouter && onCall[effect.AskRoute(d.ID, nil).ID].Route == nil:
			n.line("error", "destinations", "The router "+d.Name+" could not be asked.")
		}
	}
	teams := staffTeams(n.facts)
	if len(teams) == 0 {
		n.line("error", "destinations", "There is no team that a call could go to.")
	}
	for _, t := range teams {
		a := onCall[effect.AskOnCall(t.ID, 0).ID]
		switch {
		case a.Err != nil:
			n.line("warning", "destinations", t.Name+": it is not known who is on call.")
			continue
		case len(a.OnCall) == 0:
			n.line("warning", "destinations", t.Name+": nobody is on call now.")
			continue
		}
		var without, with []string
		for _, e := range a.OnCall {
			switch {
			case len(e.User.Phones) > 0:
				with = append(with, e.User.Name)
			case !slices.Contains(without, e.User.Name):
				without = append(without, e.User.Name)
			}
		}
		n.ownPhones(t.Name, a.OnCall)
		for _, name := range without {
			n.line("warning", "destinations", t.Name+": "+name+" is on call and has no phone on file.")
		}
		switch {
		case len(with) == 0:
			n.line("error", "destinations", t.Name+": nobody who is on call now can be called.")
		case len(without) == 0:
			n.line("ok", "destinations", t.Name+": everybody who is on call now has a phone.")
		}
	}
}
