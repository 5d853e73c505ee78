package wire

import (
	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// factsToPB runs in the host at every tick of every caller on hold, so it takes its messages from m
// and makes none for what is absent.
func factsToPB(m *messages, f integration.Facts) *pb.Facts {
	p := m.facts.next()
	p.Now = m.time(f.Now)
	p.Instance = instanceToPB(m, f.Instance)
	// Absent says that there is no session yet, which an empty message would not.
	if f.Session != nil {
		p.Session = sessionToPB(m, f.Session)
	}
	p.SessionKey = f.SessionKey
	p.Destinations = m.destinationsToPB(f.Destinations)
	if f.Alert != nil {
		p.Alert = snapshotToPB(m, f.Alert)
	}
	p.Answers = each(f.Answers, answerToPB)
	p.Findings = m.findingsToPB(f.Findings)
	p.MediaUrls = f.MediaURLs
	p.FindingsUnknown = f.FindingsUnknown
	// Always sent: all fields zero is what an older host would say, too.
	p.WriteFormats = setFormats(m.formats.next(), f.WriteFormats)
	p.SeenAt = m.time(f.SeenAt)
	p.HearingSince = m.time(f.HearingSince)
	return p
}

// factsFromPB runs in the plugin. What it returns shares nothing with the message but bytes such as
// the session's state, which nobody changes.
func factsFromPB(f *pb.Facts) integration.Facts {
	return integration.Facts{
		Now:          timeFromPB(f.GetNow()),
		Instance:     instanceFromPB(f.GetInstance()),
		Session:      optFrom(f.GetSession(), sessionFromPB),
		SessionKey:   f.GetSessionKey(),
		Destinations: each(f.GetDestinations(), destinationFromPB),
		Alert:        optFrom(f.GetAlert(), snapshotFromPB),
		Answers:      each(f.GetAnswers(), answerFromPB),
		Findings:     each(f.GetFindings(), findingFromPB),
		MediaURLs:    f.GetMediaUrls(),

		FindingsUnknown: f.GetFindingsUnknown(),
		WriteFormats:    formatsFromPB(f.GetWriteFormats()),
		SeenAt:          timeFromPB(f.GetSeenAt()),
		HearingSince:    timeFromPB(f.GetHearingSince()),
	}
}

// instanceToPB carries the options with their secrets, and the key for tokens: a message of it must
// never be logged.
func instanceToPB(m *messages, i integration.Instance) *pb.Instance {
	p := m.instances.next()
	p.Id = i.ID
	p.Name = i.Name
	p.Revision = i.Revision
	p.Options = i.Options
	p.OptionsFormat = int64(i.OptionsFormat)
	p.EndpointUrl = i.EndpointURL
	p.TokenKey = i.TokenKey
	p.State = string(i.State)
	p.Urgency = i.Urgency
	p.Capabilities = capabilitiesToPB(m, i.Capabilities)
	p.MediaUrls = i.MediaURLs
	p.MediaSlices = slicesToPB(i.MediaSlices)
	p.SavedAt = m.time(i.SavedAt)
	p.ProtocolMinor = int64(i.ProtocolMinor)
	return p
}

// instanceFromPB takes a state that this release does not know as it is; a plugin serves no call
// for one.
func instanceFromPB(i *pb.Instance) integration.Instance {
	return integration.Instance{
		ID:            i.GetId(),
		Name:          i.GetName(),
		Revision:      i.GetRevision(),
		Options:       i.GetOptions(),
		OptionsFormat: int(i.GetOptionsFormat()),
		EndpointURL:   i.GetEndpointUrl(),
		TokenKey:      i.GetTokenKey(),
		State:         integration.HostState(i.GetState()),
		Urgency:       i.GetUrgency(),
		Capabilities:  capabilitiesFromPB(i.GetCapabilities()),
		MediaURLs:     i.GetMediaUrls(),
		MediaSlices:   slicesFromPB(i.GetMediaSlices()),
		SavedAt:       timeFromPB(i.GetSavedAt()),
		ProtocolMinor: int(i.GetProtocolMinor()),
	}
}

// slicesToPB wraps each list in a message, as the values of a map cannot be lists on the wire.
func slicesToPB(m map[string][]string) map[string]*pb.MediaSlices {
	if m == nil {
		return nil
	}
	out := make(map[string]*pb.MediaSlices, len(m))
	for ref, urls := range m {
		out[ref] = &pb.MediaSlices{Urls: urls}
	}
	return out
}

func slicesFromPB(m map[string]*pb.MediaSlices) map[string][]string {
	if m == nil {
		return nil
	}
	out := make(map[string][]string, len(m))
	for ref, s := range m {
		out[ref] = s.GetUrls()
	}
	return out
}

// capabilitiesToPB leaves out what is false. A capability of a later release is false for an older
// peer, so each must be named such that false means doing without.
func capabilitiesToPB(m *messages, c integration.Capabilities) *pb.Capabilities {
	p := m.capabilities.next()
	p.UnroutedAlerts = c.UnroutedAlerts
	p.Reopen = c.Reopen
	p.Escalate = c.Escalate
	p.AcknowledgeAs = c.AcknowledgeAs
	p.AcknowledgedByUser = c.AcknowledgedByUser
	p.Annotations = c.Annotations
	p.Routers = c.Routers
	p.PagesByItself = c.PagesByItself
	p.Audiences = c.Audiences
	p.Mail = c.Mail
	p.Notifies = c.Notifies
	p.CallMedia = c.CallMedia
	return p
}

// A capability that an older host does not know reads as false; ProtocolMinor tells the two apart.
func capabilitiesFromPB(c *pb.Capabilities) integration.Capabilities {
	return integration.Capabilities{
		UnroutedAlerts:     c.GetUnroutedAlerts(),
		Reopen:             c.GetReopen(),
		Escalate:           c.GetEscalate(),
		AcknowledgeAs:      c.GetAcknowledgeAs(),
		AcknowledgedByUser: c.GetAcknowledgedByUser(),
		Annotations:        c.GetAnnotations(),
		Routers:            c.GetRouters(),
		PagesByItself:      c.GetPagesByItself(),
		Audiences:          c.GetAudiences(),
		Mail:               c.GetMail(),
		Notifies:           c.GetNotifies(),
		CallMedia:          c.GetCallMedia(),
	}
}

// sessionToPB is called for a session that exists; a request that begins one has none.
func sessionToPB(m *messages, s *integration.Session) *pb.Session {
	p := m.sessions.next()
	p.Key = s.Key
	p.Version = s.Version
	p.State = s.State
	p.Format = int64(s.Format)
	p.CreatedAt = m.time(s.CreatedAt)
	p.UpdatedAt = m.time(s.UpdatedAt)
	return p
}

// The state is the plugin's own bytes of an earlier commit, unread by the host.
func sessionFromPB(s *pb.Session) integration.Session {
	return integration.Session{
		Key:       s.GetKey(),
		Version:   s.GetVersion(),
		State:     s.GetState(),
		Format:    int(s.GetFormat()),
		CreatedAt: timeFromPB(s.GetCreatedAt()),
		UpdatedAt: timeFromPB(s.GetUpdatedAt()),
	}
}

// destinationToPB makes its own message, for verdicts and validation. Facts use
// [messages.destinationsToPB].
func destinationToPB(d integration.Destination) *pb.Destination {
	return &pb.Destination{Kind: string(d.Kind), Id: d.ID, Name: d.Name, Missing: d.Missing}
}

func destinationFromPB(d *pb.Destination) integration.Destination {
	return integration.Destination{
		Kind:    integration.DestinationKind(d.GetKind()),
		ID:      d.GetId(),
		Name:    d.GetName(),
		Missing: d.GetMissing(),
	}
}

// userToPB carries telephone numbers in the order of trying them, which repeated fields keep.
func userToPB(u integration.User) *pb.User {
	return &pb.User{Id: u.ID, Name: u.Name, Email: u.Email, Phones: u.Phones, OccupiedBy: u.OccupiedBy, OccupiedHow: u.OccupiedHow, AwaitedBy: u.AwaitedBy}
}

func userFromPB(u *pb.User) integration.User {
	return integration.User{
		ID:         u.GetId(),
		Name:       u.GetName(),
		Email:      u.GetEmail(),
		Phones:     u.GetPhones(),
		OccupiedBy: u.GetOccupiedBy(), OccupiedHow: u.GetOccupiedHow(), AwaitedBy: u.GetAwaitedBy(),
	}
}

// onCallToPB keeps the order of a list, which is that of ringing within a layer.
func onCallToPB(e integration.OnCallEntry) *pb.OnCallEntry {
	return &pb.OnCallEntry{Layer: int64(e.Layer), User: userToPB(e.User)}
}

func onCallFromPB(e *pb.OnCallEntry) integration.OnCallEntry {
	return integration.OnCallEntry{Layer: int(e.GetLayer()), User: userFromPB(e.GetUser())}
}

// questionToPB carries the fields of all kinds of questions. The zero At means now, and is absent.
func questionToPB(q integration.Question) *pb.Question {
	return &pb.Question{
		Id:     q.ID,
		Kind:   string(q.Kind),
		Router: q.Router,
		Facts:  q.Facts,
		Team:   q.Team,
		Layer:  int64(q.Layer),
		User:   q.User,
		At:     timeToPB(q.At),
		From:   q.From,
		Since:  timeToPB(q.Since),
	}
}

// questionFromPB leaves an unknown kind as it is: a host that does not know it answers with an
// error.
func questionFromPB(q *pb.Question) integration.Question {
	return integration.Question{
		ID:     q.GetId(),
		Kind:   integration.QuestionKind(q.GetKind()),
		Router: q.GetRouter(),
		Facts:  q.GetFacts(),
		Team:   q.GetTeam(),
		Layer:  int(q.GetLayer()),
		User:   q.GetUser(),
		At:     timeFromPB(q.GetAt()),
		From:   q.GetFrom(),
		Since:  timeFromPB(q.GetSince()),
	}
}

// answerToPB keeps nil apart for Route, User and Err: which of them is there says what the answer
// is. No calls, or nobody on call, is an answer too, an empty list.
func answerToPB(a integration.Answer) *pb.Answer {
	return &pb.Answer{
		Id:     a.ID,
		Route:  opt(a.Route, verdictToPB),
		OnCall: each(a.OnCall, onCallToPB),
		User:   opt(a.User, userToPB),
		Error:  errorToPB(a.Err),
		Calls:  each(a.Calls, recentCallToPB),
		AsOf:   timeToPB(a.AsOf),
	}
}

func answerFromPB(a *pb.Answer) integration.Answer {
	return integration.Answer{
		ID:     a.GetId(),
		Route:  optFrom(a.GetRoute(), verdictFromPB),
		OnCall: each(a.GetOnCall(), onCallFromPB),
		User:   optFrom(a.GetUser(), userFromPB),
		Err:    errorFromPB(a.GetError()),
		Calls:  each(a.GetCalls(), recentCallFromPB),
		AsOf:   timeFromPB(a.GetAsOf()),
	}
}

// verdictToPB keeps the order of the receivers: that of the rule's actions.
func verdictToPB(v integration.RouteVerdict) *pb.RouteVerdict {
	return &pb.RouteVerdict{
		Receivers: each(v.Receivers, destinationToPB),
		Default:   each(v.Default, destinationToPB),
		Notes:     v.Notes,
		Trace:     v.Trace,
	}
}

func verdictFromPB(v *pb.RouteVerdict) integration.RouteVerdict {
	return integration.RouteVerdict{
		Receivers: each(v.GetReceivers(), destinationFromPB),
		Default:   each(v.GetDefault(), destinationFromPB),
		Notes:     v.GetNotes(),
		Trace:     v.GetTrace(),
	}
}

// recentCallToPB carries as little of an earlier call as a handler needs to recognise a repeated
// one.
func recentCallToPB(c integration.RecentCall) *pb.RecentCall {
	return &pb.RecentCall{Id: c.ID, StartedAt: timeToPB(c.StartedAt), Ended: c.Ended, AlertUrl: c.AlertURL, Unproven: c.Unproven}
}

func recentCallFromPB(c *pb.RecentCall) integration.RecentCall {
	return integration.RecentCall{
		ID: c.GetId(), StartedAt: timeFromPB(c.GetStartedAt()), Ended: c.GetEnded(), AlertURL: c.GetAlertUrl(),
		Unproven: c.GetUnproven(),
	}
}
