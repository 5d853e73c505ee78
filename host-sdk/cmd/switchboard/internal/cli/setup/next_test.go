package setup

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/firstfile"
)

// The last lines of init name the service, where a package has installed one that will serve the
// file.
func TestInitNamesTheServiceOfAPackage(t *testing.T) {
	t.Parallel()
	service := []string{"sudo sh -c 'cat ENV >>/etc/livecall/environment'", "sudo systemctl enable --now switchboard", "exec runuser -u livecall -- switchboard doctor"}
	shell := []string{"Take the settings into this shell", "switchboard serve", "See what is missing:  switchboard doctor"}
	for _, tc := range []struct {
		name, folder string
		packaged     bool
		says, lacks  []string
	}{
		{"data of the service", "/var/lib/livecall", true, service, shell},
		{"settings of the service", "/etc/livecall", true, service, shell},
		{"a folder of somebody's own", "/home/alice", true, shell, service},
		{"no package", "/var/lib/livecall", false, shell, service},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "plugins"), 0o700); err != nil {
				t.Fatal(err)
			}
			if tc.packaged {
				if err := os.WriteFile(filepath.Join(dir, "plugins", ".package"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out bytes.Buffer
			env := tc.folder + "/switchboard.env"
			err := Init{}.next(&command.Surroundings{Stdout: &out, ExeDir: dir}, tc.folder+"/switchboard.yaml", env, firstfile.Answers{}, false)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tc.says {
				if !strings.Contains(out.String(), strings.ReplaceAll(want, "ENV", env)) {
					t.Errorf("want %q:\n%s", want, &out)
				}
			}
			for _, lacks := range tc.lacks {
				if strings.Contains(out.String(), strings.ReplaceAll(lacks, "ENV", env)) {
					t.Errorf("do not want %q:\n%s", lacks, &out)
				}
			}
		})
	}
}
