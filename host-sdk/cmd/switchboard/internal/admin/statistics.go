package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/statistics"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Statistics counts calls by week and team. A running host is asked, or where none runs the store,
// with the time zones of file, which may be nil. A running host goes by the file that it has in
// force.
func Statistics(ctx context.Context, s settings.Settings, file *switchboardfile.File, q statistics.Query) (statistics.Report, error) {
	return ask(ctx, s, func(ctx context.Context, s settings.Settings) (out statistics.Report, err error) {
		err = datadir.WithStore(ctx, s, func(kept store.Store) error {
			out, err = statistics.Read(ctx, kept, file, q, s.Clock.Now())
			return err
		})
		return out, err
	}, func(ctx context.Context, base string) (out statistics.Report, err error) {
		query := url.Values{"team": {q.Team}, "from": {q.From}, "to": {q.To}, "zone": {q.Zone}}
		return out, askAPI(ctx, s, base, http.MethodGet, "/statistics?"+query.Encode(), nil, &out)
	})
}
