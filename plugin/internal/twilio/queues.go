package twilio

import (
	"context"
	"net/http"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// Queue is a queue of waiting callers (Twilio docs: voice/api/queue-resource).
type Queue struct {
	SID       string    `json:"sid"`
	Name      string    `json:"name"`
	Size      int       `json:"size"` // callers waiting
	CreatedAt time.Time `json:"created_at,omitzero"`
}

// queueOf reads what twilio-go decoded.
func queueOf(q api.ApiV2010Queue) Queue {
	return Queue{SID: sid(SIDQueue, str(q.Sid)), Name: str(q.FriendlyName), Size: q.CurrentSize, CreatedAt: date(q.DateCreated)}
}

// Dequeue takes a caller out of a queue and makes the call go on with the document at address. It
// only acts on a caller who still waits; the error not_found means that the caller does not (Twilio
// docs: voice/api/member-resource). So a request that comes late can interrupt neither a
// conversation nor a recording.
func (c *Client) Dequeue(ctx context.Context, queueSID, callSID, address string) error {
	if err := need(SIDQueue, queueSID, "queue"); err != nil {
		return err
	}
	if err := need(SIDCall, callSID, "call"); err != nil {
		return err
	}
	p := &api.UpdateMemberParams{}
	p.SetUrl(address)
	p.SetMethod(http.MethodPost)
	return c.do(ctx, "taking a caller out of the queue", func(s *api.ApiService) error {
		_, err := s.UpdateMember(queueSID, callSID, p)
		return err
	})
}

// DeleteQueue deletes a queue. Twilio refuses to delete a queue that is not empty. The call flow
// tries again later then.
func (c *Client) DeleteQueue(ctx context.Context, queueSID string) error {
	if err := need(SIDQueue, queueSID, "queue"); err != nil {
		return err
	}
	return c.do(ctx, "deleting a queue", func(s *api.ApiService) error {
		return s.DeleteQueue(queueSID, nil)
	})
}

// Queues lists the queues of the account, at most limit. Twilio has no filter by name. Whose they
// are is told by their names.
func (c *Client) Queues(ctx context.Context, limit int) ([]Queue, error) {
	p := &api.ListQueueParams{}
	p.SetPageSize(min(limit, maxPage))
	p.SetLimit(limit)
	return list(ctx, c, "listing queues", func(s *api.ApiService) ([]api.ApiV2010Queue, error) {
		return s.ListQueue(p)
	}, queueOf, func(q Queue) bool { return q.SID != "" })
}
