package integrationtests

import (
	"context"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// TestACallIsOneBehindAPgBouncer plays a call, each request at another host than the one before, on
// hosts which have a PgBouncer in transaction mode before their database: with the server's own
// address beside it, and without, which they say at the start.
func TestACallIsOneBehindAPgBouncer(t *testing.T) {
	t.Parallel()
	postgres.NeedPooler(t)
	for name, direct := range map[string]bool{"with the server's address": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := ownServer(t)
			pooler, err := server.Pool(t.Context(), t.TempDir(), postgres.PoolerPasses)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pooler.Kill)
			s := startSeveral(t, acknowledgeFirst, func(c *demo.Config) {
				c.Env = append(c.Env, "SWITCHBOARD_DATABASE_URL="+pooler.URL("postgres"))
				if direct {
					c.Env = append(c.Env, "SWITCHBOARD_DATABASE_DIRECT_URL="+server.URL("postgres"))
				}
			})
			const without = "Set SWITCHBOARD_DATABASE_DIRECT_URL"
			s.eventually("both hosts say at the start whether they need the server's address", func() bool {
				return strings.Contains(s.log.String(), without) != direct && strings.Contains(s.secondLog.String(), without) != direct
			}, func() string { return s.log.String() + s.secondLog.String() })
			s.eventually("the hosts know of one another", func() bool {
				var hosts []struct{ ID string }
				return s.API(context.Background(), "GET", "/api/v1/hosts", nil, &hosts) == nil && len(hosts) == 2
			}, s.log.String)
			c := s.onHold()
			s.reach(c)
			s.cleanedUp()
			a := s.alert("with its duration", func(a alert) bool { return strings.Contains(a.story(), "took") })
			s.inOrder(a, "chose DevOps", "waiting for layer 1: Alice Example", "Alice Example acknowledged", "takes the call", "is being connected with the caller", "took")
			for _, host := range s.hosts {
				if s.Served()[host] < 5 {
					t.Errorf("the hosts served %v", s.Served())
				}
			}
		})
	}
}
