package campaign

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/integration-tests/balance"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// shared is what two hosts of a campaign share: a PostgreSQL, and the balancer in front of them.
type shared struct {
	server   *postgres.Server
	balancer *balance.Balancer
}

// sharedDatabase is the name of their database.
const sharedDatabase = "postgres"

// openShared starts both. The server keeps what it has committed through a crash.
func openShared(ctx context.Context, root string) (s *shared, err error) {
	s = &shared{}
	if s.balancer, err = balance.New(); err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "postgres")
	if err = os.Mkdir(dir, 0o755); err == nil {
		s.server, err = postgres.Start(ctx, dir, "max_connections=100", "shared_buffers=64MB")
	}
	if err != nil {
		return nil, errors.Join(err, s.balancer.Close())
	}
	return s, nil
}

// change makes the configuration of a stack that of hosts which share a database.
func (s *shared) change(cfg *demo.Config) {
	cfg.PublicURL = s.balancer.URL
	cfg.Env = append(cfg.Env, "SWITCHBOARD_DATABASE_URL="+s.server.URL(sharedDatabase), "SWITCHBOARD_SECRET_KEY="+seal.NewKey())
}

func (s *shared) close() error {
	s.server.Kill()
	return s.balancer.Close()
}

// cutConnections cuts all connections of the hosts, several times.
func (t *trouble) cutConnections(r *rand.Rand) error {
	for range 1 + r.IntN(8) {
		if err := t.shared.server.Exec(context.WithoutCancel(t.ctx), sharedDatabase,
			`select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'`); err != nil {
			return err
		}
		t.sleep(between(r, 0, 4*time.Second))
	}
	return nil
}

// restartServer stops the server, in order or as a crash would, and starts it again.
func (t *trouble) restartServer(r *rand.Rand) error {
	if chance(r, 50) {
		t.shared.server.Kill()
	} else {
		t.shared.server.Shutdown()
	}
	return t.shared.server.Run(context.WithoutCancel(t.ctx))
}
