package sqldb_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path)
	for range 2 { // the second time there is nothing to do
		if err := db.Migrate(ctx, "notes", tables); err != nil {
			t.Fatal(err)
		}
	}
	more := fstest.MapFS{"00001_notes.sql": tables["00001_notes.sql"],
		"00002_more.sql": {Data: []byte("-- +goose Up\nalter table notes add column extra text not null default '';\n")}}
	if err := db.Migrate(ctx, "notes", more); err != nil {
		t.Fatal(err)
	}
	other := fstest.MapFS{"00001_other.sql": {Data: []byte("-- +goose Up\ncreate table other (x text);\n")}}
	if err := db.Migrate(ctx, "other", other); err != nil {
		t.Errorf("a second component: %v", err)
	}
	bad := fstest.MapFS{"00001_a.sql": {Data: []byte("-- +goose Up\ncreate table half (x text);\ncreate nonsense;\n")}}
	if err := db.Migrate(ctx, "bad", bad); err == nil {
		t.Error("a broken file is accepted")
	}
	var n int
	if err := db.Read().QueryRowContext(ctx, "select count(*) from sqlite_master where name = 'half'").Scan(&n); err != nil || n != 0 {
		t.Errorf("a broken file left half its tables: %d, %v", n, err)
	}
	if err := db.Migrate(ctx, "Bad-Name;", tables); integration.KindOf(err) != integration.KindInvalid {
		t.Errorf("a bad component name: %v", err)
	}
}

func TestMigrateByTwoAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	files := fstest.MapFS{}
	for i := 1; i <= 5; i++ {
		files[fmt.Sprintf("%05d_t.sql", i)] = &fstest.MapFile{Data: []byte(fmt.Sprintf("-- +goose Up\ncreate table t%d (x text);\n", i))}
	}
	var wg sync.WaitGroup
	for range 4 {
		db := open(t, path)
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := db.Migrate(ctx, "many", files); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
}
