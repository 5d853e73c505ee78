package live

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// callRow is a call on a page. NameOfIntegration stands beside the embedded record's own, as both
// may differ.
type callRow struct {
	store.Call
	// today's, or the one that the call remembers; "" on a host with one integration.
	NameOfIntegration string
}

// callsBody is what the list of calls shows. Live and Over are told apart by the caller, not by the
// work that goes on for them.
type callsBody struct {
	Search     search
	Live, Over []callRow
	First      bool   // the first page, which has the calls in progress too
	Nothing    bool   // there is neither a call nor an integration that could bring one
	Older      string // address of the next page; "": there is none
	Summary    string
}

// ListCalls shows the calls whose callers are there, and those that are over, the newest first.
// Only the first page has calls in progress, as those are few and would repeat on each.
func (l *Live) ListCalls(w http.ResponseWriter, r *http.Request) error {
	search, err := l.search(r, "/calls")
	if err != nil {
		return err
	}
	body := callsBody{Search: search, First: search.Cursor == ""}
	status, notices := search.problem()
	if r.URL.Query().Get("deleted") != "" {
		notices = append(notices, layout.Notice{Tone: "ok", Text: "The call was deleted."})
	}
	// A notice of a deletion does not keep the list away; a problem with the query does.
	if len(notices) == 0 || status == http.StatusOK {
		if err = l.readCalls(r, &body); integration.KindOf(err) == integration.KindInvalid {
			status, notices = http.StatusBadRequest, append(notices, layout.Notice{Tone: "bad", Text: httpkit.Message(err)})
		} else if err != nil {
			return err
		}
	}
	body.Summary = wording.Count(len(body.Live), "active call", "active calls")
	l.site.Show(w, r, status, layout.Page{Title: "Calls", Template: "calls", Nav: "calls", Live: true, Still: search.Cursor != "", Notices: notices, Body: body})
	return nil
}

// readCalls reads two lists, as the limit counts calls: those that are over must not push one in
// progress out. A caller who has gone is shown as gone though the call is still at work, as while
// its message is fetched. It fills in Live, Over and Older.
func (l *Live) readCalls(r *http.Request, body *callsBody) error {
	search := body.Search
	// A call in progress has not ended in any way.
	if body.First && search.Ended == "" {
		f := search.Filter()
		f.LiveOnly, f.Limit = true, pageRows
		calls, _, err := l.store.ListCalls(r.Context(), f)
		if err != nil {
			return err
		}
		for _, row := range rows(calls, search) {
			if lists.Present(row.Call) {
				body.Live = append(body.Live, row)
			} else {
				body.Over = append(body.Over, row)
			}
		}
	}
	f := search.Filter()
	f.OverOnly, f.Limit = true, pageRows
	calls, next, err := l.store.ListCalls(r.Context(), f)
	if err != nil {
		return err
	}
	body.Over = append(body.Over, rows(calls, search)...)
	// An empty list for something misspelt would read as a quiet night.
	if body.Older = search.older(next); len(body.Live)+len(body.Over) == 0 && next == "" {
		body.Nothing = body.First && !search.Narrowed() && len(search.Integrations) == 0
		return l.lists().Known(r.Context(), f)
	}
	return nil
}

// rows are calls in a list. The integration is named where there is more than one. Today's name
// wins over that of the record.
func rows(calls []store.Call, s search) []callRow {
	list := make([]callRow, len(calls))
	for i, c := range calls {
		list[i] = callRow{Call: c}
		if len(s.Integrations) < 2 {
			continue
		}
		list[i].NameOfIntegration = c.IntegrationName
		for _, in := range s.Integrations {
			if in.ID == c.Integration {
				list[i].NameOfIntegration = in.Name
			}
		}
	}
	return list
}
