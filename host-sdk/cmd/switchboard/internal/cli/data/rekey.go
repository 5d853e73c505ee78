package data

import (
	"fmt"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/database"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// Rekey is rekey. It has all flags of serve, as they say where the database is and which
// keys there are.
type Rekey struct {
	settings.Flags `group:"The host, its data and its settings, as for switchboard serve:"`
	Check          bool `name:"check" help:"Change nothing: say what does not open with the next key."`
	JSON           bool `name:"json" help:"Print JSON."`
}

// Help is shown by rekey --help.
func (Rekey) Help() string {
	return "Changes the secret key while hosts run and calls go on. First every host is given a second key with SWITCHBOARD_NEXT_SECRET_KEY and started again: it reads with both and writes with the old one. " +
		"Then this command makes the next key the one that is written, seals everything anew, reads it once more, and says which settings to change. It refuses while a running host does not have the next key. " +
		"Where the data directory keeps the key, the command makes the next one there itself. " +
		"What is interrupted goes on when the command is run again. Backups from before need the old key: keep it as long as them."
}

// Run prints what was done and what is left to do. Status 1: something is left that the next key
// does not open.
func (c Rekey) Run(s *command.Surroundings) error {
	resolved, err := command.ResolveOptional(s, c.Flags)
	if err != nil {
		return err
	}
	done, err := database.Rekey(s.Ctx, resolved, c.Check, func(p sqlstore.KeyChange) {
		_, _ = fmt.Fprintf(s.Stderr, "%s: %s looked at, %d sealed anew\n", p.Table, command.Plural(int(p.Values), "value"), p.Resealed)
	})
	if err != nil {
		return err
	}
	// A list in JSON, never null.
	if done.Left == nil {
		done.Left = []string{}
	}
	if c.JSON {
		err = command.PrintJSON(s.Stdout, done)
	} else {
		err = c.say(s, resolved, done)
	}
	if err == nil && len(done.Left) > 0 {
		return command.ErrSaid
	}
	return err
}

// say prints the result for people. The last words are what the operator has to do next.
func (c Rekey) say(s *command.Surroundings, resolved settings.Settings, done database.Rekeyed) error {
	if done.Made {
		_, err := fmt.Fprintf(s.Stdout, "A new key was made: %s/%s. Nothing uses it yet.\nStart switchboard again, so that it has both keys; then run switchboard rekey once more.\n", resolved.DataDir, settings.NextSecretKeyFile)
		return err
	}
	for _, l := range done.Left {
		_, _ = fmt.Fprintf(s.Stdout, "%s\n", l)
	}
	switch {
	case len(done.Left) > 0 && c.Check:
		_, err := fmt.Fprintf(s.Stdout, "%s not open with the key %s.\n", doPlural(len(done.Left)), done.NewKey)
		return err
	case len(done.Left) > 0:
		_, err := fmt.Fprintf(s.Stdout, "%s not open with the key %s: keep the old key %s, and restore them from a backup or save them again; then run switchboard rekey once more.\n", doPlural(len(done.Left)), done.NewKey, done.OldKey)
		return err
	case c.Check:
		_, err := fmt.Fprintf(s.Stdout, "Everything in %s opens with the key %s.\n", done.Database, done.NewKey)
		return err
	}
	_, _ = fmt.Fprintf(s.Stdout, "The key of %s is %s now. Sealed anew: %s. Nothing is left of the key %s.\n", done.Database, done.NewKey, command.Plural(int(done.Resealed), "value"), done.OldKey)
	if done.OldKeyFile != "" {
		_, err := fmt.Fprintf(s.Stdout, "The data directory keeps the new key now; there is nothing to change. The old one is in %s: older backups need it. Remove it with the last of them.\n", done.OldKeyFile)
		return err
	}
	_, err := fmt.Fprint(s.Stdout, `Now, on every host, one after the other:
  SWITCHBOARD_SECRET_KEY       becomes the value of SWITCHBOARD_NEXT_SECRET_KEY
  SWITCHBOARD_NEXT_SECRET_KEY  is removed
and start switchboard again. Until then it goes on with both. Keep the old key as long as backups from before.
`)
	return err
}

// doPlural is how many values do something, in words.
func doPlural(n int) string {
	if n == 1 {
		return "1 value does"
	}
	return fmt.Sprintf("%d values do", n)
}
