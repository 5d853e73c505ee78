package app

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// statusEvents are all that Twilio tells of a call in progress (Twilio docs:
// voice/api/call-resource, StatusCallbackEvent). Without a list it tells of the end alone.
var statusEvents = []string{"initiated", "ringing", "answered", "completed"}

// Limits of the daily sweep. A queue must be a day old, which is longer than a call can last; 1000
// queues are looked through; at most 50 are removed at once, as each costs one request, and the
// rest the next day.
const (
	sweepAge    = 24 * time.Hour
	sweepList   = 1000
	sweepAtOnce = 50
)

// clockSkew is how far Twilio's clock may be behind ours when a call is looked for by the time it
// was made.
const clockSkew = 2 * time.Second

// lookTimeout is how long Twilio may take to say whether it knows a call: short enough that an
// outage is noticed while the caller hears the welcome.
const lookTimeout = 5 * time.Second

// performer does one task's I/O. State is the session's as it is when the task runs, which may be
// later than the task was commanded. It is made for one attempt. Nothing is kept between attempts
// but what Twilio itself remembers.
type performer struct {
	client  *twilio.Client
	links   endpoint.Links
	options options.Options
	state   call.State
	call    string
	task    string // its name
	attempt int
	now     time.Time
	p       payload

	lookTimeout time.Duration
}

// Perform implements [integration.Integration]. What the call flow wants to know comes back as a
// result, also where it is bad news; an error means that the host is to try again (or, of a final
// kind, to give up). Errors are KindInvalid for a payload that cannot be read, KindNotFound for a
// session that is gone, KindUnsupported for a kind of task of another release, or those of Twilio's
// client. The host may run it twice after a crash.
func (a *App) Perform(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	if req.Task.Name == integration.TaskErase {
		return a.erase(ctx, req)
	}
	var p payload
	if err := json.Unmarshal(req.Task.Payload, &p); err != nil {
		return integration.TaskResult{}, integration.Errorf(integration.KindInvalid, "task %s: the payload cannot be read", req.Task.Name)
	}
	o := a.documents.load(req.Facts.Instance).Options
	client, err := a.client(o)
	if err != nil {
		return integration.TaskResult{}, err
	}
	x := performer{client: client, options: o, task: req.Task.Name, attempt: req.Attempt, now: req.Facts.Now, p: p, lookTimeout: a.lookTimeout}
	// The sweep belongs to the integration: there is no call whose state it could need.
	if p.Kind == taskSweep {
		return x.sweep(ctx, endpoint.QueuePrefix(req.Facts.Instance.ID))
	}
	if req.Facts.Session == nil {
		return integration.TaskResult{}, integration.Errorf(integration.KindNotFound, "task %s: its call is not known any more", req.Task.Name)
	}
	if x.state, err = a.states.read(req.Facts.Session); err != nil {
		return integration.TaskResult{}, err
	}
	// The session's key is the caller's CallSid.
	x.call = req.Facts.Session.Key
	x.links = endpoint.NewLinks(req.Facts.Instance, x.call)
	if asks(p.Kind) && !x.state.Verify.Proven() {
		if !a.lookups.enter(o.Account.SID) {
			return crowded(p.Kind)
		}
		defer a.lookups.leave(o.Account.SID)
	}
	return x.run(ctx)
}

// run chooses by the kind in the payload, and not by the task's name, which tells legs apart.
func (x *performer) run(ctx context.Context) (integration.TaskResult, error) {
	switch x.p.Kind {
	case taskDial:
		return x.dial(ctx)
	case taskEndLeg:
		return x.endLeg(ctx)
	case taskLookLeg:
		return x.lookLeg(ctx)
	case taskLookCall:
		return x.lookCall(ctx)
	case taskDequeue:
		return x.dequeue(ctx)
	case taskDeleteQueue:
		return conclude(result{Result: event.Done}, x.client.DeleteQueue(ctx, x.p.QueueSID))
	case taskFetch:
		return x.fetch(ctx)
	case taskLookRecordings:
		return x.lookRecordings(ctx)
	case taskDeleteRecording:
		// What is gone already is what was wanted.
		return done(result{Result: event.Done}), gone(x.client.DeleteRecording(ctx, x.p.RecordingSID))
	}
	return integration.TaskResult{}, integration.Errorf(integration.KindUnsupported, "task %s: kind %q is not known", x.task, x.p.Kind)
}

// done hands in a result; the call flow hears of it as an event.
func done(r result) integration.TaskResult { return integration.TaskResult{Payload: encode(r)} }

// conclude hands in a result, or what went wrong as one. The call flow decides about another
// attempt, since time matters to it; an error would be repeated by the host with its own back-off.
func conclude(r result, err error) (integration.TaskResult, error) {
	if err != nil {
		r = resultOf(err)
	}
	return done(r), nil
}

// resultOf is an error as a result. Its detail is for people (the alert's story, the log), and
// names Twilio's code.
func resultOf(err error) result {
	r := result{Result: event.Failed, Detail: err.Error()}
	var e *integration.Error
	if errors.As(err, &e) {
		r.Detail = e.Message
		if e.Code != "" {
			r.Detail += " (" + e.Code + ")"
		}
		if e.Kind == integration.KindNotFound {
			r.Result = event.NotFound
		}
	}
	return r
}

// lookCall asks for the caller's call. One with the same id but other parties, or one that we made,
// is not the call that the request spoke of: a forger may know the id of another call of the
// account.
func (x *performer) lookCall(ctx context.Context) (integration.TaskResult, error) {
	ctx, cancel := context.WithTimeout(ctx, x.lookTimeout)
	defer cancel()
	c, err := x.client.FetchCall(ctx, x.call)
	if err != nil {
		r := resultOf(err)
		r.Busy = code(err) == twilio.CodeTooManyRequests
		return done(r), nil
	}
	caller := x.state.Caller
	if differs(caller.Number, c.From) || differs(caller.Called, c.To) || strings.HasPrefix(c.Direction, "outbound") {
		return done(result{Result: event.NotFound, Detail: "the call has other parties"}), nil
	}
	return done(result{Result: event.Done, CallSID: c.SID, CallStatus: event.Status(c.Status)}), nil
}

// differs reports whether two numbers are both known and not the same.
func differs(a, b string) bool { return phone.IsE164(a) && phone.IsE164(b) && a != b }

// dial makes a call. It is never done twice: a second attempt, and every outcome that leaves open
// whether Twilio started the call, is reported as unknown, and the call flow looks before it dials
// again.
func (x *performer) dial(ctx context.Context) (integration.TaskResult, error) {
	// The first attempt may have been cut short after Twilio had begun to dial.
	if x.attempt > 1 {
		return done(result{Result: event.Unknown, Detail: "an earlier attempt was cut short"}), nil
	}
	// The task may have waited for its pace while the caller left.
	if !callflow.Wanted(x.state, x.task) {
		return done(result{Result: event.Failed, Detail: "not wanted any more"}), nil
	}
	if x.p.From == "" {
		return done(result{Result: event.AccountError, Detail: "The number that was called is not known, so there is none to show: fill in Caller ID."}), nil
	}
	// A responder's leg turns to its own address when a request fails: a key pressed in that moment
	// is not lost. The integration's fallback address is for callers.
	answer := x.links.Leg(event.LegAnswer, x.p.Leg, x.p.Step)
	c, err := x.client.CreateCall(ctx, twilio.NewCall{
		To: x.p.Phone, From: x.p.From, URL: answer, FallbackURL: answer,
		StatusCallback: x.links.Leg(event.LegStatus, x.p.Leg, x.p.Step), StatusEvents: statusEvents, Timeout: x.p.Ring,
	})
	if err == nil {
		return done(result{Result: event.Done, CallSID: c.SID, CallStatus: event.Status(c.Status)}), nil
	}
	r := resultOf(err)
	class, code, sentence := twilio.Refused(err)
	r.Code, r.Detail = code, sentence
	kind := integration.KindOf(err)
	switch {
	// The order matters: a refusal proves that no call was started. Only what is left may hide one.
	case class == twilio.RefusedNumber:
		r.Result = event.Refused
	case class == twilio.RefusedAccount:
		r.Result = event.AccountError
	case kind == integration.KindDeadline, kind == integration.KindUnavailable && !neverProcessed(code):
		r.Result = event.Unknown
	default:
		r.Result = event.Failed
	}
	return done(r), nil
}

// neverProcessed reports whether an error code promises that nothing was done. Twilio docs:
// api/errors/20429, api/errors/10004.
func neverProcessed(code string) bool {
	return code == twilio.CodeTooManyRequests || code == twilio.CodeCallConcurrency
}

// endLeg ends a responder's call, or sends it to where it hears why. A call that is over is no
// error: it may have ended by itself meanwhile. Other errors are repeated by the host, which is
// harmless.
func (x *performer) endLeg(ctx context.Context) (integration.TaskResult, error) {
	if !callflow.WantedEnd(x.state, x.p.CallSID) {
		return done(result{Result: event.Done, Detail: "not wanted any more"}), nil
	}
	var err error
	if x.p.Tell {
		err = x.client.RedirectCall(ctx, x.p.CallSID, x.links.Leg(event.LegAnswer, x.p.Leg, x.p.Step))
	}
	if !x.p.Tell || code(err) == twilio.CodeCallNotInProgress {
		// Not answered yet: nobody would hear the reason.
		err = x.client.EndCall(ctx, x.p.CallSID)
	}
	if code(err) == twilio.CodeCallNotInProgress || integration.KindOf(err) == integration.KindNotFound {
		err = nil
	}
	return done(result{Result: event.Done}), err
}

// code is Twilio's error code, such as "21220"; "" if the error has none.
func code(err error) string {
	var e *integration.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// lookLeg asks what became of a responder's call. Where its id is not known, because the answer to
// the request that started it was lost, the newest call between the two numbers since then is taken
// for it, unless it is known to be another leg (Not).
func (x *performer) lookLeg(ctx context.Context) (integration.TaskResult, error) {
	if x.p.CallSID != "" {
		c, err := x.client.FetchCall(ctx, x.p.CallSID)
		return conclude(result{Result: event.Done, CallSID: x.p.CallSID, CallStatus: event.Status(c.Status), Seconds: seconds(c.Duration)}, err)
	}
	calls, err := x.client.Calls(ctx, x.p.Phone, x.p.From, x.p.Since.Add(-clockSkew))
	if err != nil {
		return conclude(result{}, err)
	}
	for _, c := range calls { // newest first
		if !slices.Contains(x.p.Not, c.SID) {
			return done(result{Result: event.Done, CallSID: c.SID, CallStatus: event.Status(c.Status)}), nil
		}
	}
	return done(result{Result: event.NotFound}), nil
}

// dequeue takes the caller out of the queue, if that is still wanted, and if the caller still
// waits.
func (x *performer) dequeue(ctx context.Context) (integration.TaskResult, error) {
	if !callflow.Wanted(x.state, x.task) {
		return done(result{Result: event.Done}), nil
	}
	err := x.client.Dequeue(ctx, x.p.QueueSID, x.call, x.links.At(event.Voicemail, x.p.Step))
	if retryable(err) {
		// Harmless to repeat, and nobody else brings the caller there between ticks.
		return integration.TaskResult{}, err
	}
	return conclude(result{Result: event.Done}, err)
}

// retryable reports whether an error is of a kind that another attempt may mend. nil is not. A
// wrong kind here costs a caller: final errors end the task at once.
func retryable(err error) bool {
	kind := integration.KindOf(err)
	return kind != "" && !kind.Final()
}

// fetch reads a recording's audio. It counts when Twilio calls it completed and it is of our call.
// Until Twilio has stored the audio it answers 404, so that is a reason to come again.
func (x *performer) fetch(ctx context.Context) (integration.TaskResult, error) {
	rec, err := x.client.FetchRecording(ctx, x.p.RecordingSID)
	switch {
	case retryable(err):
		return integration.TaskResult{}, err
	case err != nil:
		return conclude(result{}, err)
	case rec.CallSID != x.call:
		return done(result{Result: event.NotFound, RecordingStatus: "absent", Detail: "The recording is of another call."}), nil
	}
	switch rec.Status {
	case "completed":
	case "absent", "deleted":
		return done(result{Result: event.NotFound, RecordingStatus: rec.Status, Detail: "Twilio has no audio: the recording is " + rec.Status + "."}), nil
	default:
		return integration.TaskResult{}, integration.Errorf(integration.KindUnavailable, "the recording is not ready: %s", rec.Status)
	}
	format := twilio.MP3
	data, err := x.client.FetchMedia(ctx, rec.SID, format)
	// WAV is the second choice because an MP3 is much smaller.
	if integration.KindOf(err) == integration.KindInvalid {
		// Encrypted recordings have no MP3 (Twilio docs: api/errors/16109).
		format = twilio.WAV
		data, err = x.client.FetchMedia(ctx, rec.SID, format)
	}
	switch {
	case integration.KindOf(err) == integration.KindNotFound:
		return integration.TaskResult{}, integration.Errorf(integration.KindUnavailable, "the recording's audio is not there yet")
	case retryable(err):
		return integration.TaskResult{}, err
	case err != nil:
		return conclude(result{}, err)
	}
	// The file's name is made of it, and erasing finds the recording by that name.
	started := rec.StartedAt
	if started.IsZero() {
		started = x.now
	}
	out := done(result{Result: event.Done, RecordingSID: rec.SID, RecordingStatus: rec.Status, Seconds: seconds(rec.Duration)})
	out.Media = []integration.MediaContent{{
		Name: soundName(started) + "." + string(format), ContentType: format.ContentType(), Data: data, Duration: rec.Duration,
	}}
	return out, nil
}

// lookRecordings lists the call's recordings, oldest first: that is the order in which a caller
// spoke, and in which the flow handles them. NotFound means that Twilio lists none (yet).
func (x *performer) lookRecordings(ctx context.Context) (integration.TaskResult, error) {
	recs, err := x.client.Recordings(ctx, x.call)
	if err != nil {
		return conclude(result{}, err)
	}
	if len(recs) == 0 {
		return done(result{Result: event.NotFound}), nil
	}
	slices.SortStableFunc(recs, func(a, b twilio.Recording) int { return a.StartedAt.Compare(b.StartedAt) })
	r := result{Result: event.Done}
	for _, rec := range recs {
		r.Recordings = append(r.Recordings, listed{SID: rec.SID, Status: rec.Status, Seconds: seconds(rec.Duration)})
	}
	return done(r), nil
}

// sweep removes queues that a call left behind: empty, of our naming, and older than any call can
// be. Newer ones may belong to a call that is about to enter. It runs once a day for each
// integration; queues are deleted with their calls, so it finds few.
func (x *performer) sweep(ctx context.Context, prefix string) (integration.TaskResult, error) {
	queues, err := x.client.Queues(ctx, sweepList)
	if err != nil {
		return integration.TaskResult{}, err
	}
	removed := 0
	for _, q := range queues {
		call, ours := strings.CutPrefix(q.Name, prefix)
		// Every condition is a reason to leave the queue alone. A prefix alone could be another
		// integration's whose id begins with ours.
		if !ours || !twilio.IsSID(twilio.SIDCall, call) || q.Size > 0 || q.CreatedAt.IsZero() || x.now.Sub(q.CreatedAt) < sweepAge {
			continue
		}
		if err := x.client.DeleteQueue(ctx, q.SID); err != nil && integration.KindOf(err) != integration.KindNotFound {
			continue // the next sweep comes
		}
		if removed++; removed == sweepAtOnce {
			break
		}
	}
	return done(result{Result: event.Done, Removed: removed, Detail: strconv.Itoa(removed)}), nil
}
