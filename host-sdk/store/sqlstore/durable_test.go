package sqlstore_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testmain"
)

// victimFile, when set, makes the test binary a process that commits to that file until it is
// killed.
const victimFile = "SQLSTORE_TEST_VICTIM_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(victimFile); path != "" {
		if err := victim(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	// Every step of the model test is a commit; more runs when asked for: go test
	// -rapid.checks=1000.
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	os.Exit(testmain.Run(m))
}

// victim commits versions of eight sessions, each version with one item, and says of each which is
// safe: "key version".
func victim(path string) error {
	s, err := tryOpen(path, secretKey)
	if err != nil {
		return err
	}
	ctx := context.Background()
	var mu sync.Mutex
	errs := make(chan error)
	for g := range 8 {
		key := fmt.Sprint("CA", g)
		go func() {
			version := int64(0)
			if old, err := s.Session(ctx, "int_1", key); err == nil {
				version = old.Version
			}
			for {
				var err error
				version, err = s.Commit(ctx, store.Commit{
					Integration: "int_1", Key: key, Version: version, Now: time.Now(),
					Session: &store.Session{Session: integration.Session{State: []byte(fmt.Sprint(version + 1))}},
					Items:   []store.Item{{Kind: store.ItemCommand, Lane: "l", Due: time.Now(), Body: []byte(`{}`)}},
				})
				if err != nil {
					errs <- err
					return
				}
				mu.Lock()
				fmt.Println(key, version)
				mu.Unlock()
			}
		}()
	}
	return <-errs
}

func TestWhatWasCommittedSurvivesAKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	safe := map[string]int64{}
	for round := range 3 {
		cmd := exec.Command(os.Args[0]) //nolint:gosec // this test binary
		cmd.Env = append(os.Environ(), victimFile+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, killed := 0, false
		for scan := bufio.NewScanner(out); scan.Scan(); {
			var key string
			var version int64
			if _, err := fmt.Sscanf(scan.Text(), "%s %d", &key, &version); err != nil {
				break // the last line may be cut off
			}
			safe[key] = version
			// Go on reading afterwards: what it still said before it died counts.
			if lines++; lines >= 200+50*round && !killed {
				killed = true
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || !killed {
			t.Fatalf("the process ended by itself after %d commits: %v", lines, err)
		}
		checkSurvived(t, path, safe)
	}
}

func checkSurvived(t *testing.T, path string, safe map[string]int64) {
	t.Helper()
	s, err := tryOpen(path, secretKey)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ctx := context.Background()
	if len(safe) != 8 {
		t.Errorf("only %d sessions were committed", len(safe))
	}
	var total int64
	for key, version := range safe {
		got, err := s.Session(ctx, "int_1", key)
		if err != nil {
			t.Fatal(err)
		}
		if got.Version < version || string(got.State) != fmt.Sprint(got.Version) {
			t.Errorf("%s: version %d with state %s, but %d was confirmed", key, got.Version, got.State, version)
		}
		total += got.Version
	}
	counts, _, err := s.OutboxStats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if n := counts[store.ItemCommand][store.PhaseWaiting] + counts[store.ItemCommand][store.PhaseStarted]; int64(n) != total {
		t.Errorf("%d items of %d commits: a commit is there in part", n, total)
	}
	items, _, err := s.Claim(ctx, store.Claim{Owner: "check", Now: time.Now(), Lease: 0, Limit: 1000})
	if err != nil || len(items) != 8 {
		t.Errorf("%d items can be claimed, want the first of 8 lanes (%v)", len(items), err)
	}
	for _, it := range items {
		if err := s.RetryItem(ctx, it, it.Due); err != nil {
			t.Error(err)
		}
	}
}

func TestNoSecretIsOnDiskInClear(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "store.db")
	s := open(t, path)
	ctx := context.Background()
	const canary = "kanarienvogel-5ecr3t"
	in := store.Integration{
		ID: "int_1", Plugin: "livecall", Name: "plain-text-name",
		Options: []byte(`{"auth_token":"` + canary + `"}`), SecretFields: []string{"auth_token"}, TokenKey: []byte(canary + strings.Repeat("!", 32-len(canary))),
	}
	for revision := range int64(3) {
		in.Revision = revision
		if _, err := s.SaveIntegration(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.InitSetting(ctx, "session_key", canary); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteIntegration(ctx, "int_1"); err != nil {
		t.Fatal(err)
	}
	search := func(when string, wantFiles int) {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) != wantFiles {
			t.Errorf("%s: files %v, want %d (%v)", when, files, wantFiles, err)
		}
		name := false
		for _, f := range files {
			content, err := os.ReadFile(f) //nolint:gosec // a file of this test
			if err != nil {
				t.Fatal(err)
			}
			text := string(content)
			name = name || strings.Contains(text, in.Name)
			for what, secret := range map[string]string{
				"canary": canary[2:], "in base64": "thbmFyaWVudm9nZWwtNWVjcjN0", "in hexadecimal": fmt.Sprintf("%x", canary), "the key": secretKey[:20],
				"the key's bytes": "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef",
			} {
				if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
					t.Errorf("%s: %s is in %s", when, what, filepath.Base(f))
				}
			}
		}
		if !name {
			t.Errorf("%s: the search finds nothing, not even the name, which is in clear", when)
		}
	}
	search("while open", 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	search("closed", 1)
}

func TestAnotherSecretKeyIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := tryOpen(path, strings.Repeat("fedcba9876543210", 4))
	if integration.KindOf(err) != integration.KindInvalid || !strings.Contains(fmt.Sprint(err), "written with another SWITCHBOARD_SECRET_KEY") {
		t.Errorf("opened with another key: %v", err)
	}
	open(t, path)
}
