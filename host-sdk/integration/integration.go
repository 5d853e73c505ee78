package integration

import "context"

// Integration is what a plugin implements and a host calls. All methods may be called concurrently;
// an implementation keeps no state of its own between calls. Errors are *[Error].
type Integration interface {
	// Describe says what the integration is. It is constant for the life of the process and needs
	// no instance.
	Describe(ctx context.Context, req DescribeRequest) (Description, error)

	// OptionsSchema returns the JSON Schema (draft-07) of the option form as bytes. Property order
	// is form order: keep the bytes verbatim.
	OptionsSchema(ctx context.Context, req OptionsSchemaRequest) (OptionsSchema, error)

	// ValidateOptions checks an options document, field by field, and renders the fallback answers
	// that the host gives when this plugin cannot be reached. With Online it may ask the foreign
	// service; otherwise it is pure. A refused document is not an error: it is a response with
	// Problems.
	ValidateOptions(ctx context.Context, req ValidateOptionsRequest) (ValidateOptionsResponse, error)

	// HandleWebhook decides what to answer to an HTTP request of the foreign service. Pure.
	HandleWebhook(ctx context.Context, req WebhookRequest) (Outcome, error)

	// HandleAlert decides what follows from the alert's new snapshot (Facts.Alert). Pure. Snapshots
	// may be lost, doubled or old. That the alert was created, and waits to be routed, is no news:
	// the next request brings that snapshot along.
	HandleAlert(ctx context.Context, req AlertRequest) (Outcome, error)

	// HandleTask decides what follows from a timer that is due, a task that has its result, or a
	// task or alert command that finally failed. Pure. Delivered at least once, in no promised
	// order between tasks.
	HandleTask(ctx context.Context, req TaskRequest) (Outcome, error)

	// Perform does one piece of I/O: the only method of the flow that may. It changes no session;
	// its result is stored and handed to HandleTask. Run at least once. Errors of a final kind (see
	// [Kind.Final]) end the task, others are retried with back-off until Task.NotAfter.
	Perform(ctx context.Context, req PerformRequest) (TaskResult, error)

	// RunAction runs one of the actions that Describe lists, at a person's request. It may do I/O
	// and is never repeated by the host, except with the answers to the questions it asks
	// ([ActionResult.Need]). Unknown names: KindNotFound.
	RunAction(ctx context.Context, req ActionRequest) (ActionResult, error)
}

// AlertRequest carries a new snapshot of the session's alert in Facts.Alert.
type AlertRequest struct {
	Facts Facts
}
