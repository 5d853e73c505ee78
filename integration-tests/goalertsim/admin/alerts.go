package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Alert is what the generic integration key's endpoint reads. With Action "close" it closes.
type Alert struct {
	Summary string            `json:"summary"`
	Details string            `json:"details,omitempty"`
	Dedup   string            `json:"dedup"`
	Action  string            `json:"action,omitempty"`
	Meta    map[string]string `json:"meta,omitempty"`
}

// Created is what that endpoint answers. AlertID is 0 if there was nothing to close.
type Created struct {
	AlertID   int
	ServiceID string
	IsNew     bool
}

// Post sends an alert to a service. Refusals are of type *Error.
func (s Service) Post(ctx context.Context, a Alert) (Created, error) {
	body, err := json.Marshal(a)
	if err != nil {
		return Created{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Href, bytes.NewReader(body))
	if err != nil {
		return Created{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	resp, answer, err := (&Client{}).Do(r)
	if err != nil {
		return Created{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return Created{}, &Error{Status: resp.StatusCode, Body: string(answer)}
	}
	var created Created
	return created, json.Unmarshal(answer, &created)
}

// Acknowledge acknowledges an alert, in the name of the client's user. It reports whether the alert
// changed.
func (c *Client) Acknowledge(ctx context.Context, alertID int) (bool, error) {
	return c.update(ctx, alertID, "newStatus:StatusAcknowledged")
}

// CloseAlert closes an alert. It reports whether the alert changed.
func (c *Client) CloseAlert(ctx context.Context, alertID int) (bool, error) {
	return c.update(ctx, alertID, "newStatus:StatusClosed")
}

// SetNoise writes the reason why an alert is noise, the only text that can be added later.
func (c *Client) SetNoise(ctx context.Context, alertID int, reason string) (bool, error) {
	return c.update(ctx, alertID, "noiseReason:"+text(reason))
}

func (c *Client) update(ctx context.Context, alertID int, change string) (bool, error) {
	changed, err := create[[]struct{ AlertID int }](ctx, c, "updateAlerts", fmt.Sprintf("{alertIDs:[%d],%s}", alertID, change), "{alertID status}")
	return len(changed) > 0, err
}

// Escalate has GoAlert escalate an alert at its next cycle.
func (c *Client) Escalate(ctx context.Context, alertID int) error {
	_, err := create[[]struct{ AlertID int }](ctx, c, "escalateAlerts", fmt.Sprintf("[%d]", alertID), "{alertID status}")
	return err
}

// State is where an alert is in its policy.
type State struct {
	StepNumber     int
	RepeatCount    int
	LastEscalation *string // nil before the first step
}

// Status is an alert's status with the lines of its log, in the server's order.
type Status struct {
	Status      string // StatusUnacknowledged, StatusAcknowledged, StatusClosed
	State       *State // nil once closed, or by a policy without steps
	NoiseReason *string
	Log         []string
	MessageIDs  []string // of the lines that have one
}

// AlertStatus reads an alert; nil if there is none of this number.
func (c *Client) AlertStatus(ctx context.Context, alertID int) (*Status, error) {
	var out struct {
		Alert *struct {
			Status
			RecentEvents struct {
				Nodes []struct {
					Message   string
					MessageID *string
				}
			}
		}
	}
	err := c.Query(ctx, fmt.Sprintf(`{alert(id:%d){status state{stepNumber repeatCount lastEscalation} noiseReason
		recentEvents(input:{limit:50}){nodes{message messageID}}}}`, alertID), &out)
	if err != nil || out.Alert == nil {
		return nil, err
	}
	s := out.Alert.Status
	for _, e := range out.Alert.RecentEvents.Nodes {
		s.Log = append(s.Log, e.Message)
		if e.MessageID != nil {
			s.MessageIDs = append(s.MessageIDs, *e.MessageID)
		}
	}
	return &s, nil
}

// Has tells whether the log has a line.
func (s *Status) Has(line string) bool {
	for _, l := range s.Log {
		if l == line {
			return true
		}
	}
	return false
}
