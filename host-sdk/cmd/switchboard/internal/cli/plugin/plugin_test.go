package plugin_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aead.dev/minisign"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli"
)

// Commands that look at the plugin folder alone find it where the host does, also while the rest of
// the switchboard file is wrong.
func TestThePluginFolderOfTheSwitchboardFileCounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, archive := filepath.Join(dir, "switchboard.yaml"), filepath.Join(dir, "plugin.tar.gz")
	public, secret, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		config: "settings: {plugin_dir: kept, log_level: loud}\nteams: 3\n",
		// No archive, which is looked at once its signature was accepted.
		archive: "x", archive + ".minisig": string(minisign.Sign(secret, []byte("x"))),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept := filepath.Join(dir, "kept")
	for _, tt := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"trust", public.String()}, 0, "is trusted"},
		{[]string{"trust"}, 0, public.String()},
		{[]string{"verify", archive}, 1, "is not a gzip-compressed tar archive"},
		{[]string{"list"}, 1, kept + " contains no plugin"},
		{[]string{"trust", public.String(), "--config", filepath.Join(dir, "typo.yaml")}, 1, "typo.yaml: there is no such file"},
		{[]string{"list", "--plugin-dir", filepath.Join(dir, "other")}, 1, filepath.Join(dir, "other")},
	} {
		var out bytes.Buffer
		status := cli.Run(t.Context(), append([]string{"plugin", tt.args[0], "--config", config}, tt.args[1:]...), &out, &out, cli.Binary{Dir: dir})
		if status != tt.status || !strings.Contains(out.String(), tt.want) {
			t.Errorf("plugin %v: status %d, %s; want %d and %q", tt.args, status, &out, tt.status, tt.want)
		}
	}
}
