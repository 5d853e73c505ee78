package people

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// maxTokenName bounds the name of a token, in bytes.
const maxTokenName = 100

// The order is that of scanToken and of AddToken.
const tokenColumns = "id, hash, name, role, made_by, made_at, used_at, revoked_at" // #nosec G101 -- names of columns

// AddToken implements store.Tokens. Names of valid tokens are unique (the index api_tokens_name);
// one of a revoked token can be used again.
func (p *People) AddToken(ctx context.Context, t store.Token) error {
	if err := checkHash("token", t.Hash); err != nil {
		return err
	}
	if t.Name == "" || len(t.Name) > maxTokenName {
		return integration.Errorf(integration.KindInvalid, "the name of the token has %d bytes: give one of 1 to %d", len(t.Name), maxTokenName)
	}
	return stored.Insert(ctx, p.db, integration.Errorf(integration.KindConflict, "there is a token %q already: revoke it first, or choose another name", t.Name),
		"insert into api_tokens ("+tokenColumns+") values ($1, $2, $3, $4, $5, $6, $7, $8)",
		t.ID, t.Hash, t.Name, t.Role, t.MadeBy, stored.Ms(t.MadeAt), stored.Ms(t.LastUsed), stored.Ms(t.Revoked))
}

// scanToken reads a row of tokenColumns.
func scanToken(scan func(...any) error) (store.Token, error) {
	var t store.Token
	var made, used, revoked int64
	err := scan(&t.ID, &t.Hash, &t.Name, &t.Role, &t.MadeBy, &made, &used, &revoked)
	t.MadeAt, t.LastUsed, t.Revoked = stored.At(made), stored.At(used), stored.At(revoked)
	return t, err
}

// TokenByHash implements store.Tokens. A revoked one is found as well: the caller looks at Revoked.
func (p *People) TokenByHash(ctx context.Context, hash string) (store.Token, error) {
	t, err := scanToken(p.read.QueryRowContext(ctx, "select "+tokenColumns+" from api_tokens where hash = $1", hash).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return t, integration.Errorf(integration.KindNotFound, "there is no such token")
	}
	return t, sqldb.Error("read token", err)
}

// ListTokens implements store.Tokens. Revoked ones are among them.
func (p *People) ListTokens(ctx context.Context) ([]store.Token, error) {
	return stored.Many(ctx, p.read, "list tokens", scanToken, "select "+tokenColumns+" from api_tokens order by name, made_at, id")
}

// UseToken implements store.Tokens. Only forwards, as with logins.
func (p *People) UseToken(ctx context.Context, id string, now time.Time) error {
	return stored.Run(ctx, p.db, "update api_tokens set used_at = $2 where id = $1 and used_at < $2", id, stored.Ms(now))
}

// RevokeToken implements store.Tokens. Its row stays, so that the audit can be read.
func (p *People) RevokeToken(ctx context.Context, id string, now time.Time) error {
	return endOnce(ctx, p.db, integration.Errorf(integration.KindNotFound, "there is no token %q, or it is revoked already", id),
		"update api_tokens set revoked_at = $2 where id = $1 and revoked_at = 0", id, stored.Ms(now))
}
