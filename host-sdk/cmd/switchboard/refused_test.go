package main

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

func TestStartsThatFail(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own port
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	spoiled, other := t.TempDir(), t.TempDir()
	if err := makePlugin(spoiled, hosttest.PluginID, "1.2.3", 1); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(spoiled, hosttest.PluginID, "testline"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("x")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := makePlugin(other, hosttest.PluginID, "1.2.3", 2); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	if err := os.Mkdir(filepath.Join(broken, "testline"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "testline", "manifest.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}

	for name, c := range map[string]struct {
		file    string // "" = hosttest.File
		env     []string
		prepare func(t *testing.T, dir string)
		says    []string
	}{
		"no file":           {env: []string{"SWITCHBOARD_CONFIG=nowhere.yaml"}, says: []string{"nowhere.yaml", "no such file"}},
		"broken file":       {file: "users:\n  - {id: alice\n", says: []string{"switchboard.yaml:"}},
		"file with a fault": {file: strings.Replace(hosttest.File, "America/New_York", "America/Nowhere", 1), says: []string{"switchboard.yaml:9:", "America/Nowhere", "1 problem"}},
		"router fault": {file: hosttest.File + "routers:\n  - {id: r, default_receiver: devops, rules: [{match: {$nor: 1}, actions: [{type: assign, receiver: devops}]}]}\n",
			says: []string{"switchboard.yaml:15:", "1 problem"}},
		"unknown setting": {file: hosttest.File + "settings: {lisen: \":1\"}\n", says: []string{"lisen is not a setting"}},
		"bad setting":     {env: []string{"SWITCHBOARD_LISTEN=nowhere"}, says: []string{`listen "nowhere" is not an address`}},
		"data dir a file": {prepare: func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, says: []string{"data directory", "cannot be created"}},
		"data dir below it": {env: []string{"SWITCHBOARD_DATA_DIR=switchboard.yaml/data"}, says: []string{"data directory switchboard.yaml/data", "not a directory"}},
		"port taken":        {env: []string{"SWITCHBOARD_LISTEN=" + taken.Addr().String()}, says: []string{"listen on " + taken.Addr().String(), "address already in use", "SWITCHBOARD_LISTEN"}},
		"foreign address":   {env: []string{"SWITCHBOARD_LISTEN=192.0.2.1:80"}, says: []string{"listen on 192.0.2.1:80"}},
		"no plugin folder":  {env: []string{"SWITCHBOARD_PLUGIN_DIR=nowhere"}, says: []string{"plugin directory", "nowhere"}},
		"no plugin":         {env: []string{"SWITCHBOARD_PLUGIN_DIR=."}, says: []string{"no plugin is installed"}},
		"broken manifest":   {env: []string{"SWITCHBOARD_PLUGIN_DIR=" + broken}, says: []string{"manifest"}},
		"wrong hash":        {env: []string{"SWITCHBOARD_PLUGIN_DIR=" + spoiled}, says: []string{"plugin testline"}},
		"other protocol":    {env: []string{"SWITCHBOARD_PLUGIN_DIR=" + other}, says: []string{"plugin testline", "protocol"}},
		"speaks another":    {env: []string{pluginVariable + "=protocol-2"}, says: []string{"plugin testline", "speaks protocol version 2, this host speaks 1"}},
		"plugin exits":      {env: []string{pluginVariable + "=exits"}, says: []string{"plugin testline", "no licence file found"}},
		"malformed key":     {env: []string{"SWITCHBOARD_SECRET_KEY=canary-key"}, says: []string{"secret_key"}},
		"empty kept key": {prepare: func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "data", "secret-key"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, says: []string{"secret-key is empty"}},
		"postgres, no key": {env: []string{"SWITCHBOARD_DATABASE_URL=postgres://u:canary-db@127.0.0.1:1/x"}, says: []string{"SWITCHBOARD_SECRET_KEY and SWITCHBOARD_API_TOKEN"}},
		"no database": {env: []string{"SWITCHBOARD_DATABASE_URL=postgres://u:canary-db@127.0.0.1/x?sslmode=perhaps", "SWITCHBOARD_SECRET_KEY=" + seal.NewKey(), "SWITCHBOARD_API_TOKEN=canary-token-0815"},
			says: []string{"database URL: cannot be read"}},
		"not a database": {prepare: func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "data", "switchboard.db"), bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}, says: []string{"database", "switchboard.db"}},
		"a damaged database": {env: []string{"SWITCHBOARD_SECRET_KEY=" + seal.NewKey()}, prepare: func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "data", "switchboard.db"), bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}, says: []string{"switchboard.db", "damaged", "backup"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := c.file
			if file == "" {
				file = hosttest.File
			}
			dir := newDir(t, file)
			if c.prepare != nil {
				c.prepare(t, dir)
			}
			p := start(t, dir, c.env...)
			if got := p.wait(); got != 1 {
				t.Fatalf("%s: got %v, want %v", p.log, got, 1)
			}
			requireOneLine(t, p.log.String())
			for _, s := range c.says {
				if got := p.log.String(); !strings.Contains(got, s) {
					t.Fatalf("p.log.String() does not contain %q:\n%s", s, got)
				}
			}
			if got := p.log.String(); strings.Contains(got, "canary") {
				t.Fatalf("p.log.String() contains %q:\n%s", "canary", got)
			}
			if got := p.log.String(); strings.Contains(got, "switchboard is ready") {
				t.Fatalf("p.log.String() contains %q:\n%s", "switchboard is ready", got)
			}
			if m := pidAttr.FindStringSubmatch(p.log.String()); m != nil {
				requireGone(t, pluginPID(t, p.log.String()))
			}
		})
	}
}

// requireOneLine: beside log lines and places in the file there is one line that says why.
func requireOneLine(t *testing.T, log string) {
	t.Helper()
	var why []string
	lines := bufio.NewScanner(strings.NewReader(log))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "switchboard: ") {
			why = append(why, lines.Text())
		}
	}
	if len(why) != 1 {
		t.Fatalf("%v: got %d, want %d: %v", log, len(why), 1, why)
	}
	if !strings.HasSuffix(strings.TrimSpace(log), why[0]) {
		t.Fatalf("the reason is the last line:\n%s", log)
	}
	if strings.Contains(log, "goroutine ") {
		t.Fatalf("log contains %q:\n%s", "goroutine ", log)
	}
}

func TestWrongKeyIsNoticed(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	p := start(t, dir).ready()
	p.create(p.token())
	if got := p.stop(); got != 0 {
		t.Fatalf("p.stop() = %v, want 0", got)
	}
	key := seal.NewKey()
	p = start(t, dir, "SWITCHBOARD_SECRET_KEY="+key)
	if got := p.wait(); got != 1 {
		t.Fatalf("p.wait() = %v, want %v", got, 1)
	}
	requireOneLine(t, p.log.String())
	if got := p.log.String(); !strings.Contains(got, "SWITCHBOARD_SECRET_KEY") {
		t.Fatalf("p.log.String() does not contain %q:\n%s", "SWITCHBOARD_SECRET_KEY", got)
	}
	if got := p.log.String(); strings.Contains(got, key) {
		t.Fatalf("p.log.String() contains %q:\n%s", key, got)
	}
	if got := start(t, dir).ready().stop(); got != 0 {
		t.Fatalf("with the kept key all is well again = %v, want 0", got)
	}
}

func TestTwoProcessesDoNotShareADirectory(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	first := start(t, dir).ready()
	second := start(t, dir)
	if got := second.wait(); got != 1 {
		t.Fatalf("second.wait() = %v, want %v", got, 1)
	}
	requireOneLine(t, second.log.String())
	if got := second.log.String(); !strings.Contains(got, "another switchboard (process "+strconv.Itoa(first.cmd.Process.Pid)+") is using it") {
		t.Fatalf("second.log.String() does not contain %q:\n%s", "another switchboard (process "+strconv.Itoa(first.cmd.Process.Pid)+") is using it", got)
	}
	first.readyz(200) // it is not disturbed
	// The lock goes with the process, however that ends.
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.wait()
	if got := start(t, dir).ready().stop(); got != 0 {
		t.Fatalf("start(t, dir).ready().stop() = %v, want 0", got)
	}
}
