package admin

import (
	"context"
	"net/http"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/doctor"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// examined is a line as the API sends it.
type examined struct {
	Level inspect.Level `json:"level"`
	Text  string        `json:"text"`
}

// examineStand asks the running host what it stands on or, where none runs, looks at it from here:
// then nothing can prove where the public address leads. Where none runs, a wrong token or key is
// found all the same.
func examineStand(ctx context.Context, s settings.Settings, file *switchboardfile.File, send bool) []inspect.Line {
	if !datadir.HasDatabase(s) { // no host has run here yet
		return aloneStand(ctx, s, file, send)
	}
	var answer []examined
	found, err := ask(ctx, s,
		func(ctx context.Context, s settings.Settings) ([]inspect.Line, error) {
			return aloneStand(ctx, s, file, send), nil
		},
		func(ctx context.Context, base string) (lines []inspect.Line, err error) {
			err = askAPI(ctx, s, base, http.MethodPost, "/doctor", map[string]bool{"send": send}, &answer)
			for _, l := range answer {
				lines = append(lines, inspect.Line{Level: l.Level, Text: l.Text})
			}
			return lines, err
		})
	if err != nil {
		return []inspect.Line{{Level: inspect.Error, Text: "the public address, mail, channels, clock and disk could not be looked at: " + err.Error()}}
	}
	return found
}

// aloneStand looks without a running host, with the database as it is. It changes nothing: the
// database is opened to look, without bringing tables up to date.
func aloneStand(ctx context.Context, s settings.Settings, file *switchboardfile.File, send bool) (lines []inspect.Line) {
	stand := doctor.Stand{PublicURL: s.PublicURL, File: file, DataDir: s.DataDir}
	var err error
	if stand.Mail, err = settings.NewMailer(s.SMTPURL, s.PublicURL, nil, nil); err != nil {
		lines = append(lines, inspect.Line{Level: inspect.Error, Text: "smtp_url: " + wording.Plain(err)})
	}
	if datadir.HasDatabase(s) {
		db, err := sqldb.Open(ctx, datadir.DatabaseURL(s))
		if err != nil {
			return append(append(lines, inspect.Line{Level: inspect.Error, Text: "database: " + wording.OneLine(wording.Plain(err))}), stand.Examine(ctx, send)...)
		}
		defer func() { _ = db.Close() }()
		lines = append(lines, keyLine(ctx, s, db))
		// SQLite has the clock of this machine.
		if s.Postgres() {
			stand.DatabaseTime = db.Time
		}
	}
	return append(lines, stand.Examine(ctx, send)...)
}

// keyLine says whether the secret key is the database's. It is asked of the database, which knows
// the key's id and not the key.
func keyLine(ctx context.Context, s settings.Settings, db *sqldb.DB) inspect.Line {
	keys, err := s.KnownKeys()
	if err != nil {
		return inspect.Line{Level: inspect.Error, Text: "secret key: " + wording.Plain(err)}
	}
	used, _, err := sqlstore.SealedWith(ctx, db.Read())
	switch {
	case err != nil:
		return inspect.Line{Level: inspect.Warning, Text: "database " + db.Name() + ": no switchboard has used it yet, or it cannot be read: " + wording.Plain(err)}
	case !slices.Contains(keys.IDs(), used):
		return inspect.Line{Level: inspect.Error, Text: "the database was written with the secret key " + used + ", which is not the one here: put it back from your backup"}
	}
	return inspect.Line{Level: inspect.OK, Text: "the secret key is that of the database"}
}
