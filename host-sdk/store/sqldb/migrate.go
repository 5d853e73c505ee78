package sqldb

import (
	"context"
	"database/sql"
	"io/fs"
	"regexp"

	"github.com/pressly/goose/v3"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// componentName bounds what becomes part of a table's name.
var componentName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

// Migrate brings the tables of a component (lower-case letters, digits, _) up to date. The root of
// files holds numbered goose files ("00001_sessions.sql"); each runs in a transaction. Components
// know nothing of one another: each counts in a table of its own, "<component>_version". Migrations
// only add, so that hosts of two releases can share a database: one that is newer than the files by
// one release is accepted as it is, and one that is newer still is unsupported. Processes may
// migrate at the same time. Components are migrated by whoever opens them, one after the other.
func (db *DB) Migrate(ctx context.Context, component string, files fs.FS) error {
	if !componentName.MatchString(component) {
		return integration.Errorf(integration.KindInvalid, "migrate: component %q: want lower-case letters, digits and _", component)
	}
	select {
	case <-db.closing:
		return errClosed()
	default:
	}
	if db.dialect.tables != nil {
		files = rewritten{files, db.dialect.tables}
	}
	// A connection of its own: the writer's is never lent out.
	conn, err := db.base.migrator(ctx)
	if err != nil {
		return Error("migrate "+component, err)
	}
	conn.SetMaxOpenConns(1)
	defer func() { _ = conn.Close() }()

	// Each turn must get further, or it ends.
	for before := int64(-1); ; {
		version, err := db.migrateOnce(ctx, conn, component, files)
		if err == nil {
			return nil
		}
		// Another process may have made the same step a moment earlier. If so we are further on
		// now, and go on from there.
		if version <= before || ctx.Err() != nil || integration.KindOf(err) == integration.KindUnsupported {
			return Error("migrate "+component, err)
		}
		before = version
	}
}

// migrateOnce returns the version the database is at, also after a failure; -1: not known. The
// version tells the caller whether somebody else got further meanwhile.
func (db *DB) migrateOnce(ctx context.Context, conn *sql.DB, component string, files fs.FS) (int64, error) {
	options := []goose.ProviderOption{
		goose.WithTableName(component + "_version"), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()),
	}
	if s, ok := db.base.(*server); ok { // a file has one lock for all writing
		options = append(options, goose.WithSessionLocker(&migrationLock{config: s.unlimited()}))
	}
	p, err := goose.NewProvider(db.dialect.goose, conn, files, options...)
	if err != nil {
		return -1, err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return -1, err
	}
	if current > target {
		return current, db.acceptNewer(ctx, conn, component, current, target)
	}
	// Before the tables: from the first new one on, an older program finds the release.
	if err := db.noteRelease(ctx, conn, component, target); err != nil {
		return current, err
	}
	if current == target {
		return current, nil
	}
	if _, err = p.Up(ctx); err == nil {
		return target, nil
	}
	if now, verr := p.GetDBVersion(ctx); verr == nil {
		return now, err
	}
	return -1, err
}
