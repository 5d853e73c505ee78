package wire

import (
	"maps"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// descriptionToPB runs once for each plugin process: the host keeps what it says.
func descriptionToPB(d integration.Description) *pb.Description {
	return &pb.Description{
		Id:              d.ID,
		Name:            d.Name,
		Version:         d.Version,
		ProtocolVersion: int64(d.ProtocolVersion),
		ProtocolMinor:   int64(d.ProtocolMinor),
		Formats:         formatsToPB(d.Formats),
		Webhook:         webhookDescriptionToPB(d.Webhook),
		Actions:         each(d.Actions, actionToPB),
		Periodic:        each(d.Periodic, periodicToPB),
	}
}

// The host compares version and protocol with the manifest before it uses the rest.
func descriptionFromPB(d *pb.Description) integration.Description {
	return integration.Description{
		ID:              d.GetId(),
		Name:            d.GetName(),
		Version:         d.GetVersion(),
		ProtocolVersion: int(d.GetProtocolVersion()),
		ProtocolMinor:   int(d.GetProtocolMinor()),
		Formats:         formatsFromPB(d.GetFormats()),
		Webhook:         webhookDescriptionFromPB(d.GetWebhook()),
		Actions:         each(d.GetActions(), actionFromPB),
		Periodic:        each(d.GetPeriodic(), periodicFromPB),
	}
}

func formatsToPB(f integration.Formats) *pb.Formats { return setFormats(&pb.Formats{}, f) }

// setFormats is apart from formatsToPB so that a tick can fill a message that is used again.
func setFormats(p *pb.Formats, f integration.Formats) *pb.Formats {
	p.State, p.Task, p.Path, p.Options = int64(f.State), int64(f.Task), int64(f.Path), int64(f.Options)
	return p
}

// A field of 0 asks for nothing: an older peer does not know it.
func formatsFromPB(f *pb.Formats) integration.Formats {
	return integration.Formats{
		State:   int(f.GetState()),
		Task:    int(f.GetTask()),
		Path:    int(f.GetPath()),
		Options: int(f.GetOptions()),
	}
}

// webhookDescriptionToPB carries all that a host needs to route a request, and to answer one
// without the plugin.
func webhookDescriptionToPB(w integration.WebhookDescription) *pb.WebhookDescription {
	return &pb.WebhookDescription{
		SessionField:       w.SessionField,
		SessionPrefix:      w.SessionPrefix,
		ShapeFields:        w.ShapeFields,
		IgnoredAnswerPaths: w.IgnoredAnswerPaths,
		NotInService:       httpResponseToPB(w.NotInService),
		Refused:            httpResponseToPB(w.Refused),
		Fallback:           fallbackToPB(w.Fallback),
		RecentCalls:        recentCallsToPB(w.RecentCalls),
	}
}

func webhookDescriptionFromPB(w *pb.WebhookDescription) integration.WebhookDescription {
	return integration.WebhookDescription{
		SessionField:       w.GetSessionField(),
		SessionPrefix:      w.GetSessionPrefix(),
		ShapeFields:        w.GetShapeFields(),
		IgnoredAnswerPaths: w.GetIgnoredAnswerPaths(),
		NotInService:       httpResponseFromPB(w.GetNotInService()),
		Refused:            httpResponseFromPB(w.GetRefused()),
		Fallback:           fallbackFromPB(w.GetFallback()),
		RecentCalls:        recentCallsFromPB(w.GetRecentCalls()),
	}
}

// recentCallsToPB makes no message of the zero value: absent is how the wire says that the plugin
// asks nothing.
func recentCallsToPB(q integration.RecentCallsQuestion) *pb.RecentCallsQuestion {
	if q == (integration.RecentCallsQuestion{}) {
		return nil
	}
	return &pb.RecentCallsQuestion{Field: q.Field, IdPrefix: q.IDPrefix, Window: durationToPB(q.Window)}
}

func recentCallsFromPB(q *pb.RecentCallsQuestion) integration.RecentCallsQuestion {
	return integration.RecentCallsQuestion{Field: q.GetField(), IDPrefix: q.GetIdPrefix(), Window: durationFromPB(q.GetWindow())}
}

// actionToPB carries a button beside the form, with the values that a person supplies.
func actionToPB(a integration.ActionDescription) *pb.ActionDescription {
	return &pb.ActionDescription{Name: a.Name, Label: a.Label, Help: a.Help, Fields: each(a.Fields, actionFieldToPB), Group: a.Group}
}

func actionFromPB(a *pb.ActionDescription) integration.ActionDescription {
	return integration.ActionDescription{
		Name:   a.GetName(),
		Label:  a.GetLabel(),
		Help:   a.GetHelp(),
		Fields: each(a.GetFields(), actionFieldFromPB),
		Group:  a.GetGroup(),
	}
}

func actionFieldToPB(f integration.ActionField) *pb.ActionField {
	return &pb.ActionField{Name: f.Name, Label: f.Label, Help: f.Help, Required: f.Required, Format: f.Format}
}

func actionFieldFromPB(f *pb.ActionField) integration.ActionField {
	return integration.ActionField{Name: f.GetName(), Label: f.GetLabel(), Help: f.GetHelp(), Required: f.GetRequired(), Format: f.GetFormat()}
}

// periodicToPB carries a timer that the host starts by itself, in the integration's own session.
func periodicToPB(p integration.PeriodicTask) *pb.PeriodicTask {
	return &pb.PeriodicTask{Name: p.Name, Every: durationToPB(p.Every)}
}

func periodicFromPB(p *pb.PeriodicTask) integration.PeriodicTask {
	return integration.PeriodicTask{Name: p.GetName(), Every: durationFromPB(p.GetEvery())}
}

// problemToPB carries problems and warnings alike.
func problemToPB(p integration.Problem) *pb.Problem {
	return &pb.Problem{Path: p.Path, Code: p.Code, Message: p.Message}
}

func problemFromPB(p *pb.Problem) integration.Problem {
	return integration.Problem{Path: p.GetPath(), Code: p.GetCode(), Message: p.GetMessage()}
}

// fallbackToPB carries answers that were rendered in advance. The host stores them, so they are
// still there when the plugin is not.
func fallbackToPB(f integration.FallbackAnswers) *pb.FallbackAnswers {
	return &pb.FallbackAnswers{
		Wait:      httpResponseToPB(f.Wait),
		LastWords: httpResponseToPB(f.LastWords),
		Keep:      f.Keep,
		For:       durationToPB(f.For),
	}
}

func fallbackFromPB(f *pb.FallbackAnswers) integration.FallbackAnswers {
	return integration.FallbackAnswers{
		Wait:      httpResponseFromPB(f.GetWait()),
		LastWords: httpResponseFromPB(f.GetLastWords()),
		Keep:      f.GetKeep(),
		For:       durationFromPB(f.GetFor()),
	}
}

// httpResponseToPB leaves a status of 0 as it is: the host answers 200.
func httpResponseToPB(r integration.Response) *pb.HttpResponse {
	return &pb.HttpResponse{Status: int64(r.Status), Header: headerToPB(r.Header), Body: r.Body}
}

func httpResponseFromPB(r *pb.HttpResponse) integration.Response {
	return integration.Response{Status: int(r.GetStatus()), Header: headerFromPB(r.GetHeader()), Body: r.GetBody()}
}

// headers is where the fields of a header lie: their texts, lists and messages are made in one
// piece each, and used again. A webhook has some twenty header fields; one piece of each kind keeps
// it from being twenty allocations at each tick.
type headers struct {
	names  []string
	text   texts
	values [][]byte
	fields []pb.HeaderField
	list   []*pb.HeaderField
}

// headerToPB is [headers.toPB] for a header that is kept.
func headerToPB(h map[string][]string) []*pb.HeaderField { return new(headers).toPB(h) }

// toPB sorts the fields by name, so that equal headers make equal messages.
func (to *headers) toPB(h map[string][]string) []*pb.HeaderField {
	if len(h) == 0 {
		return nil
	}
	to.names = slices.AppendSeq(slices.Grow(to.names, len(h)), maps.Keys(h))
	slices.Sort(to.names)
	// The room is measured first: growing in the middle would move the texts, and what was made of
	// them before would keep the old piece alive.
	count, size := 0, 0
	for name, values := range h {
		count, size = count+len(values), size+len(name)
		for _, v := range values {
			size += len(v)
		}
	}
	to.text, to.values = slices.Grow(to.text, size), slices.Grow(to.values, count)
	to.fields, to.list = slices.Grow(to.fields, len(h))[:len(h)], slices.Grow(to.list, len(h))
	for i, name := range to.names {
		f := &to.fields[i]
		to.list = append(to.list, f)
		f.Name = to.text.copy(name)
		begin := len(to.values)
		for _, v := range h[name] {
			to.values = append(to.values, to.text.copy(v))
		}
		// The capacity ends here, or appending to one field's values would write over the next
		// one's.
		f.Values = to.values[begin:len(to.values):len(to.values)]
	}
	return to.list
}

func (to *headers) reset() {
	to.text.reset()
	to.names, to.values, to.list = emptied(to.names), emptied(to.values), emptied(to.list)
	clear(to.fields)
	to.fields = to.fields[:0]
}

// headerSize is how long the texts of a header are together.
func headerSize(fields []*pb.HeaderField) (size int) {
	for _, f := range fields {
		size += len(f.GetName())
		for _, v := range f.GetValues() {
			size += len(v)
		}
	}
	return size
}

// headerFromPB joins the values of a name that comes more than once. Texts and lists are made in
// one piece each.
func headerFromPB(fields []*pb.HeaderField) map[string][]string {
	if len(fields) == 0 {
		return nil
	}
	count := 0
	var all strings.Builder
	all.Grow(headerSize(fields))
	for _, f := range fields {
		count += len(f.GetValues())
		all.Write(f.GetName())
		for _, v := range f.GetValues() {
			all.Write(v)
		}
	}
	text, lists := all.String(), make([]string, 0, count)
	// It cuts the next text off the long one, which all texts of the header share.
	next := func(of []byte) (s string) {
		s, text = text[:len(of)], text[len(of):]
		return s
	}
	h := make(map[string][]string, len(fields))
	for _, f := range fields {
		name, begin := next(f.GetName()), len(lists)
		for _, v := range f.GetValues() {
			lists = append(lists, next(v))
		}
		// A peer in another language may send a name twice. A name without values stays, with nil.
		if before := h[name]; len(before) > 0 {
			h[name] = append(before, lists[begin:]...)
		} else if h[name] = nil; begin < len(lists) {
			h[name] = lists[begin:len(lists):len(lists)]
		}
	}
	return h
}
