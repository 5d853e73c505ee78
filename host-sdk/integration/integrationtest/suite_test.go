package integrationtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// The suite is tested by an integration that does all right, and by the same one with one defect at
// a time: the suite must pass the first, and fail the others in the subtest that is about the
// defect.

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func configOf(i integration.Integration) Config {
	options := []byte(`{"account":"A1","secret":"s3cret+value","limit":5}`)
	return Config{
		New:     func(testing.TB) integration.Integration { return i },
		Options: options,
		Webhook: integration.WebhookRequest{
			Facts: integration.Facts{
				Now: now, SessionKey: "C1",
				Instance: integration.Instance{
					ID: "int_1", Options: options, OptionsFormat: 1, Revision: 1, State: integration.HostActive,
					EndpointURL: "https://host.example.com/integrations/int_1", TokenKey: []byte("32 bytes, nearly, of key material"),
				},
				Destinations: []integration.Destination{{Kind: integration.DestinationTeam, ID: "t1", Name: "DevOps"}},
			},
			Method: "POST", URL: "https://host.example.com/integrations/int_1", Path: "/",
			Header: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}},
			Body:   []byte("ConversationId=C1&From=%2B12025550143"),
		},
	}
}

func TestGoodIntegrationPasses(t *testing.T) {
	t.Parallel()
	TestIntegration(t, configOf(example{}))
}

const defectVariable = "INTEGRATIONTEST_DEFECT"

// TestDefective runs the suite on a defective integration; it is run by TestDefectsAreFound, in a
// process of its own.
func TestDefective(t *testing.T) {
	defect := os.Getenv(defectVariable)
	if defect == "" {
		t.SkipNow() // only ever run by TestDefectsAreFound
	}
	TestIntegration(t, configOf(example{defect: defect}))
}

func TestDefectsAreFound(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	failed := regexp.MustCompile(`--- FAIL: TestDefective/(\S+)`)
	for defect, where := range map[string]string{
		"no-version":             "Describe/complete",
		"no-fallback-mark":       "Describe/complete",
		"describe-varies":        "Describe/constant",
		"schema-2020":            "OptionsSchema/form",
		"schema-order":           "OptionsSchema/form",
		"schema-remote-ref":      "OptionsSchema/form",
		"secret-in-clear":        "OptionsSchema/secrets",
		"schema-varies":          "OptionsSchema/constant",
		"valid-refused":          "ValidateOptions/valid",
		"save-not-stable":        "ValidateOptions/valid",
		"empty-accepted":         "ValidateOptions/empty",
		"problem-without-path":   "ValidateOptions/empty",
		"garbage-panics":         "ValidateOptions/garbage",
		"types-accepted":         "ValidateOptions/types",
		"unknown-fields-dropped": "ValidateOptions/unknown_fields",
		"secret-echoed":          "ValidateOptions/no_secret_in_answers",
		"newer-options-accepted": "ValidateOptions/newer_format",
		"begins-nothing":         "HandleWebhook/begins_a_session",
		"asks-for-ever":          "HandleWebhook/begins_a_session",
		"status-500":             "HandleWebhook/begins_a_session",
		"huge-answer":            "HandleWebhook/begins_a_session",
		"changes-request":        "HandleWebhook/pure",
		"random-outcome":         "HandleWebhook/pure",
		"own-clock":              "HandleWebhook/pure",
		"stateful":               "HandleWebhook/concurrent",
		"garbage-begins":         "HandleWebhook/garbage",
		"garbage-fails":          "HandleWebhook/garbage",
		"secret-in-state":        "HandleWebhook/no_secret_leaves",
		"key-in-url":             "HandleWebhook/no_secret_leaves",
		"newer-overwritten":      "HandleWebhook/newer_state",
		"broken-state-panics":    "HandleWebhook/broken_state",
		"http-error-on-state":    "HandleWebhook/host_states",
		"alert-answers":          "HandleAlert/unknown_session",
		"alert-fails":            "HandleAlert/pure",
		"unknown-task-fails":     "HandleTask/unknown",
		"task-changes-request":   "HandleTask/pure",
		"host-timer-fails":       "HandleTask/timers_of_the_host",
		"reserved-timer":         "HandleWebhook/begins_a_session",
		"waits-for-nobody":       "HandleWebhook/begins_a_session",
		"media-no-reference":     "HandleWebhook/begins_a_session",
		"heard-by-nobody":        "HandleWebhook/begins_a_session",
		"deleted-fails":          "HandleWebhook/deleted",
		"seen-before-the-call":   "HandleWebhook/seen",
		"seen-changes-answers":   "HandleWebhook/seen",
		"seen-by-a-timer":        "HandleTask/timers_of_the_host",
		"media-url-in-state":     "HandleWebhook/media_addresses",
		"declines-anywhere":      "HandleWebhook/older_host",
		"asks-anywhere":          "HandleWebhook/older_host",
		"foreign-format":         "HandleWebhook/write_formats",
		"unknown-performed":      "Perform/unknown",
		"foreign-error":          "Perform/unknown",
		"unknown-action-runs":    "RunAction/unknown",
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, self, "-test.run=^TestDefective$", "-test.v")
			cmd.Env = append(os.Environ(), defectVariable+"="+defect)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("the suite passes it")
			}
			var found []string
			for _, m := range failed.FindAllStringSubmatch(string(out), -1) {
				found = append(found, m[1])
			}
			if !slices.Contains(found, where) {
				t.Errorf("found in %q, want %s\n%s", found, where, out)
			}
		})
	}
}

// example is an integration with a form of three fields that counts the requests of a conversation.
type example struct {
	defect string
}

var counter int

const exampleSchema = `{
	"$schema": "http://json-schema.org/draft-07/schema#",
	"type": "object",
	"x-schema-version": 1,
	"required": ["account", "secret"],
	"properties": {
		"account": {"type": "string", "title": "Account", "propertyOrder": 1},
		"secret": {"type": "string", "title": "Secret", "format": "password", "writeOnly": true, "x-secret": true, "propertyOrder": 2},
		"limit": {"type": "integer", "title": "Limit", "default": 3, "propertyOrder": 3}
	}
}`

func said(text string) integration.Response {
	return integration.Response{Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: []byte(text)}
}

func (e example) fallback() integration.FallbackAnswers {
	f := integration.FallbackAnswers{
		Wait: said("please hold, again at " + integration.FallbackURLMark), LastWords: said("goodbye"), For: time.Minute,
	}
	if e.defect == "no-fallback-mark" {
		f.Wait = said("please hold")
	}
	return f
}

func (e example) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	d := integration.Description{
		ID: "example", Name: "Example", Version: "1.0.0",
		ProtocolVersion: integration.ProtocolVersion, ProtocolMinor: integration.ProtocolMinor,
		Formats: integration.Formats{State: 1, Task: 1, Path: 1, Options: 1},
		Webhook: integration.WebhookDescription{
			SessionField: "ConversationId", SessionPrefix: "/c/", ShapeFields: []string{"ConversationId"},
			IgnoredAnswerPaths: []string{"/status"},
			NotInService:       said("not in service"), Refused: said("refused"), Fallback: e.fallback(),
		},
		Actions:  []integration.ActionDescription{{Name: "check", Label: "Check", Help: "Checks the account."}},
		Periodic: []integration.PeriodicTask{{Name: "sweep", Every: time.Hour}},
	}
	switch e.defect {
	case "no-version":
		d.Version = ""
	case "describe-varies":
		d.Name = fmt.Sprint(rand.Int()) //nolint:gosec // not a secret
	}
	return d, nil
}

func (e example) OptionsSchema(context.Context, integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	text := exampleSchema
	switch e.defect {
	case "schema-2020":
		text = strings.Replace(text, "http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema", 1)
	case "schema-order":
		text = strings.Replace(text, `"propertyOrder": 1`, `"propertyOrder": 9`, 1)
	case "schema-remote-ref":
		text = strings.Replace(text, `"title": "Limit"`, `"title": "Limit", "$ref": "file:///etc/passwd"`, 1)
	case "secret-in-clear":
		text = strings.Replace(text, `"format": "password", "writeOnly": true, "x-secret": true, `, ``, 1)
	case "schema-varies":
		text += strings.Repeat(" ", rand.IntN(1000)) //nolint:gosec // not a secret
	}
	return integration.OptionsSchema{Schema: []byte(text), Format: 1}, nil
}

func (e example) ValidateOptions(_ context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	if req.Format > 1 && e.defect != "newer-options-accepted" {
		return integration.ValidateOptionsResponse{}, integration.Errorf(integration.KindUnsupported, "options of format %d: upgrade the plugin", req.Format)
	}
	doc := map[string]json.RawMessage{}
	if err := json.Unmarshal(req.Options, &doc); err != nil || doc == nil {
		if e.defect == "garbage-panics" {
			panic(err)
		}
		return integration.ValidateOptionsResponse{Problems: []integration.Problem{{Code: "type", Message: "The options are no JSON object."}}}, nil
	}
	resp := integration.ValidateOptionsResponse{Options: req.Options, Format: 1, Fallback: e.fallback()}
	problem := func(path, code, message string) {
		if e.defect == "problem-without-path" {
			path = "no_such_field"
		}
		resp.Problems = append(resp.Problems, integration.Problem{Path: path, Code: code, Message: message})
	}
	for _, name := range []string{"account", "secret"} {
		var text string
		switch value, there := doc[name]; {
		case !there:
			if e.defect != "empty-accepted" {
				problem(name, "required", "Fill in "+name+".")
			}
		case json.Unmarshal(value, &text) != nil && e.defect != "types-accepted":
			message := name + " must be text."
			if e.defect == "secret-echoed" {
				message += " It is " + string(value)
			}
			problem(name, "type", message)
		}
	}
	var limit int
	if value, there := doc["limit"]; there && json.Unmarshal(value, &limit) != nil && e.defect != "types-accepted" {
		problem("limit", "type", "Limit must be a number.")
	}
	switch e.defect {
	case "valid-refused":
		problem("limit", "range", "No limit will do.")
	case "unknown-fields-dropped":
		resp.Options, _ = json.Marshal(map[string]json.RawMessage{"account": doc["account"], "secret": doc["secret"]})
	case "save-not-stable":
		doc["limit"] = json.RawMessage(fmt.Sprint(limit + 1))
		resp.Options, _ = json.Marshal(doc)
	}
	return resp, nil
}

func (e example) HandleWebhook(_ context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	answer := said("hello")
	key := req.Form().Get("ConversationId")
	if key == "" || key != req.Facts.SessionKey {
		switch e.defect {
		case "garbage-fails":
			return integration.Outcome{}, integration.Errorf(integration.KindInvalid, "no conversation")
		case "garbage-begins":
			return integration.Outcome{Response: &answer, Session: &integration.SessionUpdate{State: []byte("1"), Format: 1}}, nil
		}
		return integration.Outcome{Response: &answer}, nil
	}
	count := 0
	if s := req.Facts.Session; s != nil {
		if s.Format > 1 && e.defect != "newer-overwritten" {
			return integration.Outcome{}, integration.Errorf(integration.KindUnsupported, "state of format %d: upgrade the plugin", s.Format)
		}
		if err := json.Unmarshal(s.State, &count); err != nil && s.Format == 1 {
			if e.defect == "broken-state-panics" {
				panic(err)
			}
			return integration.Outcome{}, integration.Errorf(integration.KindInternal, "state: %w", err)
		}
	}
	switch e.defect {
	case "begins-nothing":
		return integration.Outcome{Response: &answer}, nil
	case "asks-for-ever":
		return integration.Outcome{Need: []integration.Question{{ID: "q", Kind: integration.AskUser, User: "u"}}}, nil
	case "status-500":
		answer.Status = 500
	case "huge-answer":
		answer.Body = []byte(strings.Repeat("x", 100_000))
	case "changes-request":
		req.Facts.Destinations[0].Name = "changed"
	case "random-outcome":
		answer = said(fmt.Sprint(rand.Int())) //nolint:gosec // not a secret
	case "own-clock":
		answer = said(time.Now().Format(time.RFC3339Nano))
	case "stateful":
		counter++
		answer = said(fmt.Sprint(counter))
	case "http-error-on-state":
		if req.Facts.Instance.State != integration.HostActive {
			answer.Status = 503
		}
	case "seen-changes-answers":
		if !req.Facts.SeenAt.IsZero() {
			answer = said("welcome back")
		}
	case "key-in-url":
		answer = said("https://host.example.com/?key=" + string(req.Facts.Instance.TokenKey))
	}
	if len(req.Facts.Answers) == 0 {
		return integration.Outcome{Need: []integration.Question{{ID: "on-call", Kind: integration.AskOnCall, Team: "t1"}}}, nil
	}
	state, err := json.Marshal(count + 1)
	if err != nil {
		return integration.Outcome{}, integration.Errorf(integration.KindInternal, "state: %w", err)
	}
	if e.defect == "secret-in-state" {
		state = req.Facts.Instance.Options
	}
	format := 1
	if asked := req.Facts.WriteFormats.State; asked > 0 && e.defect == "foreign-format" {
		format = asked
	}
	o := integration.Outcome{
		Response: &answer,
		Session:  &integration.SessionUpdate{State: state, Format: format, AlertKey: key, Live: true},
		Alert: []integration.AlertCommand{
			{Number: int64(2*count + 1), Kind: integration.AlertCreate, AlertKey: key, Draft: &integration.AlertDraft{Title: "Call"}, At: req.Facts.Now},
			{Number: int64(2*count + 2), Kind: integration.AlertLog, AlertKey: key, Text: "called", At: req.Facts.Now},
		},
		Tasks: []integration.Task{{Name: "late", Generation: int64(count + 1), Timer: true, At: req.Facts.Now.Add(time.Minute)}},
	}
	return e.sinceMinor1(req.Facts, o)
}

// sinceMinor1 has the defects in what minor 1 brought.
func (e example) sinceMinor1(f integration.Facts, o integration.Outcome) (integration.Outcome, error) {
	o.Seen = f.Session != nil || e.defect == "seen-before-the-call"
	switch e.defect {
	case "reserved-timer":
		o.Tasks[0].Name = integration.TimerPersonFree
	case "waits-for-nobody":
		o.Session.WaitsFor = []string{"alice", ""}
	case "heard-by-nobody":
		o.Heard = []integration.Heard{{Ref: "media:00", At: f.Now}}
	case "media-no-reference":
		o.Session.Media = []string{"voicemail.mp3"}
	case "deleted-fails":
		if f.Instance.State == integration.HostDeleted {
			return integration.Outcome{}, integration.Errorf(integration.KindNotFound, "deleted")
		}
	case "media-url-in-state":
		o.Session.State, _ = json.Marshal(f.MediaURLs)
	case "declines-anywhere":
		last := o.Alert[len(o.Alert)-1]
		o.Alert = append(o.Alert, integration.AlertCommand{Number: last.Number + 1, Kind: integration.AlertDecline, AlertKey: last.AlertKey, User: "alice", At: f.Now})
	case "asks-anywhere":
		if len(f.Answers) < 2 {
			return integration.Outcome{Need: []integration.Question{{ID: "recent", Kind: integration.AskRecentCalls, From: "+12025550143", Since: f.Now}}}, nil
		}
	}
	return o, nil
}

func (e example) HandleAlert(_ context.Context, req integration.AlertRequest) (integration.Outcome, error) {
	switch {
	case e.defect == "alert-answers":
		answer := said("hello")
		return integration.Outcome{Response: &answer}, nil
	case e.defect == "alert-fails" && req.Facts.Alert.Status == integration.AlertDeleted:
		return integration.Outcome{}, errors.New("unexpected status")
	}
	return integration.Outcome{}, nil
}

func (e example) HandleTask(_ context.Context, req integration.TaskRequest) (integration.Outcome, error) {
	switch {
	case e.defect == "seen-by-a-timer":
		return integration.Outcome{Seen: true}, nil
	case e.defect == "host-timer-fails" && req.Task.Name == integration.TimerHostChanged && req.Facts.Instance.State == integration.HostDeleted:
		return integration.Outcome{}, integration.Errorf(integration.KindNotFound, "deleted")
	case e.defect == "unknown-task-fails":
		return integration.Outcome{}, integration.Errorf(integration.KindInternal, "unknown task")
	case e.defect == "task-changes-request" && len(req.Task.Payload) > 0:
		req.Task.Payload[0] = 'x'
	}
	return integration.Outcome{}, nil
}

func (e example) Perform(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
	switch e.defect {
	case "unknown-performed":
		return integration.TaskResult{}, nil
	case "foreign-error":
		return integration.TaskResult{}, errors.New("unknown task")
	}
	return integration.TaskResult{}, integration.Errorf(integration.KindUnsupported, "unknown task")
}

func (e example) RunAction(context.Context, integration.ActionRequest) (integration.ActionResult, error) {
	if e.defect == "unknown-action-runs" {
		return integration.ActionResult{OK: true}, nil
	}
	return integration.ActionResult{}, integration.Errorf(integration.KindNotFound, "unknown action")
}
