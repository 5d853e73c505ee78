package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// SnapshotTo writes the SQLite database as it is at one moment to a new file at path, while it is
// in use: commits go on meanwhile. A server has tools of its own for it: unsupported. The file must
// not exist.
func (db *DB) SnapshotTo(ctx context.Context, path string) (err error) {
	l, ok := db.base.(*lite)
	if !ok {
		return integration.Errorf(integration.KindUnsupported, "database %s: is copied with its server's own tools", db.Name())
	}
	pool, err := sql.Open("sqlite", l.dsn(writerCache))
	if err != nil {
		return Error("copy database "+l.path, err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	// SQLite docs: lang_vacuum, "VACUUM with an INTO clause".
	_, err = pool.ExecContext(ctx, "vacuum into $1", path)
	return Error("copy database "+l.path, err)
}

// Snapshot is the file of a SQLite database to which nobody writes. It is immutable to SQLite,
// which takes no locks and makes no files beside it.
type Snapshot struct {
	*sql.DB
	path string
}

var _ Queryer = Snapshot{}

// OpenSnapshot opens a file to read it, and changes nothing beside it. A file that another program
// still writes to would be read wrongly.
func OpenSnapshot(path string) (Snapshot, error) {
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&immutable=1&_dqs=0")
	return Snapshot{pool, path}, Error("open "+path, err)
}

// Check has SQLite look at every page and index of the file. At most five faults are listed: one is
// enough to refuse it.
func (s Snapshot) Check(ctx context.Context) error {
	rows, err := s.QueryContext(ctx, "pragma integrity_check(5)")
	if err != nil {
		return Error("check "+s.path, err)
	}
	defer func() { _ = rows.Close() }()
	var found []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return Error("check "+s.path, err)
		}
		if text != "ok" {
			found = append(found, text)
		}
	}
	if len(found) > 0 {
		return integration.Errorf(integration.KindInternal, "the database is damaged: %s", strings.Join(found, "; "))
	}
	return Error("check "+s.path, rows.Err())
}

// Rows counts the rows of each table. Those that count migrations are left out.
func (s Snapshot) Rows(ctx context.Context) (map[string]int64, error) {
	tables, err := sourceTables(ctx, s)
	if err != nil {
		return nil, Error("count the rows of "+s.path, err)
	}
	counts := make(map[string]int64, len(tables))
	for _, t := range tables {
		var n int64
		if err := s.QueryRowContext(ctx, "select count(*) from "+t.sql()).Scan(&n); err != nil {
			return nil, Error("count the rows of "+s.path, err)
		}
		counts[t.name] = n
	}
	return counts, nil
}

// Release is to which release the tables belong, see [Release]; 0: it is older than such releases.
func (s Snapshot) Release(ctx context.Context) (release int64, err error) {
	var there int
	err = s.QueryRowContext(ctx, "select count(*) from sqlite_master where type = 'table' and name = $1", releasesTable).Scan(&there)
	if err == nil && there > 0 {
		err = s.QueryRowContext(ctx, "select coalesce(max(release), 0) from "+releasesTable).Scan(&release)
	}
	return release, Error("read the release of "+s.path, err)
}
