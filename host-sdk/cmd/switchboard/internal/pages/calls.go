package pages

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

type callsBody struct {
	Live, Over []callRow
	Summary    string
}

func (p *Pages) listCalls(w http.ResponseWriter, r *http.Request) error {
	var body callsBody
	live, err := p.cfg.Store.ListSessions(r.Context(), store.SessionFilter{CallsOnly: true, LiveOnly: true, Limit: listLimit})
	if err != nil {
		return err
	}
	all, err := p.cfg.Store.ListSessions(r.Context(), store.SessionFilter{CallsOnly: true, Limit: listLimit})
	if err != nil {
		return err
	}
	for _, s := range live {
		if s.Call != nil {
			body.Live = append(body.Live, newCallRow(s))
		}
	}
	for _, s := range all {
		if s.Call != nil && !s.Live {
			body.Over = append(body.Over, newCallRow(s))
		}
	}
	body.Summary = fmt.Sprintf("%d active calls", len(body.Live))
	p.show(w, r, http.StatusOK, page{Title: "Calls", Template: "calls", Nav: "calls", Live: true, Body: body})
	return nil
}

type callBody struct {
	callRow
	Integration   string
	IntegrationID string
	Story         []storyLine
	Summary       string
}

func (p *Pages) showCall(w http.ResponseWriter, r *http.Request) error {
	sessions, err := p.cfg.Store.SessionsByKey(r.Context(), r.PathValue("sid"))
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if s.Call == nil {
			continue
		}
		body := callBody{callRow: newCallRow(s)}
		if in, err := p.cfg.Store.Integration(r.Context(), s.Integration); err == nil {
			body.Integration, body.IntegrationID = in.Name, in.ID
		}
		if err := p.addAlert(r, s, &body); err != nil {
			return err
		}
		body.Summary = callBadge(body.CallView).Text
		p.show(w, r, http.StatusOK, page{Title: "Call from " + spacedPhone(s.Call.From), Template: "call", Nav: "calls", Live: true, Body: body})
		return nil
	}
	return &refusal{http.StatusNotFound, "No such call", "There is no call with this id, or it is older than the call history."}
}

// addAlert tells the call's story from its alert. A call may have none.
func (p *Pages) addAlert(r *http.Request, s store.Session, body *callBody) error {
	if s.AlertKey == "" {
		return nil
	}
	snapshot, err := p.cfg.Platform.Alert(r.Context(), p.scope(s.Integration), s.AlertKey)
	switch integration.KindOf(err) {
	case "":
	case integration.KindNotFound:
		return nil // it is still on its way, or it was deleted
	default:
		return err
	}
	body.AlertPage = webAddress(snapshot.URL)
	if p.browser == nil {
		return nil
	}
	rec, err := p.browser.GetAlert(r.Context(), snapshot.ID)
	if err != nil {
		return err
	}
	body.AlertID = rec.ID
	n := p.newNames(r.Context())
	for _, l := range rec.Log {
		body.Story = append(body.Story, storyLine{l, n.user(l.Actor)})
	}
	return nil
}

// messageOf is the part of an error that is written for people.
func messageOf(err error) string {
	var known *integration.Error
	if errors.As(err, &known) && known.Kind != integration.KindInternal {
		return sentence(known.Message)
	}
	return "Something went wrong."
}
