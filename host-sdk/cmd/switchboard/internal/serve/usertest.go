package serve

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
)

// TestUser has the running host send a person a test by the ways of a kind; "": by all of them.
func TestUser(ctx context.Context, s settings.Settings, id, way string) ([]ways.Result, error) {
	alone := errors.New("no switchboard is running here that could send a test: start it with switchboard serve")
	if !hasDatabase(s) {
		return nil, alone
	}
	return ask(ctx, s,
		func(context.Context, settings.Settings) ([]ways.Result, error) { return nil, alone },
		func(ctx context.Context, base string) (out []ways.Result, err error) {
			return out, askAPI(ctx, s, base, http.MethodPost, "/users/"+url.PathEscape(id)+"/test", map[string]string{"way": way}, &out)
		})
}
