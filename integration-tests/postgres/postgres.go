// Package postgres starts real PostgreSQL servers for tests, from the programs of Debian's package
// (postgresql) or of the PATH: each with its data in a folder of its own, as an ordinary user, on a
// port of the loopback interface.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/internal/freeport"
	"github.com/livecallrouting/livecall/internal/testlog"
	"github.com/livecallrouting/livecall/internal/testmain"
	"github.com/livecallrouting/livecall/internal/testrows"
	"github.com/livecallrouting/livecall/internal/tied"
)

// Need skips a test where PostgreSQL is missing, unless all tests are wanted (see component).
func Need(tb testing.TB) {
	tb.Helper()
	component.Get(tb, component.Postgres, programs)
}

// shared is the server of a test binary, which ends with it: each test has a database of its own on
// it. What a test promises of the disk needs a server of its own, as this one does not sync.
var shared struct {
	once   sync.Once
	server *Server
	err    error
	count  atomic.Int32
	mu     sync.Mutex
	byName map[string]string
	empty  chan string // databases that an earlier test has used, and that are empty again
}

// server is that server; the test is skipped where PostgreSQL is missing, unless all tests are
// wanted (see component).
func server(tb testing.TB) *Server {
	tb.Helper()
	return component.Get(tb, component.Postgres, func() (*Server, error) {
		shared.once.Do(func() {
			// It outlives the test that starts it.
			dir, err := os.MkdirTemp("", "postgres-")
			if err == nil {
				shared.server, err = Start(context.Background(), dir, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=400", "shared_buffers=64MB")
			}
			shared.empty = make(chan string, 100)
			if shared.err = err; err == nil {
				testmain.AtEnd(shared.server.Kill)
			}
		})
		return shared.server, shared.err
	})
}

// Database returns the address of an empty database on the server that the tests of this binary
// share.
func Database(tb testing.TB) string {
	tb.Helper()
	return server(tb).lend(tb, shared.empty, emptied, func(string) error { return nil })
}

// lend gives a database to a test: one that an earlier test has used and that is as it was, or a
// new one, made by fill. Statements make it as it was, whatever still uses it.
func (s *Server) lend(tb testing.TB, unused chan string, statements string, fill func(name string) error) string {
	tb.Helper()
	var name string
	select {
	case name = <-unused:
	default:
		name = fmt.Sprintf("test%d", shared.count.Add(1))
		if err := errors.Join(s.CreateDatabase(tb.Context(), name), fill(name)); err != nil {
			tb.Fatal(err)
		}
	}
	tb.Cleanup(func() {
		if s.Exec(context.WithoutCancel(tb.Context()), name, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();"+statements) != nil {
			return // it goes with the server
		}
		select {
		case unused <- name:
		default:
		}
	})
	return s.URL(name)
}

// Template makes databases that have tables already. To make them costs a hundred times as much as
// most tests do with them.
type Template struct {
	fill   func(url string) error
	unused chan string
}

// NewTemplate returns a template whose databases are made by fill, out of empty ones.
func NewTemplate(fill func(url string) error) *Template {
	return &Template{fill: fill, unused: make(chan string, 100)}
}

// Database returns the address of a database with the tables and rows that fill has made. What a
// test changes of the tables themselves stays for the next test.
func (t *Template) Database(tb testing.TB) string {
	tb.Helper()
	s := server(tb)
	return s.lend(tb, t.unused, testrows.PutBack, func(name string) error {
		if err := t.fill(s.URL(name)); err != nil {
			return err
		}
		return s.Exec(tb.Context(), name, testrows.Keep)
	})
}

// emptied makes a database as new. A new one costs several times as much: it has 300 files.
const emptied = `
do $$ declare name text; begin
	for name in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
		execute format('drop schema %I cascade', name);
	end loop;
end $$;
create schema public`

// Of returns the address of the database that belongs to a name until the test has ended that asks
// for it first: the same one for the same name, such as the path of the file that another database
// would have.
func Of(tb testing.TB, name string) string {
	tb.Helper()
	return of(tb, name, Database)
}

// Of is as the function of this name, with copies.
func (t *Template) Of(tb testing.TB, name string) string {
	tb.Helper()
	return of(tb, name, t.Database)
}

func of(tb testing.TB, name string, database func(testing.TB) string) string {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	url, known := shared.byName[name]
	if !known {
		url = database(tb)
		if shared.byName == nil {
			shared.byName = map[string]string{}
		}
		shared.byName[name] = url
	}
	return url
}

// Server is a running PostgreSQL.
type Server struct {
	dir      string
	port     int
	bin      string
	settings []string
	as       *syscall.Credential
	cmd      *exec.Cmd
	ended    chan struct{}
	log      *testlog.Buffer
}

// Start makes a server's data in dir and starts it with these settings.
func Start(ctx context.Context, dir string, settings ...string) (*Server, error) {
	s, err := find(dir, settings)
	if err != nil {
		return nil, err
	}
	if err := s.own(dir); err != nil {
		return nil, err
	}
	init := s.command(ctx, "initdb", "--pgdata="+s.dir, "--username=livecall", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--wal-segsize=1")
	if out, err := tied.CombinedOutput(init); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s, s.Run(ctx)
}

// Standby copies a running server into dir and starts the copy, which follows it.
func (s *Server) Standby(ctx context.Context, dir string, settings ...string) (*Server, error) {
	copied, err := find(dir, settings)
	if err != nil {
		return nil, err
	}
	if err := copied.own(dir); err != nil {
		return nil, err
	}
	base := copied.command(ctx, "pg_basebackup", "--pgdata="+copied.dir, "--write-recovery-conf", "--checkpoint=fast",
		"--dbname="+s.URL("postgres")+"?application_name=standby")
	if out, err := tied.CombinedOutput(base); err != nil {
		return nil, fmt.Errorf("pg_basebackup: %w: %s", err, out)
	}
	return copied, copied.Run(ctx)
}

// Synchronous makes each commit wait for the standby, and returns once it does.
func (s *Server) Synchronous(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, statement := range []string{"alter system set synchronous_standby_names = 'standby'", "select pg_reload_conf()"} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		var follows bool
		err := conn.QueryRow(ctx, "select exists (select 1 from pg_stat_replication where sync_state = 'sync')").Scan(&follows)
		if err != nil || follows {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the standby does not follow: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Promote makes a standby take writes.
func (s *Server) Promote(ctx context.Context) error {
	if out, err := tied.CombinedOutput(s.command(ctx, "pg_ctl", "promote", "--pgdata="+s.dir, "--wait")); err != nil {
		return fmt.Errorf("pg_ctl promote: %w: %s", err, out)
	}
	return nil
}

// find looks for the programs and a free port.
func find(dir string, settings []string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: filepath.Join(dir, "data"), bin: bin, settings: settings}
	if os.Getuid() == 0 {
		if s.as, err = ordinary(); err != nil {
			return nil, err
		}
	}
	address, err := freeport.Take()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	s.port, err = strconv.Atoi(port)
	return s, err
}

// programs is the folder of the newest PostgreSQL that is installed.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", errors.New("PostgreSQL is missing: apt-get install postgresql")
	}
	return filepath.Dir(found[0]), nil
}

// ordinary is the user as whom root starts servers: they refuse root.
func ordinary() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses root, and there is neither a user postgres nor nobody")
}

// own gives the folder to the server's user, and lets it through to it from the temporary directory
// on.
func (s *Server) own(dir string) error {
	if s.as == nil {
		return nil
	}
	top := os.TempDir()
	for up := dir; len(up) >= len(top) && len(up) > 1; up = filepath.Dir(up) {
		info, err := os.Stat(up)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o011 == 0o011 {
			continue
		}
		if err := os.Chmod(up, info.Mode().Perm()|0o011); err != nil {
			return err
		}
	}
	return os.Chown(dir, int(s.as.Uid), int(s.as.Gid))
}

func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir = filepath.Dir(s.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	return cmd
}

// startTime is how long a server may take to answer; a loaded machine is slow.
const startTime = 2 * time.Minute

// Run starts the server on the data it has, and waits until it answers. After a kill, the processes
// of the one before may take a moment to notice: until then a new one refuses to start.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		err := s.run(ctx)
		if err == nil || !strings.Contains(s.log.String(), "still in use") || ctx.Err() != nil {
			return err
		}
	}
}

func (s *Server) run(ctx context.Context) error {
	args := []string{"-D", s.dir, "-p", strconv.Itoa(s.port), "-h", "127.0.0.1", "-k", "", "-c", "min_wal_size=2MB", "-c", "max_wal_size=64MB"}
	for _, set := range s.settings {
		args = append(args, "-c", set)
	}
	s.cmd, s.log, s.ended = s.command(context.WithoutCancel(ctx), "postgres", args...), &testlog.Buffer{}, make(chan struct{})
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := tied.Start(s.cmd); err != nil {
		return err
	}
	go func() { defer close(s.ended); _ = s.cmd.Wait() }()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.ended:
			return fmt.Errorf("postgres has ended: %s", s.log)
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Addr is where the server listens.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the address of a database of the server.
func (s *Server) URL(database string) string {
	return "postgres://livecall@" + s.Addr() + "/" + database
}

// CreateDatabase makes an empty database.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	return s.Exec(ctx, "postgres", "create database "+pgx.Identifier{name}.Sanitize())
}

// Exec runs a statement on a database.
func (s *Server) Exec(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// Data is the folder of the server's data. The one above it is the server's own, too.
func (s *Server) Data() string { return s.dir }

// Shell runs a script of commands as the server's user, on its machine and with its programs, and
// returns what it prints.
func (s *Server) Shell(ctx context.Context, script string) (string, error) {
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script) //nolint:gosec // a test's own
	cmd.Dir, cmd.SysProcAttr = filepath.Dir(s.dir), &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	cmd.Env = append(os.Environ(), "PATH="+s.bin+":"+os.Getenv("PATH"), "PGHOST=127.0.0.1", "PGPORT="+strconv.Itoa(s.port), "PGUSER=livecall", "PGDATABASE=postgres")
	out, err := tied.CombinedOutput(cmd)
	if err != nil {
		return string(out), fmt.Errorf("%w: %s", err, out)
	}
	return string(out), nil
}

// Kill ends the server as a crash would, by kill -9: its other processes end when they notice.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Shutdown ends it in order: connections are cut, what was committed is written.
func (s *Server) Shutdown() { s.end(syscall.SIGINT) }

func (s *Server) end(signal syscall.Signal) {
	select {
	case <-s.ended:
	default:
		_ = s.cmd.Process.Signal(signal)
		<-s.ended
	}
}

// Pid is the server's first process, which has started the others.
func (s *Server) Pid() int { return s.cmd.Process.Pid }
