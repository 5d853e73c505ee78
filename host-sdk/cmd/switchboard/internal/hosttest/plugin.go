// Package hosttest is for tests of the switchboard host: a small plugin, and a host made of the
// real store, platform and engine around it. Only _test files import it: TestDependencyRule of
// integration-tests checks that.
//
//	plugin.go  Plugin: one form field, one secret, one call
//	host.go    New: a host on a database in a temporary directory
//	clock.go   Skipping: a clock on which waits are over at once
package hosttest

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// PluginID is the id of [Plugin].
const PluginID = "testline"

// Schema is the options form of [Plugin]. Its order and odd spacing must reach clients as they are.
const Schema = `{"type":"object", "x-schema-version": 1,
  "properties": {"zeta": {"type":"string","title":"Greeting"},   "alpha": {"type":"string","title":"Token","format":"password","x-secret":true}},
  "required":["zeta"]}`

// Plugin is an integration with a call that begins (field Call of a webhook), makes an alert for
// the first destination, records for two seconds (or as long as the field Recorded says), and ends
// (field End). It keeps nothing in memory, as the real ones.
type Plugin struct {
	// Slow is called with the value of the field Slow of a webhook that has one, before the webhook
	// is answered. nil: nothing is slow.
	Slow func(value string)
	// ID and Version are what it says of itself; "": PluginID and 1.2.3.
	ID, Version string
	// Format is that of all it reads and writes; 0: 1.
	Format int
}

// format is Format, or 1.
func (p Plugin) format() int { return cmp.Or(p.Format, 1) }

// Describe implements integration.Integration.
func (p Plugin) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	return integration.Description{
		ID: cmp.Or(p.ID, PluginID), Name: "Test line", Version: cmp.Or(p.Version, "1.2.3"), ProtocolVersion: integration.ProtocolVersion, ProtocolMinor: integration.ProtocolMinor,
		Formats: integration.Formats{State: p.format(), Task: 1, Path: 1, Options: p.format()},
		Webhook: integration.WebhookDescription{
			SessionField: "Call", SessionPrefix: "/c/", ShapeFields: []string{"Call"}, IgnoredAnswerPaths: []string{"/c/*/status"},
			NotInService: integration.Response{Body: []byte("not in service")}, Refused: integration.Response{Body: []byte("refused")},
			Fallback: integration.FallbackAnswers{Wait: integration.Response{Body: []byte("wait " + integration.FallbackURLMark)}, LastWords: integration.Response{Body: []byte("sorry")}},
		},
		Actions: []integration.ActionDescription{{Name: "greet", Label: "Greet", Help: "Says hello.", Fields: []integration.ActionField{{Name: "who", Label: "Who", Help: "A name.", Required: true}}}},
	}, nil
}

// OptionsSchema implements integration.Integration.
func (p Plugin) OptionsSchema(context.Context, integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return integration.OptionsSchema{Schema: []byte(Schema), Format: p.format()}, nil
}

// options is the options document of [Plugin].
type options struct {
	Zeta  string `json:"zeta"`
	Alpha string `json:"alpha"`
}

// ValidateOptions implements integration.Integration: a greeting is required, a token advised.
func (p Plugin) ValidateOptions(_ context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	var o options
	resp := integration.ValidateOptionsResponse{Options: req.Options, Format: p.format()}
	// The host says so too, in its own words: people read it once.
	if !slices.ContainsFunc(req.Destinations, func(d integration.Destination) bool { return !d.Missing }) {
		resp.Problems = append(resp.Problems, integration.Problem{Path: "destinations", Code: "required", Message: "Choose a team"})
	}
	if err := json.Unmarshal(req.Options, &o); err != nil {
		resp.Problems = append(resp.Problems, integration.Problem{Path: "zeta", Code: "type", Message: "Greeting must be a text"})
		return resp, nil //nolint:nilerr // a refused document is an answer, no error
	}
	if o.Zeta == "" {
		resp.Problems = append(resp.Problems, integration.Problem{Path: "zeta", Code: "required", Message: "Greeting is missing"})
	}
	if o.Alpha == "" {
		resp.Warnings = append(resp.Warnings, integration.Problem{Path: "alpha", Code: "advised", Message: "Token is advised"})
	}
	return resp, nil
}

// HandleWebhook implements integration.Integration. The first webhook of a call makes its alert and
// routes it; End ends the call.
func (p Plugin) HandleWebhook(_ context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	form := req.Form()
	f := req.Facts
	if value := form.Get("Slow"); value != "" && p.Slow != nil {
		p.Slow(value)
	}
	call := &integration.CallView{ID: f.SessionKey, From: form.Get("From"), To: "+12025550199", State: "holding", StartedAt: f.Now,
		Legs: []integration.LegView{{ID: "l1", Role: "caller", Phone: form.Get("From"), State: "talking", StartedAt: f.Now}}}
	update := &integration.SessionUpdate{State: []byte("held"), Format: p.format(), AlertKey: f.SessionKey, Call: call, Live: true}
	out := integration.Outcome{Session: update, Response: &integration.Response{
		Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: []byte("please hold"),
	}}
	if form.Get("End") != "" {
		call.State, call.Ended, call.EndedAt, update.Live = "ended", "hung_up", f.Now, false
		return out, nil
	}
	if f.Session == nil && len(f.Destinations) > 0 {
		out.Alert = []integration.AlertCommand{
			{Number: 1, Kind: integration.AlertCreate, AlertKey: f.SessionKey, At: f.Now, Draft: &integration.AlertDraft{
				Title: "Call from " + form.Get("From"), Description: "A caller waits.", Urgency: f.Instance.Urgency,
				Fields: []integration.AlertField{{Label: "Caller", Value: form.Get("From"), Format: integration.FieldPhone}},
			}},
			{Number: 2, Kind: integration.AlertRoute, AlertKey: f.SessionKey, At: f.Now, Teams: []string{f.Destinations[0].ID}},
		}
		out.Findings = []integration.Finding{{Code: "first-call", Severity: integration.FindingInfo, Message: "A first call came in.", At: f.Now}}
		out.Tasks = []integration.Task{{Name: "record", Generation: 1, Format: 1, Payload: []byte(cmp.Or(form.Get("Recorded"), "2s")), NotAfter: f.Now.Add(time.Hour)}}
	}
	return out, nil
}

// HandleAlert implements integration.Integration.
func (Plugin) HandleAlert(context.Context, integration.AlertRequest) (integration.Outcome, error) {
	return integration.Outcome{}, nil
}

// HandleTask implements integration.Integration: a recording that was fetched is attached.
func (Plugin) HandleTask(_ context.Context, req integration.TaskRequest) (integration.Outcome, error) {
	if req.Event != integration.TaskDone || len(req.Media) == 0 {
		return integration.Outcome{}, nil
	}
	return integration.Outcome{Alert: []integration.AlertCommand{
		{Number: 3, Kind: integration.AlertAttach, AlertKey: req.Facts.SessionKey, At: req.Facts.Now, Media: &req.Media[0], Label: "Voicemail"},
	}}, nil
}

// KeptCall is the call that the plugin refuses to delete.
const KeptCall = "CAkept"

// Perform implements integration.Integration: it fetches a recording. For erasing it says that one
// recording is gone.
func (Plugin) Perform(_ context.Context, r integration.PerformRequest) (integration.TaskResult, error) {
	if r.Task.Name == integration.TaskErase && r.Facts.SessionKey == KeptCall {
		return integration.TaskResult{}, integration.Errorf(integration.KindUnsupported, "the service keeps this call")
	}
	if r.Task.Name == integration.TaskErase {
		return integration.TaskResult{Payload: []byte(`{"recordings":1}`)}, nil
	}
	recorded, err := time.ParseDuration(string(r.Task.Payload))
	return integration.TaskResult{Media: []integration.MediaContent{{
		Name: "voicemail.wav", ContentType: "audio/wav", Data: WAV(recorded), Duration: recorded,
	}}}, err
}

// RunAction implements integration.Integration. greet succeeds, who_would_answer asks a question
// first, break fails with details that nobody may see.
func (Plugin) RunAction(_ context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	switch req.Name {
	case "greet":
		who := req.Values["who"]
		if who == "" {
			return integration.ActionResult{}, integration.Errorf(integration.KindInvalid, "who is missing")
		}
		return integration.ActionResult{OK: true, Lines: []integration.ActionLine{{Level: "ok", Text: "hello " + who}}}, nil
	case integration.ActionWhoWouldAnswer:
		// Asks who is on call for the first destination at that moment.
		if len(req.Facts.Answers) == 0 {
			at, err := time.Parse(time.RFC3339, req.Values[integration.ValueAt])
			if err != nil {
				at = req.Facts.Now
			}
			return integration.ActionResult{Need: []integration.Question{{ID: "q", Kind: integration.AskOnCall, Team: req.Facts.Destinations[0].ID, At: at}}}, nil
		}
		res := integration.ActionResult{OK: req.Values[integration.ValueDigits] != "9"}
		for _, e := range req.Facts.Answers[0].OnCall {
			res.Lines = append(res.Lines, integration.ActionLine{Level: "ok", Text: e.User.Name})
		}
		if !res.OK {
			res.Lines = append(res.Lines, integration.ActionLine{Level: "error", Text: "9 is no key"})
		}
		return res, nil
	case "break":
		return integration.ActionResult{}, integration.Errorf(integration.KindInternal, "broken with details")
	}
	return integration.ActionResult{}, integration.Errorf(integration.KindNotFound, "there is no action %q", req.Name)
}

// WAV is a silent recording: 8 kHz, 16 bit, mono.
func WAV(d time.Duration) []byte {
	n := int(d.Seconds()*8000) * 2
	le := func(v, bytes int) []byte {
		b := make([]byte, bytes)
		for i := range b {
			b[i] = byte(v >> (8 * i))
		}
		return b
	}
	var w []byte
	add := func(parts ...[]byte) {
		for _, p := range parts {
			w = append(w, p...)
		}
	}
	add([]byte("RIFF"), le(36+n, 4), []byte("WAVEfmt "), le(16, 4), le(1, 2), le(1, 2), le(8000, 4), le(16000, 4), le(2, 2), le(16, 2))
	add([]byte("data"), le(n, 4), make([]byte, n))
	return w
}
