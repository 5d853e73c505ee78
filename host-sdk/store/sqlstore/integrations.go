package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"strconv"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/outbox"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// tokenKeyBytes is the length of the key that signs an integration's URLs. A key of HMAC-SHA-256
// needs no more than the 32 bytes of its output.
const tokenKeyBytes = 32

// tokenKeyPlace is where a token key is sealed. A sealed value opens only at its own place, so
// swapping two rows of the database does not go unnoticed.
func tokenKeyPlace(id string) seal.Place {
	return seal.Place{Table: "integrations", ID: id, Field: "token_key"}
}

// optionsPlace is where options are sealed. The revision is part of it, so that old options in the
// place of new ones are noticed.
func optionsPlace(id string, revision int64) seal.Place {
	return seal.Place{Table: "integration_options", ID: id + "/" + strconv.FormatInt(revision, 10), Field: "options"}
}

// selectKept reads the newest revision of each integration, selectIntegration of those that are not
// deleted. Options have a table of their own because running calls need older revisions too.
const (
	selectKept = `select i.id, i.plugin, i.name, i.enabled, i.maintenance, i.urgency, i.revision, i.created_at, i.updated_at, i.deleted_at,
	i.destinations, i.secret_fields, i.fallback, i.token_key, o.options, o.format
	from integrations i join integration_options o on o.integration = i.id and o.revision = i.revision`
	selectIntegration = selectKept + ` where i.deleted_at = 0`
)

// scanIntegration reads a row of selectKept and opens what is sealed in it. A value that opens with
// none of the keys is an error: calls cannot be served without it.
func (s *Store) scanIntegration(scan func(...any) error) (store.Integration, error) {
	var in store.Integration
	var created, updated, deleted int64
	var destinations, secrets, fallback, tokenKey, options []byte
	err := scan(&in.ID, &in.Plugin, &in.Name, &in.Enabled, &in.Maintenance, &in.Urgency, &in.Revision, &created, &updated, &deleted,
		&destinations, &secrets, &fallback, &tokenKey, &options, &in.OptionsFormat)
	if err != nil {
		return in, err
	}
	in.CreatedAt, in.UpdatedAt, in.DeletedAt = stored.At(created), stored.At(updated), stored.At(deleted)
	for _, part := range []struct {
		text []byte
		into any
	}{{destinations, &in.Destinations}, {secrets, &in.SecretFields}, {fallback, &in.Fallback}} {
		if err := stored.Decode(part.text, part.into, "integration "+in.ID); err != nil {
			return in, err
		}
	}
	if in.TokenKey, err = s.keys.Open(tokenKeyPlace(in.ID), tokenKey); err != nil {
		return in, err
	}
	in.Options, err = s.keys.Open(optionsPlace(in.ID, in.Revision), options)
	return in, err
}

// ListIntegrations implements store.Integrations. One that cannot be opened fails the list, as half
// a list would be taken for all.
func (s *Store) ListIntegrations(ctx context.Context) ([]store.Integration, error) {
	rows, err := s.read.QueryContext(ctx, selectIntegration+" order by i.name, i.id")
	if err != nil {
		return nil, sqldb.Error("list integrations", err)
	}
	defer func() { _ = rows.Close() }()
	var list []store.Integration
	for rows.Next() {
		in, err := s.scanIntegration(rows.Scan)
		if err != nil {
			return nil, sqldb.Error("list integrations", err)
		}
		list = append(list, in)
	}
	return list, sqldb.Error("list integrations", rows.Err())
}

// Integration implements store.Integrations. A deleted one is not_found.
func (s *Store) Integration(ctx context.Context, id string) (store.Integration, error) {
	return s.oneIntegration(ctx, selectIntegration+" and i.id = $1", id)
}

// KeptIntegration implements store.Integrations. A deleted one is found as long as its row is
// there: its calls go on.
func (s *Store) KeptIntegration(ctx context.Context, id string) (store.Integration, error) {
	return s.oneIntegration(ctx, selectKept+" where i.id = $1", id)
}

// oneIntegration reads the integration that a query with its id as argument selects.
func (s *Store) oneIntegration(ctx context.Context, query, id string) (store.Integration, error) {
	in, err := s.scanIntegration(s.read.QueryRowContext(ctx, query, id).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Integration{}, noIntegration(id)
	case err != nil:
		return store.Integration{}, sqldb.Error("read integration "+id, err)
	}
	return in, nil
}

// noIntegration is the error for an unknown or deleted integration.
func noIntegration(id string) error {
	return integration.Errorf(integration.KindNotFound, "there is no integration %q", id)
}

// IntegrationOptions implements store.Integrations. The int is the format of the document. Calls
// ask for the revision that they have pinned.
func (s *Store) IntegrationOptions(ctx context.Context, id string, revision int64) ([]byte, int, error) {
	var sealed []byte
	var format int
	err := s.read.QueryRowContext(ctx, "select options, format from integration_options where integration = $1 and revision = $2", id, revision).Scan(&sealed, &format)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, integration.Errorf(integration.KindNotFound, "there is no revision %d of integration %q", revision, id)
	}
	if err != nil {
		return nil, 0, sqldb.Error("read options of "+id, err)
	}
	options, err := s.keys.Open(optionsPlace(id, revision), sealed)
	return options, format, err
}

// SaveIntegration implements store.Integrations. Sealing and encoding come before the transaction,
// which must be short. The token key is only written with the first revision: later saves leave it
// as it is. It returns the new revision. The condition on the old one is in the statement, so that
// of two who save at once one gets a conflict.
func (s *Store) SaveIntegration(ctx context.Context, in store.Integration) (int64, error) {
	if in.ID == "" || in.Revision < 0 {
		return 0, integration.Errorf(integration.KindInvalid, "invalid integration: id %q, revision %d", in.ID, in.Revision)
	}
	if in.Revision == 0 && len(in.TokenKey) == 0 {
		in.TokenKey = make([]byte, tokenKeyBytes)
		_, _ = rand.Read(in.TokenKey) // never fails, see crypto/rand
	}
	if in.Revision == 0 && len(in.TokenKey) != tokenKeyBytes {
		return 0, integration.Errorf(integration.KindInvalid, "invalid integration %q: the token key has %d bytes, want %d", in.ID, len(in.TokenKey), tokenKeyBytes)
	}
	destinations, err1 := stored.Encode(in.Destinations)
	secrets, err2 := stored.Encode(in.SecretFields)
	fallback, err3 := stored.Encode(in.Fallback)
	revision := in.Revision + 1
	if err := errors.Join(err1, err2, err3); err != nil {
		return 0, err
	}
	now := stored.Ms(s.clock.Now())
	err := s.sealing(ctx, func(key usedKey) error {
		tokenKey, err1 := key.Seal(tokenKeyPlace(in.ID), in.TokenKey)
		options, err2 := key.Seal(optionsPlace(in.ID, revision), in.Options)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		return s.db.Write(ctx, func(tx sqldb.Tx) error {
			if err := lockKey(ctx, tx, key); err != nil {
				return err
			}
			var result sql.Result
			var err error
			if in.Revision == 0 {
				// The id of a deleted integration is taken as well: its row may still be there.
				result, err = tx.ExecContext(ctx, `insert into integrations (id, plugin, name, enabled, maintenance, urgency, revision,
				created_at, updated_at, deleted_at, destinations, secret_fields, fallback, token_key)
				values ($1, $2, $3, $4, $5, $6, 1, $7, $7, 0, $8, $9, $10, $11) on conflict (id) do nothing`,
					in.ID, in.Plugin, in.Name, stored.Bit(in.Enabled), stored.Bit(in.Maintenance), in.Urgency, now, destinations, secrets, fallback, tokenKey)
			} else {
				result, err = tx.ExecContext(ctx, `update integrations set plugin = $2, name = $3, enabled = $4, maintenance = $5, urgency = $6,
				revision = revision + 1, updated_at = $7, destinations = $8, secret_fields = $9, fallback = $10
				where id = $1 and revision = $11 and deleted_at = 0`,
					in.ID, in.Plugin, in.Name, stored.Bit(in.Enabled), stored.Bit(in.Maintenance), in.Urgency, now, destinations, secrets, fallback, in.Revision)
			}
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil {
				return err
			} else if n == 0 {
				return s.whyNotSaved(ctx, tx, in)
			}
			// Older revisions stay for the calls that pin them; see deleteOptions.
			_, err = tx.ExecContext(ctx, "insert into integration_options (integration, revision, format, created_at, options) values ($1, $2, $3, $4, $5)",
				in.ID, revision, in.OptionsFormat, now, options)
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	return revision, nil
}

// whyNotSaved finds out why a save changed no row: the id is taken, the integration is gone, or
// another revision has been saved since the form was read. It reads within the same transaction, so
// that its answer fits.
func (s *Store) whyNotSaved(ctx context.Context, tx sqldb.Tx, in store.Integration) error {
	if in.Revision == 0 {
		return integration.Errorf(integration.KindConflict, "integration %q already exists", in.ID)
	}
	var revision int64
	err := tx.QueryRowContext(ctx, "select revision from integrations where id = $1 and deleted_at = 0", in.ID).Scan(&revision)
	if errors.Is(err, sql.ErrNoRows) {
		return noIntegration(in.ID)
	}
	if err != nil {
		return err
	}
	return integration.Errorf(integration.KindConflict, "integration %q is at revision %d, not %d: somebody saved it first", in.ID, revision, in.Revision)
}

// DeleteIntegration implements store.Integrations. The row stays for its live sessions and its
// work; DeleteExpired removes it after the last of them. The timers of its own session would start
// one another for ever, so they end here. A second time is not_found.
func (s *Store) DeleteIntegration(ctx context.Context, id string) error {
	// 0 stands for "not deleted".
	now := max(1, stored.Ms(s.clock.Now()))
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		// Its timers are items of this session's lanes.
		if err := tx.Lock(ctx, stored.SessionLock(id, integration.IntegrationSessionKey)); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, "update integrations set deleted_at = $2 where id = $1 and deleted_at = 0", id, now)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return noIntegration(id)
		}
		_, err = tx.ExecContext(ctx, "delete from findings where integration = $1", id)
		if err != nil {
			return err
		}
		_, err = outbox.Remove(ctx, tx, "integration = $1 and key = $2 and kind = 'timer'", id, integration.IntegrationSessionKey)
		return err
	})
}

// Findings implements store.Integrations. They are sorted by code.
func (s *Store) Findings(ctx context.Context, id string) ([]integration.Finding, error) {
	rows, err := s.read.QueryContext(ctx, "select code, severity, message, field, at from findings where integration = $1 order by code", id)
	if err != nil {
		return nil, sqldb.Error("read findings of "+id, err)
	}
	defer func() { _ = rows.Close() }()
	var list []integration.Finding
	for rows.Next() {
		var f integration.Finding
		var when int64
		if err := rows.Scan(&f.Code, &f.Severity, &f.Message, &f.Field, &when); err != nil {
			return nil, sqldb.Error("read findings of "+id, err)
		}
		f.At = stored.At(when)
		list = append(list, f)
	}
	return list, sqldb.Error("read findings of "+id, rows.Err())
}

// CountFindings implements store.Integrations. It reads for the metrics, through the connections of
// calls.
func (s *Store) CountFindings(ctx context.Context) ([]store.FindingCount, error) {
	rows, err := s.db.Read().QueryContext(ctx, "select code, severity, count(*) from findings group by code, severity order by code, severity")
	if err != nil {
		return nil, sqldb.Error("count findings", err)
	}
	defer func() { _ = rows.Close() }()
	var list []store.FindingCount
	for rows.Next() {
		var n store.FindingCount
		if err := rows.Scan(&n.Code, &n.Severity, &n.Integrations); err != nil {
			return nil, sqldb.Error("count findings", err)
		}
		list = append(list, n)
	}
	return list, sqldb.Error("count findings", rows.Err())
}

// SaveFindings implements store.Integrations.
func (s *Store) SaveFindings(ctx context.Context, id string, findings []integration.Finding) error {
	if len(findings) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(tx sqldb.Tx) error { return saveFindings(ctx, tx, id, findings) })
}

// saveFindings adds, replaces and removes findings within a transaction. One of the severity clear
// removes that of its code; any other replaces it.
func saveFindings(ctx context.Context, tx sqldb.Tx, id string, findings []integration.Finding) error {
	for _, f := range findings {
		var err error
		if f.Severity == integration.FindingClear {
			_, err = tx.ExecContext(ctx, "delete from findings where integration = $1 and code = $2", id, f.Code)
		} else {
			_, err = tx.ExecContext(ctx, `insert into findings (integration, code, severity, message, field, at) values ($1, $2, $3, $4, $5, $6)
				on conflict (integration, code) do update set severity = excluded.severity, message = excluded.message, field = excluded.field, at = excluded.at`,
				id, f.Code, string(f.Severity), f.Message, f.Field, stored.Ms(f.At))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
