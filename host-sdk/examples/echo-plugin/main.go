// Command echo-plugin is a small plugin: it serves a chat, repeats what visitors write, and tells
// the person on call. docs/write-a-plugin.md explains it block by block.
package main

import (
	"context"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/transport"
)

// version is that of manifest.json, to which a test holds it.
const version = "0.1.0"

// main serves the contract on the connection that the host has opened, and ends when the host ends
// it. Started by hand, the program says what it is and exits.
func main() {
	transport.Main(func(*slog.Logger) (integration.Integration, error) { return echo{}, nil })
}

// echo is the plugin. It has no fields: whatever a conversation needs is in its session, which the
// host stores and hands to the next request, at whichever host that arrives.
type echo struct{}

// The chat service posts a form with these fields to the endpoint, and a key in a header. It shows
// the text of the answer, and sends what comes next to the address in it.
const (
	conversationField = "Conversation"
	textField         = "Text"
	keyHeader         = "X-Chat-Key"
	sessionPrefix     = "/talk/"
)

// answer is what the chat service reads.
type answer struct {
	Say string `json:"say"`
	// Where to send the next text; "": the conversation is over.
	Again string `json:"again,omitempty"`
}

// say makes an answer.
func say(text, again string) integration.Response {
	body, _ := json.Marshal(answer{text, again}) // two strings do not fail
	return integration.Response{Header: map[string][]string{"Content-Type": {"application/json"}}, Body: body}
}

// Describe implements integration.Integration: the host routes requests by it, and answers by
// itself while no process of the plugin runs.
func (echo) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	return integration.Description{
		ID: "echo", Name: "Echo chat", Version: version,
		ProtocolVersion: integration.ProtocolVersion, ProtocolMinor: integration.ProtocolMinor,
		// One format each, as there was no other release yet. Whoever changes a layout raises its
		// number and goes on reading the one before, as hosts are upgraded one after the other.
		Formats: integration.Formats{State: 1, Task: 1, Path: 1, Options: 1},
		Webhook: integration.WebhookDescription{
			// By these the host finds the session of a request, and tells a request of the service
			// from a stray one, without knowing the service.
			SessionField: conversationField, SessionPrefix: sessionPrefix, ShapeFields: []string{conversationField},
			// The service throws away what is answered here, so the host may keep such a request
			// and hand it over when the plugin is back.
			IgnoredAnswerPaths: []string{sessionPrefix + "*/left"},
			NotInService:       say("Nobody is here.", ""),
			Refused:            say("This message cannot be read.", ""),
			Fallback:           fallback(),
		},
		Actions: []integration.ActionDescription{{Name: "check", Label: "Check", Help: "Says whether the form is complete."}},
	}, nil
}

// fallback is what the host answers while the plugin cannot. The host puts an address for the mark.
func fallback() integration.FallbackAnswers {
	return integration.FallbackAnswers{
		Wait: say("One moment, please.", integration.FallbackURLMark), LastWords: say("Please come back later.", ""), For: 5 * time.Minute,
	}
}

// optionsSchema is the form that people fill in. A secret is marked in three ways, for hosts and
// for form libraries.
//
//go:embed options.schema.json
var optionsSchema []byte

// OptionsSchema implements integration.Integration.
func (echo) OptionsSchema(context.Context, integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return integration.OptionsSchema{Schema: optionsSchema, Format: 1}, nil
}

// minKey is how many characters the key has at least: it is all that keeps strangers from waking
// people.
const minKey = 16

// ValidateOptions implements integration.Integration. Fields that this version does not know are
// kept, as a newer one may have written them.
func (echo) ValidateOptions(_ context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	if req.Format > 1 {
		return integration.ValidateOptionsResponse{}, integration.Errorf(integration.KindUnsupported, "the options have format %d, this version reads 1: upgrade the plugin", req.Format)
	}
	resp := integration.ValidateOptionsResponse{Options: req.Options, Format: 1, Fallback: fallback()}
	// A refused document is an answer, not an error: an error would mean that the plugin failed.
	problem := func(path, code, message string) {
		resp.Problems = append(resp.Problems, integration.Problem{Path: path, Code: code, Message: message})
	}
	doc, ok := object(req.Options)
	if !ok {
		problem("", "type", "The options are not a JSON object.")
		return resp, nil
	}
	if greeting, there := doc["greeting"]; there {
		if _, ok := greeting.(string); !ok {
			problem("greeting", "type", "Greeting must be a text.")
		}
	}
	switch key, ok := doc["key"].(string); {
	case doc["key"] == nil || key == "" && ok:
		problem("key", "required", "Key is missing: enter the one that the chat service sends.")
	case !ok:
		problem("key", "type", "Key must be a text.")
	case len(key) < minKey:
		problem("key", "range", "Key is too short: use at least 16 characters.")
	}
	return resp, nil
}

// object reads a JSON object; false: the text is something else.
func object(text []byte) (doc map[string]any, ok bool) {
	err := json.Unmarshal(text, &doc)
	return doc, err == nil && doc != nil
}

// conversation is the state of a session, of format 1. It is read by this release and the next, so
// a field that is added must mean what its absence meant.
type conversation struct {
	Texts   int   `json:"texts"`   // that the visitor has written
	Command int64 `json:"command"` // number of the last command to the alert
	Taken   bool  `json:"taken"`   // somebody has acknowledged the alert
	Over    bool  `json:"over"`
}

// read reads the state of a session; a session that has not begun has the zero state.
func read(s *integration.Session) (conversation, error) {
	var c conversation
	if s == nil {
		return c, nil
	}
	if s.Format > 1 {
		return c, integration.Errorf(integration.KindUnsupported, "the state has format %d, this version reads 1: upgrade the plugin", s.Format)
	}
	if err := json.Unmarshal(s.State, &c); err != nil {
		return c, integration.Errorf(integration.KindInternal, "the state cannot be read: %w", err)
	}
	return c, nil
}

// HandleWebhook implements integration.Integration. It decides by what it is handed alone: the
// clock is Facts.Now, and whatever it wants done is in the outcome, which the host commits as a
// whole.
func (echo) HandleWebhook(_ context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	f := req.Facts
	var options struct{ Greeting, Key string }
	if err := json.Unmarshal(f.Instance.Options, &options); err != nil {
		return integration.Outcome{}, integration.Errorf(integration.KindInternal, "the options cannot be read: %w", err)
	}
	if f.SessionKey == "" || !keyFits(req.Header[keyHeader], options.Key) {
		return reply("This message cannot be read.", ""), nil
	}
	c, err := read(f.Session)
	if err != nil {
		return integration.Outcome{}, err
	}
	// The address holds the session's key, so the host can find the session although later requests
	// do not repeat the field.
	again := f.Instance.EndpointURL + sessionPrefix + f.SessionKey
	switch path, text := req.Path, req.Form().Get(textField); {
	case c.Over:
		return reply("This conversation is over.", ""), nil
	case path == sessionPrefix+f.SessionKey+"/left", text == "bye":
		if f.Session == nil {
			return reply("Goodbye.", ""), nil
		}
		return c.ends(f), nil
	case path != "/" && path != sessionPrefix+f.SessionKey:
		return reply("There is nothing here.", ""), nil
	// A path names a session that is not there: it has expired, or somebody has made the address
	// up. Only the plain endpoint begins a conversation.
	case f.Session == nil && req.Form().Get(conversationField) != f.SessionKey:
		return reply("This conversation is not known.", ""), nil
	// A disabled integration begins nothing new, but what has begun goes on to its end.
	case f.Session == nil && f.Instance.State != integration.HostActive:
		return reply("Nobody is here.", ""), nil
	case f.Session == nil:
		return c.begins(f, text, options.Greeting, again), nil
	default:
		return c.continues(f, text, again), nil
	}
}

// keyFits compares in a time that says nothing of the key.
func keyFits(sent []string, key string) bool {
	return len(sent) == 1 && key != "" && subtle.ConstantTimeCompare([]byte(sent[0]), []byte(key)) == 1
}

// reply is an outcome that changes nothing.
func reply(text, again string) integration.Outcome {
	response := say(text, again)
	return integration.Outcome{Response: &response}
}

// begins makes an alert for the first team. Both commands are part of one outcome: the host creates
// the alert and routes it in this order, even if it dies in between.
func (c conversation) begins(f integration.Facts, text, greeting, again string) integration.Outcome {
	if greeting == "" {
		greeting = "Hello."
	}
	if len(f.Destinations) == 0 {
		return reply("Nobody is here.", "")
	}
	c.Texts = 1
	o := reply(greeting+" You wrote: "+text, again)
	o.Alert = []integration.AlertCommand{
		c.command(f, integration.AlertCommand{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{
			Title: "Chat", Description: "A visitor wrote: " + text, Urgency: f.Instance.Urgency,
		}}),
		c.command(f, integration.AlertCommand{Kind: integration.AlertRoute, Teams: []string{f.Destinations[0].ID}}),
	}
	o.Session = c.update(f)
	return o
}

// maxLogged is how many texts go to the alert: a visitor who writes without end does not fill it.
const maxLogged = 50

// continues repeats a text, and adds it to the alert.
func (c conversation) continues(f integration.Facts, text, again string) integration.Outcome {
	said := "You wrote: " + text
	if c.Taken {
		said += " Somebody is reading."
	}
	o := reply(said, again)
	o.Seen = true // the visitor is still there
	if c.Texts++; c.Texts <= maxLogged && text != "" {
		o.Alert = []integration.AlertCommand{c.command(f, integration.AlertCommand{Kind: integration.AlertLog, Text: "The visitor wrote: " + text})}
	}
	o.Session = c.update(f)
	return o
}

// ends ends the conversation and resolves its alert.
func (c conversation) ends(f integration.Facts) integration.Outcome {
	c.Over = true
	o := reply("Goodbye.", "")
	o.Alert = []integration.AlertCommand{c.command(f, integration.AlertCommand{Kind: integration.AlertResolve, Text: "The visitor has left."})}
	o.Session = c.update(f)
	return o
}

// command completes a command. Numbers rise and are never used twice, as they are kept in the
// state. The alert's key is the session's: one alert per conversation.
func (c *conversation) command(f integration.Facts, a integration.AlertCommand) integration.AlertCommand {
	c.Command++
	a.Number, a.AlertKey, a.At = c.Command, f.SessionKey, f.Now
	return a
}

// update is the session as it is to be stored, with what pages show of it.
func (c conversation) update(f integration.Facts) *integration.SessionUpdate {
	state, _ := json.Marshal(c) // numbers and truths do not fail
	call := &integration.CallView{ID: f.SessionKey, State: "talking", StartedAt: f.Now}
	if f.Session != nil {
		call.StartedAt = f.Session.CreatedAt
	}
	if c.Over {
		call.State, call.Ended, call.EndedAt = "ended", "left", f.Now
	}
	return &integration.SessionUpdate{State: state, Format: 1, AlertKey: f.SessionKey, Call: call, Live: !c.Over}
}

// HandleAlert implements integration.Integration: the platform's alert has changed.
func (echo) HandleAlert(_ context.Context, req integration.AlertRequest) (integration.Outcome, error) {
	f := req.Facts
	if f.Session == nil || f.Alert == nil {
		return integration.Outcome{}, nil
	}
	c, err := read(f.Session)
	taken := f.Alert.Status == integration.AlertAcknowledged
	// The host may hand over the same snapshot twice. An outcome without a session writes nothing,
	// so a repeated one costs nothing.
	if err != nil || c.Over || c.Taken == taken {
		return integration.Outcome{}, err
	}
	c.Taken = taken
	return integration.Outcome{Session: c.update(f)}, nil
}

// HandleTask implements integration.Integration. This plugin has no tasks, and what the host's own
// timers say does not matter to it.
func (echo) HandleTask(context.Context, integration.TaskRequest) (integration.Outcome, error) {
	return integration.Outcome{}, nil
}

// Perform implements integration.Integration: I/O is done here, of which this plugin has none.
// Asked to erase what the foreign service keeps of a caller, it has nothing to erase.
func (echo) Perform(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	return integration.TaskResult{}, integration.Errorf(integration.KindUnsupported, "there is no task %q", req.Task.Name)
}

// RunAction implements integration.Integration: somebody has pressed a button beside the form.
func (e echo) RunAction(ctx context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	if req.Name != "check" {
		return integration.ActionResult{}, integration.Errorf(integration.KindNotFound, "there is no action %q", req.Name)
	}
	checked, err := e.ValidateOptions(ctx, integration.ValidateOptionsRequest{Options: req.Facts.Instance.Options, Format: req.Facts.Instance.OptionsFormat})
	if err != nil {
		return integration.ActionResult{}, err
	}
	result := integration.ActionResult{OK: len(checked.Problems) == 0}
	for _, p := range checked.Problems {
		result.Lines = append(result.Lines, integration.ActionLine{Level: "error", Text: p.Message})
	}
	if result.OK {
		result.Lines = []integration.ActionLine{{Level: "ok", Text: "The form is complete. Requests need the header " + keyHeader + "."}}
	}
	return result, nil
}
