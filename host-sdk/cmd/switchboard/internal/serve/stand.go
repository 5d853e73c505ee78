package serve

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/doctor"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// prover makes what a host answers to a nonce. All hosts of a database have one key: a balancer may
// lead to any of them.
func prover(key string) func(nonce string) string {
	return func(nonce string) string {
		m := hmac.New(sha256.New, []byte(key))
		_, _ = m.Write([]byte(nonce)) // never fails
		return hex.EncodeToString(m.Sum(nil))
	}
}

// alive says that the process answers, and proves with a nonce which one it is; nothing else is
// asked. prove nil: it proves nothing.
func alive(prove func(string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if nonce := r.URL.Query().Get(doctor.NonceName); prove != nil && nonce != "" && len(nonce) <= doctor.MaxNonce {
			w.Header().Set(doctor.ProofHeader, prove(nonce))
		}
		_, _ = w.Write([]byte("ok\n"))
	})
}

// standOf is what this host stands on.
func standOf(s settings.Settings, p *parts, public string) (doctor.Stand, error) {
	mailer, err := settings.NewMailer(s.SMTPURL, public, nil, nil)
	stand := doctor.Stand{PublicURL: public, Prove: p.prove, Mail: mailer, DataDir: s.DataDir}
	if s.Postgres() {
		stand.DatabaseTime = p.db.Time
	}
	return stand, err
}

// examination is how the API asks for an examination of a host; nil: Site is none that serves.
func (s Site) examination() func(ctx context.Context, send bool) []inspect.Line {
	if s.stand == nil {
		return nil
	}
	return func(ctx context.Context, send bool) []inspect.Line {
		stand := *s.stand
		stand.File = s.File.File()
		return stand.Examine(ctx, send)
	}
}

// checkingEngine adds to a plugin's own check what the host sees of the public address, which no
// plugin can look at. It is the same look as that of switchboard doctor.
type checkingEngine struct {
	*engine.Engine
	stand *doctor.Stand // nil: nothing is added
}

// RunAction runs an action.
func (e checkingEngine) RunAction(ctx context.Context, id, name string, values map[string]string) (integration.ActionResult, error) {
	if e.stand == nil || name != checkAction {
		return e.Engine.RunAction(ctx, id, name, values)
	}
	found := make(chan []inspect.Line, 1)
	go func() { found <- e.stand.Public(ctx) }()
	result, err := e.Engine.RunAction(ctx, id, name, values)
	if err != nil {
		return result, err
	}
	for _, l := range <-found {
		// Whether carriers can call an address of this form, the plugin says in its own words.
		if l.Level == inspect.Warning && strings.HasPrefix(l.Text, doctor.NoCarrier) {
			continue
		}
		result.Lines = append(result.Lines, integration.ActionLine{Level: string(l.Level), Text: asSentence(l.Text)})
		result.OK = result.OK && l.Level != inspect.Error
	}
	return result, nil
}

// asSentence begins a text with a capital, unless it begins with an address, and ends it with a
// full stop.
func asSentence(text string) string {
	if r, n := utf8.DecodeRuneInString(text); !strings.HasPrefix(text, "http") {
		text = string(unicode.ToUpper(r)) + text[n:]
	}
	return strings.TrimRight(text, ".") + "."
}

// examined is a line as the API sends it.
type examined struct {
	Level inspect.Level `json:"level"`
	Text  string        `json:"text"`
}

// examineStand asks the running host what it stands on or, where none runs, looks at it from here:
// then nothing can prove where the public address leads.
func examineStand(ctx context.Context, s settings.Settings, file *switchboardfile.File, send bool) []inspect.Line {
	if !hasDatabase(s) { // no host has run here yet
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

// aloneStand looks without a running host, with the database as it is.
func aloneStand(ctx context.Context, s settings.Settings, file *switchboardfile.File, send bool) (lines []inspect.Line) {
	stand := doctor.Stand{PublicURL: s.PublicURL, File: file, DataDir: s.DataDir}
	var err error
	if stand.Mail, err = settings.NewMailer(s.SMTPURL, s.PublicURL, nil, nil); err != nil {
		lines = append(lines, inspect.Line{Level: inspect.Error, Text: "smtp_url: " + plain(err)})
	}
	if hasDatabase(s) {
		db, err := sqldb.Open(ctx, databaseURL(s))
		if err != nil {
			return append(append(lines, inspect.Line{Level: inspect.Error, Text: "database: " + oneLine(plain(err))}), stand.Examine(ctx, send)...)
		}
		defer func() { _ = db.Close() }()
		lines = append(lines, keyLine(ctx, s, db))
		if s.Postgres() {
			stand.DatabaseTime = db.Time
		}
	}
	return append(lines, stand.Examine(ctx, send)...)
}

// keyLine says whether the secret key is the database's.
func keyLine(ctx context.Context, s settings.Settings, db *sqldb.DB) inspect.Line {
	keys, err := s.KnownKeys()
	if err != nil {
		return inspect.Line{Level: inspect.Error, Text: "secret key: " + plain(err)}
	}
	used, _, err := sqlstore.SealedWith(ctx, db.Read())
	switch {
	case err != nil:
		return inspect.Line{Level: inspect.Warning, Text: "database " + db.Name() + ": no switchboard has used it yet, or it cannot be read: " + plain(err)}
	case !slices.Contains(keys.IDs(), used):
		return inspect.Line{Level: inspect.Error, Text: "the database was written with the secret key " + used + ", which is not the one here: put it back from your backup"}
	}
	return inspect.Line{Level: inspect.OK, Text: "the secret key is that of the database"}
}
