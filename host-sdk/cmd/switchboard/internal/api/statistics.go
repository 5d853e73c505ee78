package api

import (
	"bytes"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/statistics"
)

// getStatistics answers GET /statistics. Pages link to it for the files.
func (a *API) getStatistics(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	report, err := statistics.ReadOf(r.Context(), a.Store, a.Platform,
		statistics.Query{Team: q.Get("team"), From: q.Get("from"), To: q.Get("to"), Zone: q.Get("zone")}, a.Clock.Now())
	if err != nil {
		return err
	}
	switch format := q.Get("format"); format {
	case "", "json":
		httpkit.WriteJSON(w, http.StatusOK, report)
		return nil
	case "csv":
		var b bytes.Buffer
		if err := report.WriteCSV(&b); err != nil {
			return err
		}
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="statistics-`+report.From+`-`+report.To+`.csv"`)
		_, _ = w.Write(b.Bytes()) // the client is gone if this fails
		return nil
	default:
		return apikit.BadRequest("format must be json or csv, not %.40q", format)
	}
}
