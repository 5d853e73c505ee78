package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Release counts the releases of this program that changed tables. It goes up by one with the first
// migration after a release, in all components together.
const Release = 2

// releasesTable says of each component to which release its tables belong.
const releasesTable = "schema_releases"

// Of makes db that of a program of another release: for tests.
func (db *DB) Of(release int64) { db.release = release }

// noteRelease says to which release a version of a component's tables belongs. Nothing changes
// where the database is as new already. An older program reads it before it decides whether it can
// work with newer tables.
func (db *DB) noteRelease(ctx context.Context, conn *sql.DB, component string, version int64) error {
	if known, _, err := releaseOf(ctx, conn, component); err == nil && known >= version {
		return nil
	}
	const makers = 3 // of several hosts that make the table at once, one succeeds
	for attempt := 1; ; attempt++ {
		_, err := conn.ExecContext(ctx, "create table if not exists schema_releases (component text not null primary key, version bigint not null, release bigint not null)")
		if err == nil {
			break
		}
		if attempt == makers {
			return err
		}
	}
	_, err := conn.ExecContext(ctx, "insert into schema_releases (component, version, release) values ($1, $2, $3) "+
		"on conflict (component) do update set version = excluded.version, release = excluded.release where schema_releases.version < excluded.version",
		component, version, db.release)
	return err
}

// releaseOf is the newest version of a component's tables that a program knew, and its release. An
// error may be that the table is not there yet.
func releaseOf(ctx context.Context, conn *sql.DB, component string) (version, release int64, err error) {
	err = conn.QueryRowContext(ctx, "select version, release from schema_releases where component = $1", component).Scan(&version, &release)
	return version, release, err
}

// acceptNewer is nil for tables that a program of the next release has made. Anything else is
// unsupported, and names the remedy; unavailable stays what it is.
func (db *DB) acceptNewer(ctx context.Context, conn *sql.DB, component string, current, target int64) error {
	version, release, err := releaseOf(ctx, conn, component)
	switch {
	case err == nil && version >= current && release <= db.release+1:
		return nil
	case err == nil && version >= current:
		return integration.Errorf(integration.KindUnsupported,
			"migrate %s: the database is of release %d of the tables, this program of %d, and accepts those of %d: run a newer program", component, release, db.release, db.release+1)
	case err != nil && !errors.Is(err, sql.ErrNoRows) && integration.KindOf(Error("", err)) == integration.KindUnavailable:
		return err
	}
	return integration.Errorf(integration.KindUnsupported,
		"migrate %s: the database is at version %d, this program knows %d: run the newer program", component, current, target)
}
