package admin

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Overrides lists the shifts and absences that people entered and that end after a time. They are
// in the order in which they were made.
func Overrides(ctx context.Context, s settings.Settings, from time.Time) ([]api.Override, error) {
	return askShifts(ctx, s, func(ctx context.Context, service *shifts.Service) (out []api.Override, err error) {
		all, err := service.List(ctx, from)
		for _, c := range all {
			out = append(out, api.ViewOverride(service, c))
		}
		return out, err
	}, func(ctx context.Context, base string) (out []api.Override, err error) {
		err = askAPI(ctx, s, base, http.MethodGet, "/overrides?from="+url.QueryEscape(from.UTC().Format(time.RFC3339)), nil, &out)
		return out, err
	})
}

// AddOverride enters one, in the name of an admin who works at this machine. What the schedule does
// not allow is refused as on the pages.
func AddOverride(ctx context.Context, s settings.Settings, o api.Override) (api.Override, error) {
	return askShifts(ctx, s, func(ctx context.Context, service *shifts.Service) (api.Override, error) {
		c, err := service.Add(ctx, shifts.Change{Team: o.Team, Layer: o.Layer, User: o.User, From: o.From, To: o.To, Note: o.Note}, shifts.Actor{Name: o.By, Any: true})
		return api.ViewOverride(service, c), err
	}, func(ctx context.Context, base string) (out api.Override, err error) {
		// Without the id and the time of entry, which the host decides.
		body := map[string]any{"team": o.Team, "layer": o.Layer, "user": o.User, "from": o.From, "to": o.To, "note": o.Note, "by": o.By}
		err = askAPI(ctx, s, base, http.MethodPost, "/overrides", body, &out)
		return out, err
	})
}

// RemoveOverride takes one back. Any: whoever works at the machine may remove those of everybody.
func RemoveOverride(ctx context.Context, s settings.Settings, id string) error {
	_, err := askShifts(ctx, s, func(ctx context.Context, service *shifts.Service) (none struct{}, err error) {
		_, err = service.Remove(ctx, id, shifts.Actor{Any: true})
		return none, err
	}, func(ctx context.Context, base string) (none struct{}, err error) {
		return none, askAPI(ctx, s, base, http.MethodDelete, "/overrides/"+url.PathEscape(id), nil, nil)
	})
	return err
}

// ShiftsOf are overrides as the switchboard file takes them. With them a file can be looked at as
// it is in force.
func ShiftsOf(list []api.Override) switchboardfile.Shifts {
	changes := make([]shifts.Change, 0, len(list))
	for _, o := range list {
		changes = append(changes, shifts.Change{Team: o.Team, Layer: o.Layer, User: o.User, From: o.From, To: o.To})
	}
	return shifts.Of(changes)
}

// askShifts asks a running host, or where none runs the embedded platform of the settings, which it
// opens. Platforms other than the embedded one have none, which is an error.
func askShifts[T any](ctx context.Context, s settings.Settings, fromStore func(context.Context, *shifts.Service) (T, error), fromHost func(ctx context.Context, base string) (T, error)) (result T, err error) {
	return ask(ctx, s, func(ctx context.Context, s settings.Settings) (result T, err error) {
		err = serve.WithShifts(ctx, s, func(service *shifts.Service) error {
			result, err = fromStore(ctx, service)
			return err
		})
		return result, err
	}, fromHost)
}
