package campaign

import (
	"context"
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// alertFacts is an alert as the JSON API shows it.
type alertFacts struct {
	ID, Key, Status, Title string
	DestinationTeams       []string `json:"destination_teams"`
	Layer                  int
	Attachments            []attachmentFacts
	Log                    []logFacts
}

// attachmentFacts is a recording on an alert.
type attachmentFacts struct {
	Label, Ref string
	Duration   float64
}

// logFacts is a line of an alert's history.
type logFacts struct {
	Time           time.Time
	Actor, Message string
	ActorName      string `json:"actor_name"`
}

// action is what somebody did with an alert.
type action struct {
	Call, Do, User string
	At             time.Time
	Refused        string // the error; "": it was done
}

// deskPeriod is how often the people at their desks look at the alerts, of the simulator's time.
const deskPeriod = 6 * time.Second

// desk has people act on alerts until ctx is done.
func (w *wave) desk(ctx context.Context) {
	for clock.Sleep(ctx, w.sim.Clock(), deskPeriod) == nil {
		due := w.dueActions()
		for _, h := range w.hotlines {
			if len(due[h]) == 0 {
				continue
			}
			byKey := map[string]alertFacts{}
			list, err := w.alerts(ctx, h)
			if err != nil {
				continue // the host is down just now
			}
			for _, a := range list {
				byKey[a.Key] = a
			}
			for _, c := range due[h] {
				if a, ok := byKey[c.call.Sid]; ok && (a.Status == "open" || a.Status == "acknowledged") {
					w.act(ctx, c, a)
				}
			}
		}
	}
}

// dueActions are the callers with whose alert something is to be done by now.
func (w *wave) dueActions() map[*hotline][]*caller {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[*hotline][]*caller{}
	for _, c := range w.callers {
		if d := c.plan.Desk; len(d) > 0 && w.sim.Now().Sub(w.began) >= c.plan.At+d[0].After {
			out[c.plan.Hotline] = append(out[c.plan.Hotline], c)
		}
	}
	return out
}

// act does the next thing with a caller's alert.
func (w *wave) act(ctx context.Context, c *caller, a alertFacts) {
	w.mu.Lock()
	next := c.plan.Desk[0]
	c.plan.Desk = c.plan.Desk[1:]
	w.mu.Unlock()
	people := c.plan.Hotline.people()
	for _, t := range c.plan.Hotline.Teams {
		if len(a.DestinationTeams) > 0 && t.ID == a.DestinationTeams[0] {
			people = t.people()
		}
	}
	done := action{Call: c.call.Sid, Do: next.Action, User: people[next.Person%len(people)], At: w.sim.Now()}
	var err error
	if w.outside != nil {
		_, err = w.outside.Act(ctx, a.ID, platform.AlertAction(next.Action), done.User)
	} else {
		err = w.API(ctx, "POST", "/api/v1/alerts/"+a.ID+"/"+next.Action, map[string]string{"user": done.User}, nil)
	}
	if err != nil {
		done.Refused = err.Error()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.actions = append(w.actions, done)
}

// alerts lists the newest alerts of a hotline.
func (w *wave) alerts(ctx context.Context, h *hotline) (list []alertFacts, err error) {
	if w.outside != nil {
		return w.outside.alerts(ctx, h.ID)
	}
	err = w.API(ctx, "GET", fmt.Sprintf("/api/v1/alerts?limit=1000&integration=%s", h.ID), nil, &list)
	return list, err
}

func (t team) people() []string {
	var all []string
	for _, l := range t.Layers {
		all = append(all, l...)
	}
	return all
}
