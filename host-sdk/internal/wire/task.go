package wire

import (
	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// taskToPB carries a task in both directions: the plugin commands it in an outcome, the host hands
// it back to be performed or when its time has come.
func taskToPB(t integration.Task) *pb.Task {
	return &pb.Task{
		Name:       t.Name,
		Generation: t.Generation,
		Timer:      t.Timer,
		Cancel:     t.Cancel,
		At:         timeToPB(t.At),
		NotAfter:   timeToPB(t.NotAfter),
		Payload:    t.Payload,
		Format:     int64(t.Format),
		Priority:   int64(t.Priority),
		PaceKey:    t.PaceKey,
		PaceEvery:  durationToPB(t.PaceEvery),
	}
}

// taskFromPB leaves a zero NotAfter as it is: the host puts its own limit.
func taskFromPB(t *pb.Task) integration.Task {
	return integration.Task{
		Name:       t.GetName(),
		Generation: t.GetGeneration(),
		Timer:      t.GetTimer(),
		Cancel:     t.GetCancel(),
		At:         timeFromPB(t.GetAt()),
		NotAfter:   timeFromPB(t.GetNotAfter()),
		Payload:    t.GetPayload(),
		Format:     int(t.GetFormat()),
		Priority:   int(t.GetPriority()),
		PaceKey:    t.GetPaceKey(),
		PaceEvery:  durationFromPB(t.GetPaceEvery()),
	}
}

// mediaContentToPB carries the bytes of a recording from the plugin, which fetched it, to the host,
// which keeps it.
func mediaContentToPB(m integration.MediaContent) *pb.MediaContent {
	return &pb.MediaContent{Name: m.Name, ContentType: m.ContentType, Data: m.Data, Duration: durationToPB(m.Duration)}
}

// mediaContentFromPB does not copy the bytes: the message belongs to nobody else.
func mediaContentFromPB(m *pb.MediaContent) integration.MediaContent {
	return integration.MediaContent{
		Name:        m.GetName(),
		ContentType: m.GetContentType(),
		Data:        m.GetData(),
		Duration:    durationFromPB(m.GetDuration()),
	}
}

// mailToPB carries what the mail says and to which groups of people it goes. Addresses and
// attachments are the host's to find.
func mailToPB(m integration.Mail) *pb.Mail {
	return &pb.Mail{
		Key:         m.Key,
		To:          each(m.To, recipientToPB),
		At:          timeToPB(m.At),
		Subject:     m.Subject,
		Text:        m.Text,
		Html:        m.HTML,
		LinkAlert:   m.LinkAlert,
		Attachments: each(m.Attachments, mediaRefToPB),
	}
}

// The key makes repeated sends of one mail the same mail.
func mailFromPB(m *pb.Mail) integration.Mail {
	return integration.Mail{
		Key:         m.GetKey(),
		To:          each(m.GetTo(), recipientFromPB),
		At:          timeFromPB(m.GetAt()),
		Subject:     m.GetSubject(),
		Text:        m.GetText(),
		HTML:        m.GetHtml(),
		LinkAlert:   m.GetLinkAlert(),
		Attachments: each(m.GetAttachments(), mediaRefFromPB),
	}
}

// recipientToPB carries either an address or a group of people; the host resolves the group when it
// sends.
func recipientToPB(r integration.Recipient) *pb.Recipient {
	return &pb.Recipient{Address: r.Address, Audience: string(r.Audience), Teams: r.Teams}
}

func recipientFromPB(r *pb.Recipient) integration.Recipient {
	return integration.Recipient{
		Address:  r.GetAddress(),
		Audience: integration.Audience(r.GetAudience()),
		Teams:    r.GetTeams(),
	}
}
