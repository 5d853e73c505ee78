package app

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/actions"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/render"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
	"github.com/livecallrouting/livecall/plugin/internal/twiml/twimltest"
)

var refusedBody = string(render.Fixed(prompts.KeyRefused).Body)

// isRefused sends a request that must get the fixed sentence and have no effect.
func (h *host) isRefused(name string, req integration.WebhookRequest) {
	h.t.Helper()
	before, session := h.writes, h.session
	doc := h.send(req)
	if got := string(doc.Bytes()); got != refusedBody {
		h.t.Errorf("%s: answered\n%s", name, got)
	}
	if h.writes != before || h.session != session {
		h.t.Errorf("%s: it had an effect", name)
	}
}

func form(pairs ...string) url.Values {
	f := url.Values{"CallSid": {callSID}, "AccountSid": {accountSID}, "From": {callerNum}, "To": {calledNum}, "CallStatus": {"in-progress"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}

func TestPT04ForgedRequestsOfAKnownCall(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	_, next := h.hold()
	h.token = "wrongtoken"
	h.isRefused("arrival of the known call", h.request(endpointURL, form()))
	h.isRefused("status", h.request(endpointURL+"/status", form("CallStatus", "completed")))
	h.token = authToken
	h.isRefused("another account", h.request(next, form("AccountSid", "AC"+strings.Repeat("9", 32), "QueueSid", queueSID)))
	h.token = ""
	h.isRefused("unsigned", h.request(endpointURL, form()))
	line := h.log[len(h.log)-1]
	if line.Level != "warn" || !strings.HasPrefix(line.Attrs["url"], endpointURL) {
		t.Errorf("log line %+v", line)
	}
}

// A forged call gets a place in the queue, music, and nothing else.
func TestAWrongSignatureWakesNobody(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.token = "forged"
	h.twilio.answer["GET /Calls/"+callSID+".json"] = "404"
	find[twiml.Enqueue](t, h.post(endpointURL, "CallStatus", "ringing"))
	h.pass(time.Minute)
	if len(h.cmds) > 0 || h.twilio.count("POST /Calls.json") > 0 || len(h.finds) > 0 {
		t.Errorf("commands %q, findings %+v", h.kinds(), h.finds)
	}
}

func TestAChangedAuthTokenLosesNoCallsAndIsTold(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.hold() // the token was right
	account := h.account()
	if endpoint.LastSigned(h.facts(callSID), account).IsZero() {
		t.Fatal("a valid signature is not remembered")
	}
	h.session, h.alert, h.cmds = nil, nil, nil
	h.token = "changed-at-twilio"
	find[twiml.Enqueue](t, h.post(endpointURL, "CallStatus", "ringing"))
	if len(h.cmds) > 0 {
		t.Error("an alert was made before Twilio confirmed the call")
	}
	h.pass(time.Second)
	if !strings.Contains(h.kinds(), "route") || h.twilio.count("GET /Calls/"+callSID+".json") != 1 {
		t.Errorf("commands %q", h.kinds())
	}
	if f := h.finds["signature-mismatch"]; f.Severity != integration.FindingError || !strings.Contains(f.Message, "changed at Twilio") {
		t.Errorf("findings %+v", h.finds)
	}
	if !endpoint.LastSigned(h.facts(callSID), account).IsZero() {
		t.Error("the form still says that the token is right")
	}
}

// Renaming an integration, or changing any option but account, region and token, changes nothing of
// what is known of the token.
func TestOnlyAnotherTokenForgetsThatItWasRight(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.hold()
	account := h.account()
	h.inst.SavedAt, h.inst.Name, h.inst.Revision = h.now.Add(time.Second), "Renamed", h.inst.Revision+1
	if endpoint.LastSigned(h.facts(callSID), account).IsZero() {
		t.Error("a save makes the token unknown")
	}
	account.AuthTokens = []string{"another"}
	if !endpoint.LastSigned(h.facts(callSID), account).IsZero() {
		t.Error("another token counts as right")
	}
}

func TestWithoutTokenTwilioIsAsked(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"auth_token": "", "voicemail": true})
	h.token = ""
	h.twilio.answer["GET /Calls/"+callSID+".json"] = "404"
	enqueue, next := h.hold()
	h.pass(20 * time.Second)
	if strings.Contains(h.kinds(), "route") || h.twilio.count("POST /Calls.json") != 0 {
		t.Errorf("woken by a call that Twilio does not know: %q", h.kinds())
	}
	if _, ok := h.finds["calls-not-found"]; !ok {
		t.Errorf("findings %+v", h.finds)
	}
	find[twiml.Leave](t, h.post(next, "QueueSid", queueSID, "QueueTime", "20"))
	find[twiml.Record](t, h.post(enqueue.Action, "QueueResult", "leave"))

	down := newHost(t, map[string]any{"auth_token": ""})
	down.token = ""
	down.twilio.answer["GET /Calls/"+callSID+".json"] = "503"
	down.hold()
	down.pass(12 * time.Second)
	if !strings.Contains(down.kinds(), "route") {
		t.Errorf("Twilio cannot be asked, and nobody is paged: %q", down.kinds())
	}
}

func TestForgedAndStrayRequests(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	_, next := h.hold()
	base, _, _ := strings.Cut(next, "#")
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	token := u.Query().Get("t")
	other := "CA" + strings.Repeat("77", 16)
	many := form("CallSid", other)
	for i := range twilio.MaxFields {
		many.Set("Field"+strconv.Itoa(i), "x")
	}
	for name, req := range map[string]integration.WebhookRequest{
		"wrong token":            h.request(strings.Replace(base, "t="+token, "t="+strings.Repeat("A", len(token)), 1), form()),
		"no token":               h.request(endpointURL+"/c/"+callSID+"/hold", form()),
		"token of another path":  h.request(strings.Replace(base, "/hold?", "/voicemail?", 1), form()),
		"unknown call":           h.request(endpoint.NewLinks(h.inst, other).At(event.MenuKeys, 1), form("CallSid", other)),
		"another call's request": h.request(base, form("CallSid", other)),
		"unknown path":           h.request(endpointURL+"/admin", form()),
		"unknown sub-path":       h.request(endpointURL+"/c/"+callSID+"/secret", form()),
		"bad leg":                h.request(endpointURL+"/c/"+callSID+"/leg/0/key", form()),
		"signed, other account":  h.request(endpointURL, form("CallSid", other, "AccountSid", "AC"+strings.Repeat("9", 32))),
		"signed, no account":     h.request(endpointURL, form("CallSid", other, "AccountSid", "")),
		"signed, many fields":    h.request(endpointURL, many),
		"many fields of a call":  h.request(base, many),
		"no call named":          h.request(endpointURL, url.Values{}),
		"malformed CallSid":      h.request(endpointURL, form("CallSid", "CA../../x")),
		"garbage body":           {Method: "POST", URL: endpointURL, Path: "/", Body: []byte("\x00%zz;;;"), Header: map[string][]string{}},
		"browser":                {Method: "GET", URL: endpointURL, Path: "/", Header: map[string][]string{}},
	} {
		h.isRefused(name, req)
	}
	forged := newHost(t, nil)
	forged.inst.TokenKey = nil // a host without a key issues nothing that could be valid
	forged.session = h.session
	forged.isRefused("no key", forged.request(endpoint.NewLinks(forged.inst, callSID).At(event.Tick, 1), form()))
}

func TestALogLineQuotesLittleOfWhatIsNotTwilios(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	_, next := h.hold()
	h.send(h.request(endpointURL+"/admin?x="+strings.Repeat("x", 50_000), form()))
	h.post(next, "QueueSid", queueSID, "ErrorCode", "11200", "ErrorUrl", "https://x.example.com/"+strings.Repeat("y", 50_000))
	if len(h.log) < 2 {
		t.Fatalf("log %+v", h.log)
	}
	for _, line := range h.log {
		for name, value := range line.Attrs {
			if len(value) > 4*maxLogged {
				t.Errorf("%q: %s has %d bytes", line.Message, name, len(value))
			}
		}
	}
}

func TestStatusOfUnknownCallDoesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	before := h.writes
	if doc := h.post(endpointURL+"/status", "CallStatus", "completed"); len(doc.Verbs) != 0 || h.session != nil || h.writes > before+1 {
		t.Errorf("PT68: %+v", doc)
	}
}

func TestOurOwnCallsAreNoCallers(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	for _, path := range []string{"", "/resume"} {
		doc := h.post(endpointURL+path, "CallSid", legSID, "Direction", "outbound-api")
		says(t, doc, words(reply.PromptGoodbye, prompts.Args{}))
		if h.session != nil || len(h.cmds) > 0 {
			t.Errorf("%s: a call of ours became a caller", path)
		}
	}
}

func TestALegThatTurnsToThePlainFallbackGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.hold()
	h.acknowledge("alice")
	h.pass(2 * time.Second)
	answer := h.twilio.form("POST /Calls.json").Get("Url")
	plain, _, _ := strings.Cut(answer, "#")
	resume := func(failed string, more ...string) twiml.Document {
		return h.post(endpointURL+"/resume", append([]string{"CallSid", legSID, "Direction", "outbound-api", "ErrorUrl", failed, "ErrorCode", "11200"}, more...)...)
	}
	for _, failed := range []string{answer, plain} {
		if to := find[twiml.Redirect](t, resume(failed)); to.URL != answer {
			t.Errorf("the leg goes to %s, want %s", to.URL, answer)
		}
	}
	find[twiml.Gather](t, h.post(answer, "CallSid", legSID, "From", calledNum, "To", alicePhon, "Direction", "outbound-api"))
	for name, doc := range map[string]twiml.Document{
		"somebody else's address": resume("https://elsewhere.example.com/leg"),
		"a caller's address":      resume(endpoint.NewLinks(h.inst, callSID).At(event.Tick, 1)),
		"a wrong token":           resume(plain + "x"),
		"nothing failed":          resume(""),
		"a leg that is over":      resume(answer, "CallStatus", "completed"),
	} {
		if slices.ContainsFunc(doc.Verbs, func(v twiml.Verb) bool { _, ok := v.(twiml.Redirect); return ok }) {
			t.Errorf("%s: %+v", name, doc)
		}
	}
}

func TestArrivalByGet(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	address := endpointURL + "?" + form("CallStatus", "ringing").Encode()
	req := integration.WebhookRequest{Method: "GET", URL: address, Path: "/", Header: map[string][]string{"X-Twilio-Signature": {sign(authToken, address, nil)}}}
	find[twiml.Enqueue](t, h.send(req))
}

func TestRepeatedRequestsChangeNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.dests = append(h.dests, integration.Destination{Kind: integration.DestinationTeam, ID: "support", Name: "Customer Support"})
	gather := find[twiml.Gather](t, h.post(endpointURL, "CallStatus", "ringing"))
	find[twiml.Gather](t, h.post(endpointURL, "CallStatus", "ringing"))
	first := h.post(gather.Action, "Digits", "1")
	second := h.post(gather.Action, "Digits", "2") // late: the first key counted
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("PT42: %s", diff)
	}
	if h.kinds() != "create route" || h.view.TeamName != "Customer Support" {
		t.Errorf("PT42: commands %q, team %q", h.kinds(), h.view.TeamName)
	}
	find[twiml.Enqueue](t, h.post(endpointURL+"/resume"))
	find[twiml.Enqueue](t, h.post(endpointURL))
}

func TestCanariesReachNothing(t *testing.T) {
	t.Parallel()
	const canary = "canary0secret"
	h := newHost(t, map[string]any{"api_secret": canary, "auth_token": canary + "1", "auth_token_previous": canary + "2"})
	h.token = canary + "1"
	h.twilio.answer["POST /Calls.json"] = "401"
	h.hold()
	h.acknowledge("alice")
	h.pass(10 * time.Minute)
	h.token = "wrong"
	h.send(h.request(endpointURL, form()))
	res, err := h.app.RunAction(context.Background(), integration.ActionRequest{Facts: h.facts(integration.IntegrationSessionKey), Name: actions.Check})
	if err != nil {
		t.Fatal(err)
	}
	val, err := h.app.ValidateOptions(context.Background(), integration.ValidateOptionsRequest{Options: h.inst.Options, Instance: h.inst, Destinations: h.dests, Online: true})
	if err != nil {
		t.Fatal(err)
	}
	val.Options = nil
	var all strings.Builder
	for _, x := range []any{h.log, h.cmds, h.tasks, h.finds, h.mails, h.view, res, val} {
		all.Write(encode(x))
	}
	all.Write(h.session.State)
	if strings.Contains(all.String(), canary) {
		t.Error("a secret is in what the plugin hands out")
	}
}

func FuzzHandleWebhook(f *testing.F) {
	f.Add("/", "CallSid="+callSID+"&From=anonymous", "", true)
	f.Add("/c/"+callSID+"/hold", "Digits=*", "s=1&n=2", true)
	f.Add("/c/"+callSID+"/leg/1/key", "Digits=1&CallSid="+legSID, "s=99999999999", false)
	f.Add("/media/music-0.wav", "", "", true)
	for _, kind := range callflow.Kinds() {
		if !callflow.Request(kind) {
			continue
		}
		path := strings.NewReplacer("{call}", callSID, "{leg}", "1").Replace(callflow.Paths(kind)[0])
		f.Add(path, "QueueResult=error&RecordingStatus=absent&DialBridged=maybe&CallStatus=weird", "s=2", true)
	}
	h := newHost(f, map[string]any{"auth_token": "", "voicemail": true})
	h.hold()
	facts := h.facts(callSID) // handlers are pure: one call serves all
	f.Fuzz(func(t *testing.T, path, body, query string, post bool) {
		method := "GET"
		if post {
			method = "POST"
		}
		l := endpoint.NewLinks(h.inst, callSID)
		req := integration.WebhookRequest{Facts: facts, Method: method, URL: endpointURL + path + "?" + query + "&t=" + l.Token(path), Path: path, Body: []byte(body)}
		out, err := h.app.HandleWebhook(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Need) > 0 {
			return
		}
		if out.Response == nil {
			t.Fatal("no answer")
		}
		if strings.HasPrefix(path, "/media/") {
			return
		}
		if _, err := twimltest.Decode(out.Response.Body); err != nil {
			t.Fatalf("%v\n%s", err, out.Response.Body)
		}
	})
}
