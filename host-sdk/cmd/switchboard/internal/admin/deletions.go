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

// fromRunning asks the running host. Where none runs it is errNotRunning, rather than a deletion
// that forgets the telephone service.
func fromRunning[T any](ctx context.Context, s settings.Settings, fromHost func(ctx context.Context, base string) (T, error)) (T, error) {
	return ask(ctx, s, func(context.Context, settings.Settings) (none T, err error) { return none, errNotRunning }, fromHost)
}

// DeleteRecording has the running host delete a recording.
func DeleteRecording(ctx context.Context, s settings.Settings, ref string) (calls.DeletedRecording, error) {
	return fromRunning(ctx, s, func(ctx context.Context, base string) (out calls.DeletedRecording, err error) {
		return out, askAPI(ctx, s, base, http.MethodDelete, "/recordings/"+url.PathEscape(ref), nil, &out)
	})
}

// DeleteCall has the running host delete the record of a call.
func DeleteCall(ctx context.Context, s settings.Settings, sid string) error {
	return deleteAt(ctx, s, "/calls/"+url.PathEscape(sid))
}

// DeleteAlert has the running host delete an alert.
func DeleteAlert(ctx context.Context, s settings.Settings, id string) error {
	return deleteAt(ctx, s, "/alerts/"+url.PathEscape(id))
}

// deleteAt has the running host delete what is at a path of the API. Its answer has no body.
func deleteAt(ctx context.Context, s settings.Settings, path string) error {
	_, err := fromRunning(ctx, s, func(ctx context.Context, base string) (none struct{}, err error) {
		return none, askAPI(ctx, s, base, http.MethodDelete, path, nil, nil)
	})
	return err
}

// Forget has the running host remove what is known of a caller.
func Forget(ctx context.Context, s settings.Settings, number string) (out calls.Forgotten, err error) {
	return fromRunning(ctx, s, func(_ context.Context, base string) (calls.Forgotten, error) {
		// Longer than the host takes, which then says why it has not finished.
		long, cancel := context.WithTimeout(ctx, httpkit.RequestTime+httpkit.ForgetTime+time.Minute)
		defer cancel()
		err := askAPI(long, s, base, http.MethodPost, "/forget", map[string]string{"number": number}, &out)
		return out, err
	})
}
