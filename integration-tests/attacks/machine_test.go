//go:build unix

package attacks

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/internal/tied"
)

// place is a folder with a switchboard that has not been started.
type place struct {
	t                      *testing.T
	base, plugins, data    string
	plugin, exe, file, env string
}

// newPlace makes one in which a start would succeed.
func newPlace(t *testing.T) *place {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, base: base, plugins: base + "/opt/plugins", data: base + "/data"}
	p.plugin, p.file = p.plugins+"/livecall", base+"/switchboard.yaml"
	p.exe = p.plugin + "/livecall"
	for _, dir := range []string{p.plugin, p.data} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{binaries + "/plugins/livecall/manifest.json": p.plugin + "/manifest.json", binaries + "/plugins/livecall/livecall": p.exe, "testdata/switchboard.yaml": p.file} {
		copyFile(t, from, to)
	}
	return p
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		t.Fatal(err)
	}
}

// do fails the test on an error.
func (p *place) do(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// stranger gives a file to another user.
func (p *place) stranger(path string) {
	p.t.Helper()
	if os.Geteuid() != 0 {
		p.t.Skip("only root can give a file to another user")
	}
	p.do(os.Lchown(path, 4711, 4711))
}

// run starts switchboard and returns what it has printed when it has ended.
func (p *place) run(args ...string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binaries+"/switchboard", args...)
	cmd.Env = append(os.Environ(), "SWITCHBOARD_LISTEN=127.0.0.1:0", "SWITCHBOARD_DATA_DIR="+p.data, "SWITCHBOARD_PLUGIN_DIR="+p.plugins, "SWITCHBOARD_CONFIG="+p.file)
	if p.env != "" {
		cmd.Env = append(cmd.Env, p.env)
	}
	cmd.WaitDelay = time.Second
	out, err := tied.CombinedOutput(cmd)
	if ctx.Err() != nil {
		p.t.Fatalf("it has not ended: %.2000s", out)
	}
	if err == nil {
		p.t.Errorf("it succeeded: %.2000s", out)
	}
	return string(out)
}

// TestFilesThatOthersCouldHaveChanged: whoever may write there could run what they like as
// switchboard's user.
func TestFilesThatOthersCouldHaveChanged(t *testing.T) {
	t.Parallel()
	const canary = "canary-password-0815"
	for _, row := range []struct {
		name  string
		spoil func(p *place)
		want  func(p *place) []string
	}{
		{"a plugin directory for everybody", func(p *place) { p.do(os.Chmod(p.plugins, 0o777)) }, func(p *place) []string { return []string{"writable for others", "0777", "chmod o-w " + p.plugins} }},
		{"a plugin's folder for everybody", func(p *place) { p.do(os.Chmod(p.plugin, 0o777)) }, func(p *place) []string { return []string{"writable", "chmod", p.plugin} }},
		{"a plugin's folder for a group", func(p *place) { p.do(os.Chmod(p.plugin, 0o775)) }, func(p *place) []string { return []string{"writable for group", "chmod go-w " + p.plugin} }},
		{"the folder above", func(p *place) { p.do(os.Chmod(p.base+"/opt", 0o777)) }, func(p *place) []string { return []string{"chmod o-w " + p.base + "/opt"} }},
		{"a manifest for everybody", func(p *place) { p.do(os.Chmod(p.plugin+"/manifest.json", 0o666)) }, func(p *place) []string { return []string{"chmod go-w " + p.plugin + "/manifest.json"} }},
		{"an executable for everybody", func(p *place) { p.do(os.Chmod(p.exe, 0o777)) }, func(p *place) []string { return []string{"chmod go-w " + p.exe} }},
		{"a plugin's folder of another user", func(p *place) { p.stranger(p.plugin) }, func(p *place) []string { return []string{"belongs to user 4711", "chown"} }},
		{"a plugin directory of another user", func(p *place) { p.stranger(p.plugins) }, func(p *place) []string { return []string{"belongs to user 4711", p.plugins} }},
		{"an executable of another user", func(p *place) { p.stranger(p.exe) }, func(p *place) []string { return []string{"belongs to user 4711", p.exe} }},
		{"another executable", func(p *place) {
			f, err := os.OpenFile(p.exe, os.O_APPEND|os.O_WRONLY, 0)
			p.do(err)
			_, err = f.WriteString("x")
			p.do(err)
			p.do(f.Close())
		}, func(*place) []string { return []string{"SHA-256", "install the plugin again"} }},
		{"an executable that is a link", func(p *place) {
			p.do(os.Rename(p.exe, p.base+"/elsewhere"))
			p.do(os.Symlink(p.base+"/elsewhere", p.exe))
		}, func(*place) []string { return []string{"symbolic link"} }},
		{"a plugin directory behind another user's link", func(p *place) {
			p.do(os.Rename(p.plugins, p.base+"/opt/real"))
			p.do(os.Symlink("real", p.plugins))
			p.stranger(p.plugins)
		}, func(p *place) []string { return []string{"belongs to user 4711", p.plugins} }},
		{"an executable outside the folder", func(p *place) {
			data, err := os.ReadFile(p.plugin + "/manifest.json")
			p.do(err)
			changed := strings.ReplaceAll(string(data), `"path": "livecall"`, `"path": "../../../bin/sh"`)
			if changed == string(data) {
				p.t.Fatal("the manifest has no such path")
			}
			p.do(os.WriteFile(p.plugin+"/manifest.json", []byte(changed), 0o600))
		}, func(*place) []string { return []string{"leaves the plugin's folder"} }},
		{"a secret key that others may read", func(p *place) { p.secret("secret-key", secretKey, 0o644) }, func(p *place) []string {
			return []string{"secret-key is open to group or others", "chmod 600 " + p.data + "/secret-key"}
		}},
		{"a secret key that others may write", func(p *place) { p.secret("secret-key", secretKey, 0o622) }, func(*place) []string { return []string{"chmod 600"} }},
		{"a secret key for a group", func(p *place) { p.secret("secret-key", secretKey, 0o640) }, func(*place) []string { return []string{"chmod 600"} }},
		{"an API token that others may read", func(p *place) { p.secret("api-token", canary, 0o644) }, func(p *place) []string { return []string{"api-token is open to group or others", "0644"} }},
		{"an API token of another user", func(p *place) { p.secret("api-token", canary, 0o600); p.stranger(p.data + "/api-token") }, func(*place) []string { return []string{"belongs to user 4711"} }},
		{"a data directory for everybody", func(p *place) { p.do(os.Chmod(p.data, 0o777)) }, func(p *place) []string { return []string{"data directory", "chmod o-w " + p.data} }},
		{"an API token that is too short", func(p *place) { p.env = "SWITCHBOARD_API_TOKEN=canary-pass" }, func(*place) []string { return []string{"api_token is too short"} }},
		{"a secret key that is none", func(p *place) { p.env = "SWITCHBOARD_SECRET_KEY=" + canary }, func(*place) []string { return []string{"secret_key"} }},
		{"a mail server's address that cannot be read", func(p *place) { p.env = "SWITCHBOARD_SMTP_URL=smtp://hotline:" + canary + "%zz@mail.example.com" }, func(*place) []string { return []string{"smtp_url"} }},
		{"a mail server's address without sender", func(p *place) { p.env = "SWITCHBOARD_SMTP_URL=smtp://hotline:" + canary + "@mail.example.com" }, func(*place) []string { return []string{"no sender"} }},
		{"a public address with a password", func(p *place) { p.env = "SWITCHBOARD_PUBLIC_URL=https://hotline:" + canary + "@hotline.example.com" }, func(*place) []string { return []string{"public_url"} }},
		{"a database's address with a password", func(p *place) { p.env = "SWITCHBOARD_DATABASE_URL=postgres://hotline:" + canary + "@db.example.com/x" }, func(*place) []string { return []string{"postgres"} }},
		{"every proxy trusted", func(p *place) { p.env = "SWITCHBOARD_TRUSTED_PROXIES=0.0.0.0/0" }, func(*place) []string { return []string{"name the proxies alone"} }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			row.spoil(p)
			out := p.run("serve")
			for _, want := range row.want(p) {
				if !strings.Contains(out, want) {
					t.Errorf("it does not say %q: %.1000s", want, out)
				}
			}
			if strings.Contains(out, canary) || strings.Contains(out, secretKey) || strings.Contains(out, "canary-pass") {
				t.Errorf("it prints a secret: %.1000s", out)
			}
		})
	}
}

// secret keeps a secret in the data directory.
func (p *place) secret(name, value string, mode os.FileMode) {
	p.t.Helper()
	path := filepath.Join(p.data, name)
	p.do(os.WriteFile(path, []byte(value+"\n"), 0o600))
	p.do(os.Chmod(path, mode))
}

// TestFilesThatNeverEnd: the switchboard file is written by people and by other programs.
func TestFilesThatNeverEnd(t *testing.T) {
	t.Parallel()
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	for _, row := range []struct{ name, file string }{
		{"a billion laughs", laughs.String() + "users: []\nteams: []\n"},
		{"an alias of itself", "users: &a [*a]\nteams: *a\n"},
		{"merges of merges", "x: &x {<<: *x}\n"},
		{"100,000 brackets", "users: " + strings.Repeat("[", 100_000)},
		{"100,000 braces", "users: " + strings.Repeat("{a: ", 100_000)},
		{"indented 3,000 deep", nested(3000)},
		{"40,000 unknown keys", unknownKeys(40_000)},
		{"a start in the year 206", "users: [{id: a, name: A, phones: [\"+12025550143\"]}]\nteams: [{id: t, name: T, schedule: {timezone: UTC, layers: [{rotation: {start: \"0206-01-05T09:00\", every: 1s, users: [a]}}]}}]\n"},
		{"NUL bytes", "users: \x00\x00\x00"},
		{"not UTF-8", "users: \xff\xfe\xfd"},
		{"a document of another kind", "!!python/object/apply:os.system [\"touch /tmp/owned\"]\n"},
		{"a number that is too long", "users: " + strings.Repeat("9", 100_000) + "\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.do(os.WriteFile(p.file, []byte(row.file), 0o600))
			out := p.run("config", "check", "--config", p.file)
			if len(out) > 100_000 || strings.Contains(out, "panic") || strings.Contains(out, "goroutine") {
				t.Errorf("%d bytes: %.1000s", len(out), out)
			}
		})
	}
}

func nested(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func unknownKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "unknown%d: 1\n", i)
	}
	return b.String()
}
