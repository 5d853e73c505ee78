package sqlstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// maxMediumBytes is the limit of one message of the contract: larger media could not be handed
// over.
const maxMediumBytes = integration.MaxMessageBytes

// mediumColumns are those that scanMedium reads; data, which is large, is read only where it is
// needed.
const mediumColumns = "ref, token, name, content_type, bytes, duration, public"

// scanMedium reads mediumColumns, and further columns into data. data is read in the order of the
// columns that follow.
func scanMedium(scan func(...any) error, data ...any) (store.Medium, error) {
	var m store.Medium
	var duration int64
	err := scan(append([]any{&m.Ref, &m.Token, &m.Name, &m.ContentType, &m.Bytes, &duration, &m.Public}, data...)...)
	m.Duration = time.Duration(duration) * time.Millisecond
	return m, err
}

// PutMedium implements store.Media. Content is at most 16 MiB; more is invalid. It returns what is
// stored, with the token of the first time. Private content that is stored again as public becomes
// public, never the other way round.
func (s *Store) PutMedium(ctx context.Context, m store.Medium) (store.Medium, error) {
	if len(m.Data) > maxMediumBytes {
		return store.Medium{}, integration.Errorf(integration.KindInvalid, "medium %q has %d bytes, at most %d can be stored", m.Name, len(m.Data), maxMediumBytes)
	}
	sum := sha256.Sum256(m.Data)
	ref := "media:" + hex.EncodeToString(sum[:])
	// The content is new, or stored and complete; only the first case needs a write.
	if have, err := s.MediumInfo(ctx, ref); err == nil && (have.Public || !m.Public) {
		return have, nil
	}
	// 128 random bits: the token stands in public addresses and cannot be guessed.
	token := make([]byte, 16)
	_, _ = rand.Read(token) // never fails, see crypto/rand
	// The statement is right also if another process has stored the content since it was looked
	// for: then only the flag changes, and the first token comes back.
	args := []any{ref, hex.EncodeToString(token), m.Name, m.ContentType, len(m.Data), m.Duration.Milliseconds(), stored.Bit(m.Public), stored.Ms(s.clock.Now()), stored.Some(m.Data)}
	var stored store.Medium
	err := s.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		stored, err = scanMedium(tx.QueryRowContext(ctx, `insert into media (ref, token, name, content_type, bytes, duration, public, created_at, data)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			on conflict (ref) do update set public = case when excluded.public = 1 then 1 else media.public end
			returning `+mediumColumns, args...).Scan)
		return err
	})
	if err != nil {
		return store.Medium{}, sqldb.Error("store medium", err)
	}
	return stored, nil
}

// Medium implements store.Media. It reads the content as well, up to 16 MiB.
func (s *Store) Medium(ctx context.Context, ref string) (store.Medium, error) {
	return s.medium(ctx, "ref = $1", ref, true)
}

// MediumInfo implements store.Media.
func (s *Store) MediumInfo(ctx context.Context, ref string) (store.Medium, error) {
	return s.medium(ctx, "ref = $1", ref, false)
}

// MediumByToken implements store.Media. A recording of a call has a token too, but is never public,
// so it cannot be had this way. Whoever has the token may hear it: the telephone service has no
// login.
func (s *Store) MediumByToken(ctx context.Context, token string) (store.Medium, error) {
	return s.medium(ctx, "token = $1 and public = 1", token, true)
}

// medium reads the one medium that where selects. where is one of ours.
func (s *Store) medium(ctx context.Context, where, arg string, withData bool) (store.Medium, error) {
	var m store.Medium
	var err error
	if withData {
		var data []byte
		m, err = scanMedium(s.read.QueryRowContext(ctx, "select "+mediumColumns+", data from media where "+where, arg).Scan, &data)
		m.Data = data
	} else {
		m, err = scanMedium(s.read.QueryRowContext(ctx, "select "+mediumColumns+" from media where "+where, arg).Scan)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return store.Medium{}, integration.Errorf(integration.KindNotFound, "there is no such medium")
	}
	if err != nil {
		return store.Medium{}, sqldb.Error("read medium", err)
	}
	return m, nil
}
