package admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// PushFile puts a file into force for all hosts that share the database of the settings, and
// returns its hash. A running host is asked to do so; where none runs it is written to the
// database. The file has been checked by the caller, and is checked again where it is put into
// force.
func PushFile(ctx context.Context, s settings.Settings, file *switchboardfile.File) (hash string, err error) {
	if s.Host == "" && !s.Postgres() {
		return "", errors.New("there is nothing to push: on SQLite the host takes its switchboard file over when it changes")
	}
	return ask(ctx, s,
		func(ctx context.Context, s settings.Settings) (string, error) { return serve.PutFile(ctx, s, file) },
		func(ctx context.Context, base string) (string, error) {
			var answer struct {
				Hash string `json:"hash"`
			}
			err := askAPI(ctx, s, base, http.MethodPut, "/switchboard-file", map[string]string{"text": string(file.Source())}, &answer)
			return answer.Hash, err
		})
}
