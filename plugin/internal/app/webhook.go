package app

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// findingSigned remembers, beside the form, that the auth token has been right since it was saved: from then on a wrong
// signature is not a mistyped token, but somebody else.
const findingSigned = "signature-valid"

// HandleWebhook implements [integration.Integration].
func (a *App) HandleWebhook(_ context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	if strings.HasPrefix(req.Path, mediaPrefix) {
		resp := serveMedia(req)
		return integration.Outcome{Response: &resp}, nil
	}
	r, ok := parseRoute(req.Path)
	if !ok {
		return refused(req, "the path is none of ours"), nil
	}
	parsed := twilio.ParseForm(req.Method, req.URL, req.Body)
	form := parsed.Values
	w := twilio.ParseWebhook(form)
	call := r.call
	if call == "" {
		call = w.CallSID
	}
	f := req.Facts
	if call == "" || (f.SessionKey != "" && f.SessionKey != call) {
		return refused(req, "the request names no call"), nil
	}
	o := a.documents.load(f.Instance)
	auth := authenticate(req, parsed, o.Options)
	if auth == callflow.AuthRefused {
		return refused(req, "the signature is wrong"), nil
	}
	if r.call != "" {
		if !newLinks(f.Instance, call).valid(req.Path, form.Get(queryToken)) {
			return refused(req, "the token in the address is wrong"), nil
		}
		if f.Session == nil {
			return refused(req, "the call is not known"), nil
		}
		if w.CallSID != "" && !r.ofLeg() && w.CallSID != call {
			return refused(req, "the request is about another call"), nil
		}
	}
	if r.call == "" && strings.HasPrefix(w.Direction, "outbound") {
		// A call that we made, sent here by a fallback address: it is no caller.
		resp := farewell(o.Options)
		return integration.Outcome{Response: &resp}, nil
	}
	if f.Session == nil && r.kind == callflow.EventCallStatus {
		resp := document(twiml.New().Bytes()) // a call that never came to us
		return integration.Outcome{Response: &resp}, nil
	}
	out, err := a.step(f, o, event(r, w, form, auth), call, form)
	if err != nil {
		return out, err
	}
	if len(out.Need) == 0 {
		out.Findings = append(out.Findings, signatureFinding(f, auth, r.kind == callflow.EventArrival)...)
	}
	return out, nil
}

// refused is the one fixed sentence, without any effect but a line for the operator.
func refused(req integration.WebhookRequest, why string) integration.Outcome {
	resp := fixed(prompts.KeyRefused)
	return integration.Outcome{Response: &resp, Log: []integration.LogLine{{
		Level: "warn", Message: "request refused: " + why,
		Attrs: map[string]string{"url": withoutToken(req.URL), "method": req.Method, "remote": req.RemoteAddr},
	}}}
}

// withoutToken is the URL that a signature was expected for, less the token in it.
func withoutToken(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	q := u.Query()
	if q.Has(queryToken) {
		q.Set(queryToken, "…")
		u.RawQuery = q.Encode()
	}
	return u.String()
}

func farewell(o options.Options) integration.Response {
	s := newSpeaker(o, nil)
	return document(twiml.New(append(s.prompt(callflow.Prompt{Key: callflow.PromptGoodbye}), twiml.Hangup{})...).Bytes())
}

// authenticate says what is known of a request's origin.
func authenticate(req integration.WebhookRequest, form twilio.Form, o options.Options) callflow.Auth {
	tokens := o.Account.AuthTokens
	if len(tokens) == 0 {
		return callflow.AuthNoToken
	}
	signature := ""
	if v := req.Header[twilio.SignatureHeader]; len(v) > 0 {
		signature = v[0]
	}
	if twilio.ValidSignature(tokens, req.URL, form, signature) {
		return callflow.AuthSigned
	}
	if signedSinceSaved(req.Facts) {
		return callflow.AuthRefused
	}
	return callflow.AuthMismatch
}

func signedSinceSaved(f integration.Facts) bool {
	for _, x := range f.Findings {
		if x.Code == findingSigned && x.Severity != integration.FindingClear && !x.At.Before(f.Instance.SavedAt) {
			return true
		}
	}
	return false
}

// signedEvery is how often the time of the last valid signature is brought up to date, by arriving calls alone: the quiet tick
// stays quiet.
const signedEvery = time.Hour

func signatureFinding(f integration.Facts, auth callflow.Auth, arrival bool) []integration.Finding {
	if auth != callflow.AuthSigned {
		return nil
	}
	for _, x := range f.Findings {
		if x.Code == findingSigned && signedSinceSaved(f) && (!arrival || f.Now.Sub(x.At) < signedEvery) {
			return nil
		}
	}
	return []integration.Finding{{
		Code: findingSigned, Severity: integration.FindingInfo, Field: "auth_token", At: f.Now,
		Message: "Requests carry valid signatures: the Auth Token is right. Requests without one are refused from now on.",
	}}
}

// event is a request in the call flow's words.
func event(r route, w twilio.Webhook, form url.Values, auth callflow.Auth) callflow.Event {
	e := callflow.Event{
		Kind: r.kind, Auth: auth, Leg: r.leg, CallStatus: callflow.CallStatus(w.CallStatus),
		Step: atoi(form.Get(queryStep)), Tick: atoi(form.Get(queryTick)), Digits: w.Digits,
		QueueSid: w.QueueSID, QueueResult: w.QueueResult, DequeuedBy: w.DequeuingCallSID, Bridged: w.DialBridged,
		RecordingSid: w.RecordingSID, RecordingStatus: w.RecordingStatus,
	}
	if r.ofLeg() {
		e.CallSid = w.CallSID
	} else {
		e.Caller = caller(r, w)
	}
	switch r.kind {
	case callflow.EventRecorded, callflow.EventRecording:
		e.Seconds = seconds(w.RecordingDuration)
	case callflow.EventLegEnded:
		e.Seconds = seconds(w.DialCallDuration)
	case callflow.EventLegStatus, callflow.EventCallStatus:
		e.Seconds = seconds(w.CallDuration)
	case callflow.EventTranscription:
		if w.TranscriptionStatus == "completed" {
			e.Text = w.TranscriptionText
		}
	default:
	}
	return e
}

// caller is what the request tells of the caller; nil where it tells nothing, as callbacks about recordings do.
func caller(r route, w twilio.Webhook) *callflow.Caller {
	sid := w.CallSID
	if sid == "" {
		sid = r.call
	}
	if w.From.Raw == "" && w.To.Raw == "" && r.call != "" {
		return nil
	}
	return &callflow.Caller{
		Sid: sid, Number: w.From.E164, Address: w.From.Address(), Called: w.To.E164, Name: w.CallerName,
		City: w.FromCity, State: w.FromState, Zip: w.FromZip, Country: w.FromCountry, Forward: w.ForwardedFrom.E164,
	}
}

// atoi reads a number that we wrote into a URL; anything else is 0.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1e6 {
		return 0
	}
	return n
}

func seconds(d time.Duration) int { return int(d / time.Second) }
