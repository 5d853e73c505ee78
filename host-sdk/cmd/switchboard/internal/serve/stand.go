package serve

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/doctor"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// prover makes what a host answers to a nonce. All hosts of a database have one key: a balancer may
// lead to any of them. Who does not know the key can neither make nor guess an answer.
func prover(key string) func(nonce string) string {
	return func(nonce string) string {
		m := hmac.New(sha256.New, []byte(key))
		_, _ = m.Write([]byte(nonce)) // never fails
		return hex.EncodeToString(m.Sum(nil))
	}
}

// alive says that the process answers, and proves with a nonce which one it is; nothing else is
// asked. prove nil: it proves nothing. A long nonce is not answered, so that nobody has the host
// hash for them.
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

// standOf is what this host stands on. The mailer is one of its own, so that an examination is not
// counted among mails.
func standOf(s settings.Settings, p *parts, public string) (doctor.Stand, error) {
	mailer, err := settings.NewMailer(s.SMTPURL, public, nil, nil)
	stand := doctor.Stand{PublicURL: public, Prove: p.prove, Mail: mailer, DataDir: s.DataDir}
	if s.Postgres() {
		stand.DatabaseTime = p.db.Time
	}
	return stand, err
}

// examination is how the API asks for an examination of a host; nil: Site is none that serves. The
// switchboard file is the one in force when it is asked.
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

// CheckAction is the action by which a plugin says whether an integration is in order. A plugin may
// have none of this name.
const CheckAction = "check"

// checkingEngine adds to a plugin's own check what the host sees of the public address, which no
// plugin can look at. It is the same look as that of switchboard doctor. It embeds the engine and
// changes one method.
type checkingEngine struct {
	*engine.Engine
	stand *doctor.Stand // nil: nothing is added
}

// RunAction runs an action. Both looks run at the same time, as each may take seconds.
func (e checkingEngine) RunAction(ctx context.Context, id, name string, values map[string]string) (integration.ActionResult, error) {
	if e.stand == nil || name != CheckAction {
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
		result.Lines = append(result.Lines, integration.ActionLine{Level: string(l.Level), Text: wording.AsSentence(l.Text)})
		result.OK = result.OK && l.Level != inspect.Error
	}
	return result, nil
}
