package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/internal/freeport"
	"github.com/livecallrouting/livecall/internal/testlog"
	"github.com/livecallrouting/livecall/internal/testmain"
	"github.com/livecallrouting/livecall/internal/tied"
)

// NeedPooler is Need, of PgBouncer as well.
func NeedPooler(tb testing.TB) {
	tb.Helper()
	Need(tb)
	component.Get(tb, component.Postgres, pgbouncer)
}

// pgbouncer is the path of the program.
func pgbouncer() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("PgBouncer is missing: apt-get install pgbouncer")
}

// pooled is the PgBouncer before the server that the tests of a binary share; it ends with them.
var pooled struct {
	once   sync.Once
	pooler *Pooler
	err    error
}

// Pooled is the address, through a PgBouncer in transaction mode, of a database that [Database] or
// a [Template] has given to the test.
func Pooled(tb testing.TB, database string) string {
	tb.Helper()
	NeedPooler(tb)
	server := server(tb)
	pooled.once.Do(func() {
		dir, err := os.MkdirTemp("", "pooler-")
		if err == nil {
			pooled.pooler, err = server.Pool(context.Background(), dir, PoolerPasses)
		}
		if pooled.err = err; err == nil {
			testmain.AtEnd(pooled.pooler.Kill)
		}
	})
	if pooled.err != nil {
		tb.Fatal(pooled.err)
	}
	return pooled.pooler.URL(path.Base(database))
}

// Pooler is a running PgBouncer, which hands out connections to a server by the transaction.
type Pooler struct {
	addr string
	cmd  *exec.Cmd
}

// PoolerPasses is what a pooler must be told of a host's connections: docs/several-hosts.md.
const PoolerPasses = "ignore_startup_parameters = statement_timeout, lock_timeout, idle_in_transaction_session_timeout"

// Pool starts a PgBouncer before the server, with its files in dir and these lines in its
// configuration. Of its connections to the server it uses one after the other, so that nothing
// finds again by chance what it has left on one.
func (s *Server) Pool(ctx context.Context, dir string, lines ...string) (*Pooler, error) {
	program, err := pgbouncer()
	if err != nil {
		return nil, err
	}
	addr, err := freeport.Take()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	text := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
server_round_robin = 1
default_pool_size = 20
max_client_conn = 1000
`, s.port, port, filepath.Join(dir, "users"))
	for _, line := range lines {
		text += line + "\n"
	}
	for name, text := range map[string]string{"users": "\"livecall\" \"\"\n", "pgbouncer.ini": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil { //nolint:gosec // no secrets
			return nil, err
		}
	}
	if err := s.own(dir); err != nil {
		return nil, err
	}
	p, log := &Pooler{addr: addr}, &testlog.Buffer{}
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), program, filepath.Join(dir, "pgbouncer.ini")) //nolint:gosec // a test's own
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	if err := tied.Start(p.cmd); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, p.URL("postgres"))
		if err == nil {
			return p, conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			p.Kill()
			return nil, fmt.Errorf("pgbouncer does not answer: %w: %s", err, log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// URL is the address of a database through the pooler.
func (p *Pooler) URL(database string) string {
	return "postgres://livecall@" + p.addr + "/" + database
}

// Kill ends the pooler.
func (p *Pooler) Kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}
