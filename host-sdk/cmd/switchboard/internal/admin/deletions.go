package admin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/calls"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// errNotRunning is the error of what only a running host does: it also speaks with the telephone
// service.
var errNotRunning = errors.New("switchboard does not run: start it, as what is deleted here has to be deleted at the telephone service too")

// askRunning sends a request to the running host. Where none runs it is errNotRunning, rather than
// a deletion that forgets the telephone service.
func askRunning[T any](ctx context.Context, s settings.Settings, method, path string, body any) (out T, err error) {
	return ask(ctx, s,
		func(context.Context, settings.Settings) (T, error) { return out, errNotRunning },
		func(ctx context.Context, base string) (T, error) {
			err := askAPI(ctx, s, base, method, path, body, &out)
			return out, err
		})
}

// DeleteRecording has the running host delete a recording.
func DeleteRecording(ctx context.Context, s settings.Settings, ref string) (calls.DeletedRecording, error) {
	return askRunning[calls.DeletedRecording](ctx, s, http.MethodDelete, "/recordings/"+url.PathEscape(ref), nil)
}

// DeleteAlert has the running host delete an alert.
func DeleteAlert(ctx context.Context, s settings.Settings, id string) error {
	_, err := askRunning[struct{}](ctx, s, http.MethodDelete, "/alerts/"+url.PathEscape(id), nil)
	return err
}

// Forget has the running host remove what is known of a caller.
func Forget(ctx context.Context, s settings.Settings, number string) (out calls.Forgotten, err error) {
	return ask(ctx, s,
		func(context.Context, settings.Settings) (calls.Forgotten, error) { return out, errNotRunning },
		func(_ context.Context, base string) (calls.Forgotten, error) {
			// Longer than the host takes, which then says why it has not finished.
			long, cancel := context.WithTimeout(ctx, httpkit.RequestTime+httpkit.ForgetTime+time.Minute)
			defer cancel()
			err := askAPI(long, s, base, http.MethodPost, "/forget", map[string]string{"number": number}, &out)
			return out, err
		})
}
