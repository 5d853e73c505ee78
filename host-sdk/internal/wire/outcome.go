package wire

import (
	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// outcomeToPB runs in the plugin. A nil Response means that nothing answers a webhook, and a nil
// Session that the state stays as it is, so both must stay nil.
func outcomeToPB(o integration.Outcome) *pb.Outcome {
	return &pb.Outcome{
		Need:     each(o.Need, questionToPB),
		Response: opt(o.Response, httpResponseToPB),
		Session:  opt(o.Session, sessionUpdateToPB),
		Alert:    each(o.Alert, commandToPB),
		Tasks:    each(o.Tasks, taskToPB),
		Mail:     each(o.Mail, mailToPB),
		Heard:    each(o.Heard, heardToPB),
		Findings: each(o.Findings, findingToPB),
		Log:      each(o.Log, logLineToPB),
		Seen:     o.Seen,
	}
}

// outcomeFromPB runs in the host, which commits what it returns as a whole.
func outcomeFromPB(o *pb.Outcome) integration.Outcome {
	return integration.Outcome{
		Need:     each(o.GetNeed(), questionFromPB),
		Response: optFrom(o.GetResponse(), httpResponseFromPB),
		Session:  optFrom(o.GetSession(), sessionUpdateFromPB),
		Alert:    each(o.GetAlert(), commandFromPB),
		Tasks:    each(o.GetTasks(), taskFromPB),
		Mail:     each(o.GetMail(), mailFromPB),
		Heard:    each(o.GetHeard(), heardFromPB),
		Findings: each(o.GetFindings(), findingFromPB),
		Log:      each(o.GetLog(), logLineFromPB),
		Seen:     o.GetSeen(),
	}
}

// heardToPB says who has listened to which recording; the host keeps the first time for each
// person.
func heardToPB(h integration.Heard) *pb.Heard {
	return &pb.Heard{Ref: h.Ref, User: h.User, At: timeToPB(h.At)}
}

func heardFromPB(h *pb.Heard) integration.Heard {
	return integration.Heard{Ref: h.GetRef(), User: h.GetUser(), At: timeFromPB(h.GetAt())}
}

// sessionUpdateToPB carries the state as the plugin's own bytes: nothing on the way reads them.
// Format says what they are, so that no older plugin is handed them.
func sessionUpdateToPB(s integration.SessionUpdate) *pb.SessionUpdate {
	return &pb.SessionUpdate{
		State:     s.State,
		Format:    int64(s.Format),
		Occupies:  s.Occupies,
		ExpiresAt: timeToPB(s.ExpiresAt),
		AlertKey:  s.AlertKey,
		Call:      opt(s.Call, callToPB),
		Live:      s.Live,
		WaitsFor:  s.WaitsFor,
		Media:     s.Media,
	}
}

// A zero ExpiresAt leaves the time to the host.
func sessionUpdateFromPB(s *pb.SessionUpdate) integration.SessionUpdate {
	return integration.SessionUpdate{
		State:     s.GetState(),
		Format:    int(s.GetFormat()),
		Occupies:  s.GetOccupies(),
		ExpiresAt: timeFromPB(s.GetExpiresAt()),
		AlertKey:  s.GetAlertKey(),
		Call:      optFrom(s.GetCall(), callFromPB),
		Live:      s.GetLive(),
		WaitsFor:  s.GetWaitsFor(),
		Media:     s.GetMedia(),
	}
}

// callToPB carries what pages show of a call. An EndedAt that is absent means that it still runs.
func callToPB(c integration.CallView) *pb.CallView {
	return &pb.CallView{
		Id:        c.ID,
		From:      c.From,
		To:        c.To,
		State:     c.State,
		Ended:     c.Ended,
		Team:      c.Team,
		TeamName:  c.TeamName,
		StartedAt: timeToPB(c.StartedAt),
		EndedAt:   timeToPB(c.EndedAt),
		Legs:      each(c.Legs, legToPB),
		Unproven:  c.Unproven,
	}
}

// callFromPB is what the host stores beside the session, so that pages need no plugin.
func callFromPB(c *pb.CallView) integration.CallView {
	return integration.CallView{
		ID:        c.GetId(),
		From:      c.GetFrom(),
		To:        c.GetTo(),
		State:     c.GetState(),
		Ended:     c.GetEnded(),
		Team:      c.GetTeam(),
		TeamName:  c.GetTeamName(),
		StartedAt: timeFromPB(c.GetStartedAt()),
		EndedAt:   timeFromPB(c.GetEndedAt()),
		Legs:      each(c.GetLegs(), legFromPB),
		Unproven:  c.GetUnproven(),
	}
}

// legToPB carries one phone of a call, as pages show it. States are the plugin's words, of which
// hosts know a few.
func legToPB(l integration.LegView) *pb.LegView {
	return &pb.LegView{
		Id:        l.ID,
		Role:      l.Role,
		User:      l.User,
		Name:      l.Name,
		Phone:     l.Phone,
		State:     l.State,
		Reason:    l.Reason,
		StartedAt: timeToPB(l.StartedAt),
		EndedAt:   timeToPB(l.EndedAt),
	}
}

func legFromPB(l *pb.LegView) integration.LegView {
	return integration.LegView{
		ID:        l.GetId(),
		Role:      l.GetRole(),
		User:      l.GetUser(),
		Name:      l.GetName(),
		Phone:     l.GetPhone(),
		State:     l.GetState(),
		Reason:    l.GetReason(),
		StartedAt: timeFromPB(l.GetStartedAt()),
		EndedAt:   timeFromPB(l.GetEndedAt()),
	}
}

// findingToPB is for findings that a plugin reports. Those that a host repeats in its facts are
// made by [messages.findingsToPB].
func findingToPB(f integration.Finding) *pb.Finding {
	return &pb.Finding{Code: f.Code, Severity: string(f.Severity), Message: f.Message, Field: f.Field, At: timeToPB(f.At)}
}

func findingFromPB(f *pb.Finding) integration.Finding {
	return integration.Finding{
		Code:     f.GetCode(),
		Severity: integration.FindingSeverity(f.GetSeverity()),
		Message:  f.GetMessage(),
		Field:    f.GetField(),
		At:       timeFromPB(f.GetAt()),
	}
}

// logLineToPB carries a line that the host writes into its log: the plugin's decisions appear there
// beside the host's own, and only if the outcome is committed.
func logLineToPB(l integration.LogLine) *pb.LogLine {
	return &pb.LogLine{Level: l.Level, Message: l.Message, Attrs: l.Attrs}
}

// A level that is not known is the host's to choose.
func logLineFromPB(l *pb.LogLine) integration.LogLine {
	return integration.LogLine{Level: l.GetLevel(), Message: l.GetMessage(), Attrs: l.GetAttrs()}
}

// actionLineToPB carries one line of what an action found, for people.
func actionLineToPB(l integration.ActionLine) *pb.ActionLine {
	return &pb.ActionLine{Level: l.Level, Text: l.Text, Field: l.Field, Choice: l.Choice}
}

func actionLineFromPB(l *pb.ActionLine) integration.ActionLine {
	return integration.ActionLine{Level: l.GetLevel(), Text: l.GetText(), Field: l.GetField(), Choice: l.GetChoice()}
}
