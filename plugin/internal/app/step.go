package app

import (
	"context"
	"maps"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/render"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// step runs the call flow on one event and turns what comes out into an outcome. It is pure: it may
// run again with other facts, and only the last outcome counts. sid is the caller's CallSid.
func (a *App) step(f integration.Facts, o settings, e event.Event, sid string) (integration.Outcome, error) {
	before, err := a.states.read(f.Session)
	if err != nil {
		return integration.Outcome{}, err
	}
	// The contract's facts travel with the event, so that the call flow needs no words of its own
	// for them.
	e.Facts = f
	after, answer, effects := callflow.Step(o.Flow, before, e)
	if questions := effect.Questions(effects); len(questions) > 0 {
		return integration.Outcome{Need: questions}, nil
	}
	out := integration.Outcome{}
	if answer != nil {
		music := o.music
		// Twilio could not play the form's music in this call: the plugin's own takes its place.
		if slices.Contains(after.Dead, reply.PromptMusic) {
			music = endpoint.OwnMusic(f.Instance)
		}
		body, err := render.New(o.Options, addresses(f), music, endpoint.NewLinks(f.Instance, sid), after.Dead...).Render(answer).Encode()
		if err != nil {
			return out, integration.Errorf(integration.KindInternal, "answer to %s of call %s: %w", e.Kind, sid, err)
		}
		resp := render.Document(body)
		out.Response = &resp
	}
	// An outcome without a session is not written to the store. Most ticks of the hold music are
	// such.
	if callflow.Changed(before, after) {
		state, format, err := call.Write(after, f.WriteFormats.State)
		if err != nil {
			return out, integration.Errorf(integration.KindInternal, "session %s: the state cannot be written: %w", sid, err)
		}
		a.states.wrote(sid, state, format, after)
		out.Session = &integration.SessionUpdate{
			State: state, Format: format, Occupies: call.Occupies(after), WaitsFor: call.WaitsFor(after), Call: call.View(after), Live: call.Live(after),
			Media: call.PlayedMedia(after),
		}
		// Until then there is no alert whose snapshots could come.
		if after.Alert.Created {
			out.Session.AlertKey = sid
		}
	}
	(&collector{out: &out, facts: f, options: o.Options, call: sid, state: after}).all(effects)
	// The call is real although its signature was wrong, so the token was changed: what was
	// remembered of valid signatures is about the old one.
	for _, x := range out.Findings {
		if x.Code == effect.FindingSignature && x.Severity == integration.FindingError {
			out.Findings = append(out.Findings, endpoint.ForgetSigned(f)...)
			break
		}
	}
	return out, nil
}

// addresses are those of everything that may be played: files of the form, and the call's
// recordings. The form's files win, should a recording have the same content.
func addresses(f integration.Facts) map[string]string {
	if len(f.MediaURLs) == 0 {
		return f.Instance.MediaURLs
	}
	all := maps.Clone(f.MediaURLs)
	maps.Copy(all, f.Instance.MediaURLs)
	return all
}

// HandleAlert implements [integration.Integration]. A hint about an alert without a call of ours,
// or of the integration's own session, has no effect.
func (a *App) HandleAlert(_ context.Context, req integration.AlertRequest) (integration.Outcome, error) {
	f := req.Facts
	if f.Session == nil || f.Alert == nil || !twilio.IsSID(twilio.SIDCall, f.Session.Key) {
		return integration.Outcome{}, nil
	}
	return a.step(f, a.documents.load(f.Instance), event.Event{Kind: event.Alert}, f.Session.Key)
}
