package wire

import (
	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// describeRequestToPB has nothing to carry yet. It has the signature of all the others, as [call]
// wants one function for each method.
func describeRequestToPB(_ *messages, _ integration.DescribeRequest) *pb.DescribeRequest {
	return &pb.DescribeRequest{}
}

func describeRequestFromPB(*pb.DescribeRequest) integration.DescribeRequest {
	return integration.DescribeRequest{}
}

func describeResponseToPB(d integration.Description) *pb.DescribeResponse {
	return &pb.DescribeResponse{Description: descriptionToPB(d)}
}

func describeResponseFromPB(r *pb.DescribeResponse) integration.Description {
	return descriptionFromPB(r.GetDescription())
}

func optionsSchemaRequestToPB(_ *messages, _ integration.OptionsSchemaRequest) *pb.OptionsSchemaRequest {
	return &pb.OptionsSchemaRequest{}
}

func optionsSchemaRequestFromPB(*pb.OptionsSchemaRequest) integration.OptionsSchemaRequest {
	return integration.OptionsSchemaRequest{}
}

// optionsSchemaToPB carries the schema verbatim: the order of its properties is the order of the
// form, which a JSON value in the message would lose.
func optionsSchemaToPB(s integration.OptionsSchema) *pb.OptionsSchemaResponse {
	return &pb.OptionsSchemaResponse{Schema: s.Schema, Format: int64(s.Format)}
}

func optionsSchemaFromPB(s *pb.OptionsSchemaResponse) integration.OptionsSchema {
	return integration.OptionsSchema{Schema: s.GetSchema(), Format: int(s.GetFormat())}
}

// validateRequestToPB carries the options with their secrets, as some are checked at the foreign
// service when Online is set.
func validateRequestToPB(m *messages, r integration.ValidateOptionsRequest) *pb.ValidateOptionsRequest {
	return &pb.ValidateOptionsRequest{
		Options:      r.Options,
		Format:       int64(r.Format),
		Instance:     instanceToPB(m, r.Instance),
		Destinations: each(r.Destinations, destinationToPB),
		Online:       r.Online,
		Now:          timeToPB(r.Now),
	}
}

// A format of 0 means today's.
func validateRequestFromPB(r *pb.ValidateOptionsRequest) integration.ValidateOptionsRequest {
	return integration.ValidateOptionsRequest{
		Options:      r.GetOptions(),
		Format:       int(r.GetFormat()),
		Instance:     instanceFromPB(r.GetInstance()),
		Destinations: each(r.GetDestinations(), destinationFromPB),
		Online:       r.GetOnline(),
		Now:          timeFromPB(r.GetNow()),
	}
}

// validateResponseToPB carries the document back, as the plugin may have raised it to its newest
// format.
func validateResponseToPB(r integration.ValidateOptionsResponse) *pb.ValidateOptionsResponse {
	return &pb.ValidateOptionsResponse{
		Problems: each(r.Problems, problemToPB),
		Warnings: each(r.Warnings, problemToPB),
		Options:  r.Options,
		Format:   int64(r.Format),
		Fallback: fallbackToPB(r.Fallback),
	}
}

// The document that comes back is what the host stores, not the one that was sent.
func validateResponseFromPB(r *pb.ValidateOptionsResponse) integration.ValidateOptionsResponse {
	return integration.ValidateOptionsResponse{
		Problems: each(r.GetProblems(), problemFromPB),
		Warnings: each(r.GetWarnings(), problemFromPB),
		Options:  r.GetOptions(),
		Format:   int(r.GetFormat()),
		Fallback: fallbackFromPB(r.GetFallback()),
	}
}

// webhookRequestToPB carries the request as it came, byte for byte: signatures are computed over
// address and body.
func webhookRequestToPB(m *messages, r integration.WebhookRequest) *pb.HandleWebhookRequest {
	p := m.webhook.next()
	p.Facts = factsToPB(m, r.Facts)
	p.Method = m.text.copy(r.Method)
	p.Url = m.text.copy(r.URL)
	p.Path = m.text.copy(r.Path)
	p.Header = m.header.toPB(r.Header)
	p.Body = r.Body
	p.RemoteAddr = r.RemoteAddr
	p.Deferred = r.Deferred
	p.ReceivedAt = m.time(r.ReceivedAt)
	return p
}

// webhookRequestFromPB runs in the plugin. Body and header are as the foreign service sent them,
// apart from what concerns the connection.
func webhookRequestFromPB(r *pb.HandleWebhookRequest) integration.WebhookRequest {
	return integration.WebhookRequest{
		Facts:      factsFromPB(r.GetFacts()),
		Method:     string(r.GetMethod()),
		URL:        string(r.GetUrl()),
		Path:       string(r.GetPath()),
		Header:     headerFromPB(r.GetHeader()),
		Body:       r.GetBody(),
		RemoteAddr: r.GetRemoteAddr(),
		Deferred:   r.GetDeferred(),
		ReceivedAt: timeFromPB(r.GetReceivedAt()),
	}
}

func webhookResponseToPB(o integration.Outcome) *pb.HandleWebhookResponse {
	return &pb.HandleWebhookResponse{Outcome: outcomeToPB(o)}
}

func webhookResponseFromPB(r *pb.HandleWebhookResponse) integration.Outcome {
	return outcomeFromPB(r.GetOutcome())
}

// alertRequestToPB needs no more than the facts, which hold the alert's snapshot.
func alertRequestToPB(m *messages, r integration.AlertRequest) *pb.HandleAlertRequest {
	return &pb.HandleAlertRequest{Facts: factsToPB(m, r.Facts)}
}

// Without a session or a snapshot the handler has nothing to do.
func alertRequestFromPB(r *pb.HandleAlertRequest) integration.AlertRequest {
	return integration.AlertRequest{Facts: factsFromPB(r.GetFacts())}
}

func alertResponseToPB(o integration.Outcome) *pb.HandleAlertResponse {
	return &pb.HandleAlertResponse{Outcome: outcomeToPB(o)}
}

func alertResponseFromPB(r *pb.HandleAlertResponse) integration.Outcome {
	return outcomeFromPB(r.GetOutcome())
}

// taskRequestToPB carries a timer, a result or a failure; Event says which, and so which fields are
// set.
func taskRequestToPB(m *messages, r integration.TaskRequest) *pb.HandleTaskRequest {
	return &pb.HandleTaskRequest{
		Facts:   factsToPB(m, r.Facts),
		Event:   string(r.Event),
		Task:    taskToPB(r.Task),
		Command: opt(r.Command, commandToPB),
		Result:  r.Result,
		Media:   each(r.Media, mediaRefToPB),
		Failure: errorToPB(r.Failure),
	}
}

// A Failure that is absent stays nil: only the two failed events have one.
func taskRequestFromPB(r *pb.HandleTaskRequest) integration.TaskRequest {
	return integration.TaskRequest{
		Facts:   factsFromPB(r.GetFacts()),
		Event:   integration.TaskEvent(r.GetEvent()),
		Task:    taskFromPB(r.GetTask()),
		Command: optFrom(r.GetCommand(), commandFromPB),
		Result:  r.GetResult(),
		Media:   each(r.GetMedia(), mediaRefFromPB),
		Failure: errorFromPB(r.GetFailure()),
	}
}

func taskResponseToPB(o integration.Outcome) *pb.HandleTaskResponse {
	return &pb.HandleTaskResponse{Outcome: outcomeToPB(o)}
}

func taskResponseFromPB(r *pb.HandleTaskResponse) integration.Outcome {
	return outcomeFromPB(r.GetOutcome())
}

// performRequestToPB counts attempts from 1, so that a plugin can tell a repetition, whose effect
// may be there already.
func performRequestToPB(m *messages, r integration.PerformRequest) *pb.PerformRequest {
	return &pb.PerformRequest{Facts: factsToPB(m, r.Facts), Task: taskToPB(r.Task), Attempt: int64(r.Attempt)}
}

// Alert and findings come with the facts, as last known; answers never do.
func performRequestFromPB(r *pb.PerformRequest) integration.PerformRequest {
	return integration.PerformRequest{
		Facts:   factsFromPB(r.GetFacts()),
		Task:    taskFromPB(r.GetTask()),
		Attempt: int(r.GetAttempt()),
	}
}

// taskResultToPB carries whole recordings. They are what [integration.MaxMessageBytes] is for.
func taskResultToPB(r integration.TaskResult) *pb.PerformResponse {
	return &pb.PerformResponse{Payload: r.Payload, Media: each(r.Media, mediaContentToPB)}
}

func taskResultFromPB(r *pb.PerformResponse) integration.TaskResult {
	return integration.TaskResult{Payload: r.GetPayload(), Media: each(r.GetMedia(), mediaContentFromPB)}
}

// actionRequestToPB carries what a person entered into the action's own fields, by name.
func actionRequestToPB(m *messages, r integration.ActionRequest) *pb.RunActionRequest {
	return &pb.RunActionRequest{Facts: factsToPB(m, r.Facts), Name: r.Name, Values: r.Values}
}

func actionRequestFromPB(r *pb.RunActionRequest) integration.ActionRequest {
	return integration.ActionRequest{Facts: factsFromPB(r.GetFacts()), Name: r.GetName(), Values: r.GetValues()}
}

// actionResultToPB keeps a state that is present but empty apart from one that is absent: absent
// leaves what is stored.
func actionResultToPB(r integration.ActionResult) *pb.RunActionResponse {
	return &pb.RunActionResponse{
		Need:     each(r.Need, questionToPB),
		Ok:       r.OK,
		Lines:    each(r.Lines, actionLineToPB),
		Findings: each(r.Findings, findingToPB),
		State:    r.State,
		Format:   int64(r.Format),
	}
}

// actionResultFromPB is where nil and empty differ: an absent state leaves what is stored.
func actionResultFromPB(r *pb.RunActionResponse) integration.ActionResult {
	return integration.ActionResult{
		Need:     each(r.Need, questionFromPB),
		OK:       r.GetOk(),
		Lines:    each(r.GetLines(), actionLineFromPB),
		Findings: each(r.GetFindings(), findingFromPB),
		State:    r.GetState(),
		Format:   int(r.GetFormat()),
	}
}
