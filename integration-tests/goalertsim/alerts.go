package goalertsim

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Limits of an alert's texts, in bytes.
const (
	maxSummary = 1024
	maxDetails = 6 << 10
	maxNoise   = 255
	maxMetaKey = 255
	maxMeta    = 32 << 10
)

// errFull refuses an alert on a service with the most unacknowledged alerts.
var errFull = errors.New("too many unacknowledged alerts for this service")

// alertCursor is an alert's number such that texts are in the order of numbers.
func alertCursor(id int) string { return fmt.Sprintf("%020d", id) }

// create stores an alert. There must be none that is open with its dedup key.
func (s *Sim) create(a *alert) error {
	if s.db.unacknowledged(a.service) >= maxUnacknowledged {
		return errFull
	}
	s.db.lastAlert++
	a.id, a.status = s.db.lastAlert, triggered
	s.db.alerts = append(s.db.alerts, a)
	s.db.log(a, s.clock.Now(), unspecified("created"), "")
	return nil
}

// setStatus changes an alert's status and tells who did it; false if it comes too late.
func (s *Sim) setStatus(a *alert, status, by string) bool {
	if a.status == closed || a.status == status {
		return false
	}
	a.status, a.escalate = status, a.escalate && status != closed
	done := map[string]string{acknowledged: "Acknowledged", closed: "Closed"}[status]
	s.db.log(a, s.clock.Now(), done+by, "")
	s.db.changed(a, done+by)
	return true
}

// by is how the log names the caller of a GraphQL request: a key is not named.
func (c caller) by() string {
	if c.user == nil {
		return ""
	}
	return " by " + c.user.name + " (Web)"
}

// checkMeta checks an alert's meta data.
func checkMeta(meta []label) error {
	size := 0
	for _, m := range meta {
		size += len(m.Key) + len(m.Value)
		if m.Key == "" || len(m.Key) > maxMetaKey || !ascii(m.Key) {
			return failUnspecified("the meta key %q is not ASCII of at most %d characters", m.Key, maxMetaKey)
		}
	}
	if size > maxMeta {
		return failUnspecified("meta is over %d bytes", maxMeta)
	}
	return nil
}

// cut shortens a text to at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func (x *execution) createAlert(args arguments) (any, error) {
	in, err := input[struct {
		ServiceID, Summary, Details, Dedup string
		Meta                               []label
		Sanitize                           bool
	}](args)
	if err != nil {
		return nil, err
	}
	s := x.db.service(in.ServiceID)
	if s == nil || in.Dedup == "" || in.Summary == "" {
		return nil, open("createAlert on an unknown service, without dedup or with an empty summary")
	}
	if in.Sanitize {
		in.Summary, in.Details = cut(in.Summary, maxSummary), cut(in.Details, maxDetails)
	}
	if len(in.Summary) > maxSummary || len(in.Details) > maxDetails {
		return nil, failUnspecified("summary is over %d bytes or details over %d", maxSummary, maxDetails)
	}
	if err := checkMeta(in.Meta); err != nil {
		return nil, err
	}
	if x.db.openAlert(s, in.Dedup) != nil {
		x.db.lastAlert++
		return nil, fail("duplicate alert already exists")
	}
	a := &alert{service: s, summary: in.Summary, details: in.Details, dedup: in.Dedup, meta: in.Meta}
	if err := x.create(a); err != nil {
		return nil, failUnspecified("%v", err)
	}
	return x.alert(a), nil
}

// updateAlerts answers the alerts that changed, null if none did.
func (x *execution) updateAlerts(args arguments) (any, error) {
	in, err := input[struct {
		AlertIDs    []int
		NewStatus   string
		NoiseReason *string
	}](args)
	if err != nil {
		return nil, err
	}
	alerts, err := x.alertsOf(in.AlertIDs)
	switch {
	case err != nil:
		return nil, err
	case (in.NewStatus == "") == (in.NoiseReason == nil):
		return nil, open("updateAlerts with both or none of newStatus and noiseReason")
	case in.NewStatus == triggered:
		return nil, failUnspecified("an alert cannot be set to unacknowledged")
	case in.NoiseReason != nil && len(*in.NoiseReason) > maxNoise:
		return nil, failUnspecified("noiseReason is over %d bytes", maxNoise)
	}
	var changed []any
	for _, a := range alerts {
		if in.NoiseReason != nil {
			a.noise = in.NoiseReason
		} else if !x.setStatus(a, in.NewStatus, x.who.by()) {
			continue
		}
		changed = append(changed, x.alert(a))
	}
	if changed == nil {
		return nil, nil
	}
	return changed, nil
}

func (x *execution) alertsOf(ids []int) ([]*alert, error) {
	var all []*alert
	for _, id := range ids {
		a := x.db.alert(id)
		if a == nil {
			return nil, open("changes of the unknown alert %d", id)
		}
		all = append(all, a)
	}
	if len(all) == 0 {
		return nil, open("changes of no alert")
	}
	return all, nil
}

// escalateAlerts has the next cycle escalate.
func (x *execution) escalateAlerts(args arguments) (any, error) {
	ids, err := input[[]int](args)
	if err != nil {
		return nil, err
	}
	alerts, err := x.alertsOf(ids)
	if err != nil {
		return nil, err
	}
	for _, a := range alerts {
		switch {
		case a.status == closed:
			return nil, fail("alert is already closed")
		case len(a.service.policy.steps) == 0, a.service.inMaintenance(x.clock.Now()), a.escalated == nil:
			return nil, open("escalation of an alert in maintenance, before its first step, or by a policy without steps")
		}
	}
	for _, a := range alerts {
		a.escalate = true
	}
	return list(alerts, x.alert), nil
}

func (x *execution) closeMatching(args arguments) (any, error) {
	in, err := input[struct{ ServiceID, Dedup string }](args)
	if err != nil {
		return nil, err
	}
	s := x.db.service(in.ServiceID)
	if s == nil {
		return nil, open("closeMatchingAlert on an unknown service")
	}
	a := x.db.openAlert(s, in.Dedup)
	if a == nil {
		return nil, open("closeMatchingAlert for an unknown dedup key")
	}
	return x.setStatus(a, closed, x.who.by()), nil
}

// An AlertInfo is what the stand-in stored of an alert, for tests of what a program wrote.
type AlertInfo struct {
	ID                                 int
	ServiceID, Summary, Details, Dedup string
	Status, NoiseReason                string
	Meta                               map[string]string
	StepNumber, RepeatCount            int
	LastEscalation                     time.Time // zero before the first step
	Log                                []string
}

// Alert returns an alert; false if there is none of this number. A real server has no such access:
// only tests of the stand-in use it.
func (s *Sim) Alert(id int) (AlertInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.db.alert(id)
	if a == nil {
		return AlertInfo{}, false
	}
	info := AlertInfo{
		ID: a.id, ServiceID: a.service.id, Summary: a.summary, Details: a.details, Dedup: a.dedup, Status: a.status,
		Meta: map[string]string{}, StepNumber: a.step, RepeatCount: a.repeats,
	}
	for _, m := range a.meta {
		info.Meta[m.Key] = m.Value
	}
	if a.noise != nil {
		info.NoiseReason = *a.noise
	}
	if a.escalated != nil {
		info.LastEscalation = *a.escalated
	}
	for _, e := range s.db.events {
		if e.alert == a {
			info.Log = append(info.Log, e.message)
		}
	}
	return info, true
}

// isPending tells whether a cycle has something to do with an alert.
func (a *alert) isPending(now time.Time) bool {
	steps := a.service.policy.steps
	if a.status == closed || len(steps) == 0 || a.service.inMaintenance(now) {
		return false
	}
	if a.escalate || a.status == triggered && a.escalated == nil {
		return true
	}
	if a.status != triggered || now.Before(a.escalated.Add(steps[a.step].delay)) {
		return false
	}
	last := a.step == len(steps)-1
	return !last || a.service.policy.repeat < 0 || a.repeats < a.service.policy.repeat
}

// advance moves an alert to its next step.
func (a *alert) advance(now time.Time) {
	if a.escalated != nil {
		if a.step++; a.step == len(a.service.policy.steps) {
			a.step, a.repeats = 0, a.repeats+1
		}
	}
	a.escalated, a.escalate = &now, false
}
