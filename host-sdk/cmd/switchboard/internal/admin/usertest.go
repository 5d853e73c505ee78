package admin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
)

// TestUser has the running host send a person a test by the ways of a kind; "": by mail and notify.
// by is the integration that rings; "": the host's choice. A host is needed, as it has the
// channels' credentials in force and counts tests.
func TestUser(ctx context.Context, s settings.Settings, id, way, by string) ([]ways.Result, error) {
	alone := errors.New("no switchboard is running here that could send a test: start it with switchboard serve")
	if s.Host == "" && !datadir.HasDatabase(s) {
		return nil, alone
	}
	return ask(ctx, s,
		func(context.Context, settings.Settings) ([]ways.Result, error) { return nil, alone },
		func(short context.Context, base string) (out []ways.Result, err error) {
			body := map[string]string{"way": way}
			if way == ways.Ring {
				// People take their time to answer a phone.
				long, cancel := context.WithTimeout(ctx, s.Clock.Real(ways.RingTime)+time.Minute)
				defer cancel()
				short, body["integration"] = long, by
			}
			return out, askAPI(short, s, base, http.MethodPost, "/users/"+url.PathEscape(id)+"/test", body, &out)
		})
}
