package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/outbox"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/sessions"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// FindingRefused is the code of the finding that the host raises when a plugin has refused a timer,
// a result or a request for good.
const FindingRefused = "host-refused"

// Wake makes the engine look for work now, as somebody else has made some of it due.
func (e *Engine) Wake() { e.outbox.Wake() }

// work is the engine as its outbox uses it.
type work struct{ *Engine }

// Perform calls the plugin and stores the media it brought. The media are stored before the result,
// so that a result never names a medium that is not there; a repeated attempt stores the same
// content under the same reference.
func (e work) Perform(ctx context.Context, it store.Item, t integration.Task, attempt int) (outbox.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, outbox.PerformTimeout)
	defer cancel()
	var r outbox.Result
	l, err := e.load(ctx, it.Integration, it.Key, loading{task: &t})
	if err != nil {
		return r, err
	}
	got, err := l.plugin.Perform(ctx, integration.PerformRequest{Facts: l.facts, Task: t, Attempt: attempt})
	if err != nil {
		return r, err
	}
	r.Payload = got.Payload
	for _, m := range got.Media {
		stored, err := e.store.PutMedium(ctx, store.Medium{
			MediaRef: integration.MediaRef{Name: m.Name, ContentType: m.ContentType, Duration: m.Duration}, Data: m.Data,
		})
		if err != nil {
			return r, err
		}
		r.Media = append(r.Media, stored.MediaRef)
	}
	return r, nil
}

// Handle runs HandleTask; its commit consumes the item. A periodic timer is followed by the next
// one in the same commit.
func (e work) Handle(ctx context.Context, it store.Item, req integration.TaskRequest) error {
	next, err := e.nextPeriodic(ctx, it)
	if err != nil {
		return err
	}
	_, err = e.run(ctx, job{
		integration: it.Integration, key: it.Key, handler: "task", done: &it,
		loading: loading{task: &req.Task}, extra: next,
		call: func(ctx context.Context, p integration.Integration, f integration.Facts) (integration.Outcome, error) {
			req.Facts = f
			return p.HandleTask(ctx, req)
		},
	})
	return err
}

// Webhook runs the handler for a request that was kept for later. Its answer goes nowhere.
func (e work) Webhook(ctx context.Context, it store.Item, req integration.WebhookRequest) error {
	j := webhookJob(it.Integration, it.Key, loading{}, req)
	j.done = &it
	_, err := e.run(ctx, j)
	return err
}

// WebhookEnded makes room for another request of the session.
func (e work) WebhookEnded(it store.Item) {
	e.deferred.done(sessions.Ref{Integration: it.Integration, Key: it.Key}, request{it.NotAfter.UnixMilli(), len(it.Body)})
}

// Ended completes what HandleTask hears of a command that failed, or of a mail.
func (e work) Ended(it store.Item, req *integration.TaskRequest) error {
	if it.Kind == store.ItemCommand {
		req.Event, req.Command = integration.CommandFailed, &integration.AlertCommand{}
		if json.Unmarshal(it.Body, req.Command) != nil {
			return errors.New("unreadable alert command")
		}
		return nil
	}
	var m mailItem
	if json.Unmarshal(it.Body, &m) != nil {
		return errors.New("unreadable mail")
	}
	req.Task = integration.Task{Name: integration.TaskMail, Payload: []byte(m.To)}
	if req.Event == integration.TaskDone {
		req.Task.Name = integration.TaskMailSent
	}
	return nil
}

// HearsOf is true for all but mails of a plugin of an earlier minor.
func (e work) HearsOf(ctx context.Context, it store.Item) bool {
	return it.Kind != store.ItemMail || e.hearsOfMails(ctx, it.Integration)
}

// GiveUp raises [FindingRefused]. A periodic timer is followed by the next one all the same.
func (e work) GiveUp(ctx context.Context, it store.Item, cause error) (ended bool, err error) {
	what := "a " + string(it.Kind)
	if it.Name != "" {
		what = fmt.Sprintf("%s (%s)", what, it.Name)
	}
	e.known.Find(ctx, it.Integration, integration.Finding{
		Code: FindingRefused, Severity: integration.FindingWarning, At: e.clock.Now(),
		Message: fmt.Sprintf("The plugin refused %s of call %s %d times, and the host gave it up: %v. Report this with the host's log.",
			what, it.Key, it.Attempt, cause),
	})
	next, err := e.nextPeriodic(ctx, it)
	if err != nil || len(next) == 0 {
		return false, err
	}
	return true, e.commitItems(ctx, it.Integration, it.Key, next, it.ID)
}
