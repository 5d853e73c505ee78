package setup

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/firstfile"
	"github.com/livecallrouting/livecall/host-sdk/internal/shellword"
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

// The shell step of init is run by a shell as it is printed, wherever the file lies.
func TestInitPrintsACommandForAnyPath(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell")
	}
	for _, name := range []string{"plain.env", "of Alice's.env", "a$b;c.env", "-x.env", "sub dir/its'.env", "-y/z.env", "..env"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("GIVEN=yes\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, environment := range []string{path, name} {
			var out bytes.Buffer
			if err := (Init{}).next(&command.Surroundings{Stdout: &out, ExeDir: dir}, "switchboard.yaml", environment, firstfile.Answers{}, false); err != nil {
				t.Fatal(err)
			}
			_, printed, _ := strings.Cut(out.String(), "Take the settings into this shell:  ")
			printed, _, _ = strings.Cut(printed, "\n")
			cmd := exec.CommandContext(t.Context(), shell, "-c", printed+`; test "$GIVEN" = yes`)
			cmd.Dir = dir
			if said, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", printed, err, said)
			}
			if service := shellword.Word("cat " + shellword.Path(environment) + " >copy"); environment == name {
				cmd := exec.CommandContext(t.Context(), shell, "-c", "sh -c "+service+"; grep -q yes copy")
				cmd.Dir = dir
				if said, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", service, err, said)
				}
			}
		}
	}
}
