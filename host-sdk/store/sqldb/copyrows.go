package sqldb

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// copyRows hands the rows of a table of SQLite to PostgreSQL, one at a time. Its sum is of the
// values as they are sent, replacements included.
type copyRows struct {
	table    copyTable
	rows     *sql.Rows
	sum      checksum
	replaced int64
	err      error // of Values
}

var _ pgx.CopyFromSource = (*copyRows)(nil)

// Next implements pgx.CopyFromSource.
func (r *copyRows) Next() bool { return r.rows.Next() }

// Err implements pgx.CopyFromSource.
func (r *copyRows) Err() error { return r.rows.Err() }

// Values implements pgx.CopyFromSource. The slice is new for each row: the driver may keep it.
func (r *copyRows) Values() (values []any, err error) {
	defer func() { r.err = err }()
	values = make([]any, len(r.table.columns))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	if err := r.rows.Scan(into...); err != nil {
		return nil, err
	}
	for i, c := range r.table.columns {
		v, ok := r.as(c.kind, values[i])
		if !ok {
			return nil, integration.Errorf(integration.KindInternal, "column %s.%s is %s in PostgreSQL, and a row has a value of another type (%T) in it", r.table.name, c.name, c.kind, values[i])
		}
		values[i] = v
	}
	r.sum.add(values)
	return values, nil
}

// as is a value as a column of PostgreSQL takes it. SQLite stores what it was given, whatever the
// column's type: bytes in a text, too. false: the value is of another type than any such row should
// have.
func (r *copyRows) as(kind string, value any) (any, bool) {
	if value == nil {
		return nil, true
	}
	switch kind {
	case "bigint", "integer":
		n, ok := value.(int64)
		return n, ok
	case "text":
		if b, ok := value.([]byte); ok {
			value = string(b)
		}
		s, ok := value.(string)
		// As serverTx does with each text that is written.
		storable := strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
		if storable != s {
			r.replaced++
		}
		return storable, ok
	case "bytea":
		if s, ok := value.(string); ok {
			value = []byte(s)
		}
		b, ok := value.([]byte)
		if b == nil { // of no length, which the driver would take for null
			b = []byte{}
		}
		return b, ok
	case "double precision":
		f, ok := value.(float64)
		return f, ok
	}
	return nil, false
}

// checksum is that of rows in any order: the sum of the rows' hashes. A sum of hashes does not
// depend on the order, which no query here demands.
type checksum struct {
	rows, bytes int64
	sum         [2]uint64
}

// String is the sum in hexadecimal digits.
func (s checksum) String() string { return fmt.Sprintf("%016x%016x", s.sum[0], s.sum[1]) }

// add adds a row. Each value goes in with its type and length, so that no two rows look the same.
// Integers and texts of both drivers arrive as the same Go types.
func (s *checksum) add(values []any) {
	h := sha256.New()
	for _, v := range values {
		var head [9]byte
		var text []byte
		switch v := v.(type) {
		case nil:
			head[0] = 'n'
		case int64:
			head[0] = 'i'
			binary.BigEndian.PutUint64(head[1:], uint64(v))
			s.bytes += 8
		case float64:
			head[0] = 'f'
			binary.BigEndian.PutUint64(head[1:], math.Float64bits(v))
			s.bytes += 8
		case string:
			head[0], text = 't', []byte(v)
		case []byte:
			head[0], text = 'b', v
		default:
			head[0], text = '?', fmt.Append(nil, v)
		}
		if text != nil {
			binary.BigEndian.PutUint64(head[1:], uint64(len(text)))
		}
		_, _ = h.Write(head[:])
		_, _ = h.Write(text)
		s.bytes += int64(len(text))
	}
	sum := h.Sum(nil)
	s.rows++
	for i := range s.sum {
		s.sum[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
}
