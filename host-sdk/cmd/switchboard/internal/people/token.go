package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// tokenPrefix begins the tokens of programs, so that those who search texts for secrets find them.
const tokenPrefix = "swb_"

// bearer is the token in a request's header; false if it has none. Another scheme, such as that of
// a proxy in front, is no token.
func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// IsAPIToken reports whether a text is the API token of the settings, in a time that does not
// depend on where it differs. While it is switched off, none is.
func (p *People) IsAPIToken(text string) bool {
	// Equal lengths for the comparison.
	got, want := sha256.Sum256([]byte(text)), sha256.Sum256([]byte(p.cfg.Token))
	return p.cfg.Token != "" && !p.cfg.TokenOff && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// fromToken is whose a token is; nobody's if it is wrong or revoked. An error is the store's: then
// it is not known whether the token is right.
func (p *People) fromToken(ctx context.Context, text string) (Identity, error) {
	if p.IsAPIToken(text) {
		return Identity{How: store.LoginByToken, Role: Admin}, nil
	}
	// The store is not asked for what cannot be a token of ours.
	if !strings.HasPrefix(text, tokenPrefix) {
		return Identity{}, nil
	}
	t, err := p.cfg.Store.TokenByHash(ctx, hashOf("token", text))
	switch {
	case integration.KindOf(err) == integration.KindNotFound:
		return Identity{}, nil
	case err != nil:
		return Identity{}, err
	case !t.Revoked.IsZero():
		return Identity{}, nil
	}
	if now := p.cfg.Clock.Now(); now.Sub(t.LastUsed) > usedEvery {
		if err := p.cfg.Store.UseToken(ctx, t.ID, now); err != nil {
			p.cfg.Log.WarnContext(ctx, "the use of a token cannot be noted", "token", t.Name, "error", err.Error())
		}
	}
	role, _ := parseTokenRole(t.Role)
	return Identity{How: ByNamedToken, Token: t.Name, Role: role}, nil
}

// LogInWithToken gives the browser a login for the API token of the settings, which the caller has
// checked. It lasts twelve hours and ends when the token is changed.
func (p *People) LogInWithToken(w http.ResponseWriter, r *http.Request) error {
	return p.begin(w, r, store.Login{How: store.LoginByToken}, shortLogin)
}

// TokenWorks reports whether the API token of the settings is accepted.
func (p *People) TokenWorks() bool { return p.cfg.Token != "" && !p.cfg.TokenOff }

// MakeToken makes a token for a program. The secret is what the program sends; it is never seen
// again. A function, as the command line makes tokens without a People. A name that is taken is a
// conflict.
func MakeToken(ctx context.Context, s store.Tokens, t store.Token) (made store.Token, secret string, err error) {
	t.Name = oneline.Clean(t.Name, 0)
	if _, ok := parseTokenRole(t.Role); !ok {
		return t, "", integration.Errorf(integration.KindInvalid, "role %q is unknown: use viewer, responder, product or admin", t.Role)
	}
	secret = tokenPrefix + rand.Text() + rand.Text()[:14] // 200 bits
	t.ID, t.Hash = "tok_"+strings.ToLower(ulid.Make().String()), hashOf("token", secret)
	return t, secret, s.AddToken(ctx, t)
}

// MakeToken is the function of this name, for somebody who asks for it.
func (p *People) MakeToken(ctx context.Context, who Identity, name string, role Role) (store.Token, string, error) {
	return MakeToken(ctx, p.cfg.Store, store.Token{Name: name, Role: string(role), MadeBy: who.Who(), MadeAt: p.cfg.Clock.Now()})
}

// Tokens lists the tokens of programs, also revoked ones.
func (p *People) Tokens(ctx context.Context) ([]store.Token, error) {
	return p.cfg.Store.ListTokens(ctx)
}

// RevokeToken ends a token. Its row stays, for the audit. Streams that it has open end within
// seconds.
func (p *People) RevokeToken(ctx context.Context, id string) error {
	err := p.cfg.Store.RevokeToken(ctx, id, p.cfg.Clock.Now())
	if err == nil {
		p.tellEnded()
	}
	return err
}
