package demo

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// TestTheStoryIsThatOfTheFilesTeams holds that the hotline has teams that the file has, and that
// what is said to try chooses one of them.
func TestTheStoryIsThatOfTheFilesTeams(t *testing.T) {
	for name, test := range map[string]struct {
		teams string   // as the API lists them
		want  []string // ids, in the order of the menu
		says  string
	}{
		"the sample":       {`[{"id": "devops", "name": "DevOps"}, {"id": "support", "name": "Customer Support"}]`, []string{"support", "devops"}, "press 2 for DevOps"},
		"the sample, more": {`[{"id": "a", "name": "A"}, {"id": "devops", "name": "DevOps"}, {"id": "support", "name": "Customer Support"}]`, []string{"support", "devops"}, "press 2 for DevOps"},
		"others":           {`[{"id": "2", "name": "network"}, {"id": "1", "name": "Databases"}]`, []string{"1", "2"}, "press 1 for Databases"},
		"one":              {`[{"id": "ops", "name": "Operations"}]`, []string{"ops"}, "You wait for Operations."},
		"devops of others": {`[{"id": "a", "name": "A"}, {"id": "devops", "name": "B"}]`, []string{"a", "devops"}, "press 2 for B"},
		"twelve":           {"[" + strings.Repeat(`{"id": "x", "name": "X"},`, 11) + `{"id": "x", "name": "X"}]`, strings.Split("xxxxxxxxx", ""), "press 1 for X"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/v1/teams" {
				_, _ = io.WriteString(w, test.teams)
				return
			}
			http.NotFound(w, r)
		}))
		s := &Stack{URL: server.URL, SimURL: defaultSim}
		var err error
		s.teams, err = s.chooseTeams(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, one := range s.teams {
			ids = append(ids, one.ID)
		}
		var said bytes.Buffer
		s.PrintStory(&said, "twiliosim")
		server.Close()
		if strings.Join(ids, " ") != strings.Join(test.want, " ") || !strings.Contains(said.String(), test.says) {
			t.Errorf("%s: the hotline has %q, want %q, and says\n%s\nwant %q", name, ids, test.want, &said, test.says)
		}
		for line := range strings.Lines(said.String()) {
			if _, script, ok := strings.Cut(line, `script "`); ok {
				if _, err := twiliosim.ParseScript(strings.TrimRight(script, "\"\n")); err != nil {
					t.Errorf("%s: %s: %v", name, line, err)
				}
			}
		}
	}
}

// TestATakenAddressIsNamed, rather than that the switchboard which has it refuses the token.
func TestATakenAddressIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	file := filepath.Join(t.TempDir(), "switchboard.yaml")
	if err := os.WriteFile(file, []byte("users: []\nteams: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Start(context.Background(), Config{Switchboard: "/nowhere", File: file, Listen: l.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()+" cannot be used") {
		t.Errorf("%v, want that the address cannot be used", err)
	}
}
