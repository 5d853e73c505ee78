package app

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/render"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// HandleWebhook implements [integration.Integration]. Everything that can be refused is refused
// before the call flow sees it, the cheapest check first; a refused request changes nothing. What
// is refused and what is merely not trusted differ: a wrong signature is passed on
// ([event.Auth]), since a token changed at Twilio must not lose calls.
func (a *App) HandleWebhook(_ context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	if strings.HasPrefix(req.Path, endpoint.MediaPrefix) {
		resp := endpoint.ServeMusic(req)
		return integration.Outcome{Response: &resp}, nil
	}
	if key, ok := endpoint.ParseRing(req.Path); ok {
		return a.testRing(req, key), nil
	}
	r, ok := endpoint.ParseRoute(req.Path)
	if !ok {
		return refused(req, "the path is none of ours"), nil
	}
	parsed := twilio.ParseForm(req.Method, req.URL, req.Body)
	if parsed.TooMany {
		return refused(req, "it has more fields than a request of Twilio"), nil
	}
	form := parsed.Values
	w := twilio.ParseWebhook(form)
	// Paths of a call name it; the first request of a call names it in its body alone.
	call := r.Call
	if call == "" {
		call = w.CallSID
	}
	f := req.Facts
	if call == "" || (f.SessionKey != "" && f.SessionKey != call) {
		return refused(req, "the request names no call"), nil
	}
	o := a.documents.load(f.Instance)
	// A request that opens a session must name the account. One of a known call need not, but must
	// not name another.
	if account := w.AccountSID; account != o.Account.SID && (account != "" || f.Session == nil) {
		return refused(req, "the request is about another account, or names none"), nil
	}
	auth := endpoint.Authenticate(req, parsed, o.Account.AuthTokens)
	if r.Call != "" {
		if !endpoint.NewLinks(f.Instance, call).Valid(req.Path, form.Get(endpoint.QueryToken)) {
			return refused(req, "the token in the address is wrong"), nil
		}
		if f.Session == nil {
			return refused(req, "the call is not known"), nil
		}
		// A request of a leg has the CallSid of the responder's call, which the flow compares.
		if w.CallSID != "" && !r.OfLeg() && w.CallSID != call {
			return refused(req, "the request is about another call"), nil
		}
	}
	if r.Call == "" && strings.HasPrefix(w.Direction, "outbound") {
		// A call that we made, sent here by a fallback address: it is no caller, and goes back to
		// its own address, which alone says what it is about.
		resp := render.Farewell(o.Options)
		if address := endpoint.NewLinks(f.Instance, "").LegAddress(w.ErrorURL); address != "" && !event.Status(w.CallStatus).Over() {
			resp = render.GoOn(address)
		}
		return integration.Outcome{Response: &resp}, nil
	}
	if f.Session == nil && r.Kind == event.CallStatus {
		resp := render.Document(twiml.New().Bytes()) // a call that never came to us
		return integration.Outcome{Response: &resp}, nil
	}
	e := eventOf(r, w, form, auth, f.Session == nil, o)
	// The host may have kept the request while the plugin was away, so now is not when it happened.
	e.ReceivedAt = req.ReceivedAt
	readFailure(&e, req, w)
	out, err := a.step(f, o, e, call)
	if err != nil {
		return out, err
	}
	// An outcome with questions is thrown away: log lines and findings belong to the last one.
	if len(out.Need) == 0 {
		if w.ErrorURL != "" {
			address := oneline.Clean(withoutToken(w.ErrorURL), maxLogged)
			if r.OfLeg() && e.FailedRequest == "" {
				address = "of a recording" // whoever knows it can listen
			}
			out.Log = append(out.Log, integration.LogLine{Level: "warn", Message: "Twilio could not use a document or a file", Attrs: map[string]string{
				"call": call, "code": w.ErrorCode, "url": address,
			}})
		}
		out.Findings = append(out.Findings, endpoint.SignatureFinding(f, o.Account, auth, r.Kind == event.Arrival)...)
	}
	return out, nil
}

// fallbackPath ends the addresses to which Twilio turns when it cannot go on with a document.
const fallbackPath = "/resume"

// readFailure adds to an event what failed, if Twilio says so: a request of ours, or an address
// that is not ours, of a sound file. Twilio quotes the address that failed, with our token in it if
// it is ours.
func readFailure(e *event.Event, req integration.WebhookRequest, w twilio.Webhook) {
	e.Fallback = strings.HasSuffix(req.Path, fallbackPath)
	path, ours := strings.CutPrefix(w.ErrorURL, strings.TrimSuffix(req.Facts.Instance.EndpointURL, "/"))
	if !ours || w.ErrorURL == "" {
		return
	}
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "?")
	if r, ok := endpoint.ParseRoute(path); ok {
		e.FailedRequest = r.Kind
	}
}

// refused is the one fixed sentence, without any effect but a line for the operator. The sentence
// does not say why, so that a forger learns nothing.
func refused(req integration.WebhookRequest, why string) integration.Outcome {
	resp := render.Fixed(prompts.KeyRefused)
	return integration.Outcome{Response: &resp, Log: []integration.LogLine{{
		Level: "warn", Message: "request refused: " + why,
		Attrs: map[string]string{
			"url": oneline.Clean(withoutToken(req.URL), maxLogged), "method": oneline.Clean(req.Method, maxLogged), "remote": oneline.Clean(req.RemoteAddr, maxLogged),
		},
	}}}
}

// maxLogged bounds what a log line quotes of a request, in characters. What is not Twilio's may
// say anything, at any length.
const maxLogged = 300

// withoutToken is the URL that a signature was expected for, less the token in it.
func withoutToken(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	q := u.Query()
	if q.Has(endpoint.QueryToken) {
		q.Set(endpoint.QueryToken, "…")
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// eventOf is a request in the call flow's words. It copies what the kind documents and interprets
// nothing: the call flow decides what a field means.
func eventOf(r endpoint.Route, w twilio.Webhook, form url.Values, auth event.Auth, arrival bool, o settings) event.Event {
	e := event.Event{
		Kind: r.Kind, Auth: auth, Leg: r.Leg, CallStatus: event.Status(w.CallStatus),
		Step: atoi(form.Get(endpoint.QueryStep)), Tick: atoi(form.Get(endpoint.QueryTick)), Said: time.Duration(atoi(form.Get(endpoint.QuerySaid))) * time.Second, Digits: w.Digits,
		QueueSid: w.QueueSID, QueueResult: w.QueueResult, DequeuedBy: w.DequeuingCallSID, Bridged: event.Bridge(w.DialBridged),
		QueueTime: w.QueueTime, RecordingSid: w.RecordingSID, RecordingStatus: w.RecordingStatus, Code: w.ErrorCode, ErrorURL: w.ErrorURL,
	}
	if arrival {
		e.Parameters = endpoint.Parameters(form)
	}
	switch {
	case r.OfLeg():
		e.CallSid = w.CallSID
	case arrival: // later requests tell nothing new of the caller
		e.Caller = caller(r, w, o)
	}
	if r.Kind == event.LegJoins {
		e.Phone = w.To
	}
	switch r.Kind {
	case event.Recorded, event.Recording:
		e.Seconds = seconds(w.RecordingDuration)
	case event.LegEnded:
		e.Seconds = seconds(w.DialCallDuration)
	case event.LegStatus:
		e.Seconds, e.Detail = seconds(w.CallDuration), carrierAnswer(w)
	case event.CallStatus:
		e.Seconds = seconds(w.CallDuration)
	case event.Transcription:
		if w.TranscriptionStatus == "completed" {
			e.Text = w.TranscriptionText
		}
	default:
	}
	return e
}

// caller is what the request tells of the caller; nil where it tells nothing, as callbacks about
// recordings do. Texts are Twilio's words about the number, already cleaned and cut by package
// twilio.
func caller(r endpoint.Route, w twilio.Webhook, o settings) *call.Caller {
	sid := w.CallSID
	if sid == "" {
		sid = r.Call
	}
	if w.From == "" && w.To == "" && r.Call != "" {
		return nil
	}
	from := phone.ReadCaller(w.From, o.Country)
	called, forward := phone.ReadCaller(w.To, o.Country), phone.ReadCaller(w.ForwardedFrom, o.Country)
	// A call whose both ends are the same number comes from the hotline itself: see the Loop field.
	return &call.Caller{
		Sid: sid, Number: from.Number, Address: from.Address, Withheld: from.Withheld, Called: called.Number,
		Banned: phone.Banned(o.Banned, from), Loop: from.Number != "" && from.Number == called.Number, Name: w.CallerName,
		City: w.FromCity, State: w.FromState, Zip: w.FromZip, Country: w.FromCountry, Forward: forward.Number,
		Attest: w.StirVerstat,
	}
}

// carrierAnswer says why the carrier did not complete a call that we made; "" where it does not
// say.
func carrierAnswer(w twilio.Webhook) string {
	var said []string
	if w.SIPResponseCode != "" && w.SIPResponseCode != "200" {
		said = append(said, "the carrier answered with SIP code "+w.SIPResponseCode)
	}
	if w.ErrorCode != "" {
		said = append(said, "Twilio's error code is "+w.ErrorCode)
	}
	if len(said) == 0 {
		return ""
	}
	text := strings.Join(said, "; ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}

// atoi reads a number that we wrote into a URL; anything else is 0, and so is what is larger than
// any step or tick can become.
func atoi(s string) int {
	if s == "" {
		return 0 // no error has to be made
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1e6 {
		return 0
	}
	return n
}

func seconds(d time.Duration) int { return int(d / time.Second) }
