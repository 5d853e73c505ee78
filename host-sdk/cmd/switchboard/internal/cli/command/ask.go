package command

import (
	"encoding/json"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// AskFlags are the flags of commands that ask the running host, or the database where none runs.
type AskFlags struct {
	settings.Flags `group:"The host, its data and its settings, as for switchboard serve:"`
	JSON           bool `name:"json" help:"Print JSON, as the API answers."`
}

// HowAsked says in helps where an answer comes from.
const HowAsked = "Asks the running host: the one on the same data directory, or with PostgreSQL whichever answers at the public address. If none is running, opens the database briefly. Where the API token is switched off, set SWITCHBOARD_API_TOKEN to a token of an admin."

// Settings resolves the flags; see [Resolve].
func (f AskFlags) Settings(s *Surroundings) (settings.Settings, error) { return Resolve(s, f.Flags) }

// HowRunning says in helps whom a command asks.
const HowRunning = "Asks the running host: the one on the same data directory, or with PostgreSQL whichever answers at the public address. Where the API token is switched off, set SWITCHBOARD_API_TOKEN to a token of a responder or an admin."

// Running asks the running host and decodes its answer into v, or prints it where JSON is wanted;
// then printed is true. Without a running host it is an error.
func (f AskFlags) Running(s *Surroundings, method, path string, body, v any) (printed bool, err error) {
	resolved, err := f.Settings(s)
	if err != nil {
		return false, err
	}
	answer, err := admin.AskRunning(s.Ctx, resolved, method, path, body)
	if err != nil {
		return false, err
	}
	if f.JSON {
		return true, PrintJSON(s.Stdout, answer)
	}
	return false, json.Unmarshal(answer, v)
}
