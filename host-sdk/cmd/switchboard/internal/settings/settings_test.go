package settings

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

// parse reads flags as the command line does.
func parse(t *testing.T, args ...string) Flags {
	t.Helper()
	var c struct {
		Serve Flags `cmd:""`
	}
	p, err := kong.New(&c, kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) { t.Fatal("exit") }))
	require.NoError(t, err)
	_, err = p.Parse(append([]string{"serve"}, args...))
	require.NoError(t, err)
	return c.Serve
}

func clearEnvironment(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "SWITCHBOARD_") {
			t.Setenv(name, "") // an empty variable counts as none
		}
	}
}

// A flag wins over the environment, that over the file, that over the default: for every setting.
func TestPrecedence(t *testing.T) {
	clearEnvironment(t)
	keys := []string{seal.NewKey(), seal.NewKey(), seal.NewKey()}
	for _, c := range []struct {
		name             string
		flag, env, file  string
		get              func(Settings) string
		fallback, inFile string // inFile: as resolved, when it differs from file
	}{
		{name: "listen", flag: ":1", env: ":2", file: ":3", get: func(s Settings) string { return s.Listen }, fallback: "127.0.0.1:8080"},
		{name: "public_url", flag: "https://a.example.com", env: "https://b.example.com/", file: "https://c.example.com/x", get: func(s Settings) string { return s.PublicURL }, fallback: ""},
		{name: "data_dir", flag: "/a", env: "/b", file: "c", inFile: "/etc/hotline/c", get: func(s Settings) string { return s.DataDir }, fallback: "switchboard-data"},
		{name: "plugin_dir", flag: "/a", env: "/b", file: "/c", get: func(s Settings) string { return s.PluginDir }, fallback: "/opt/bin/plugins"},
		{name: "secret_key", flag: keys[0], env: keys[1], file: keys[2], get: func(s Settings) string { return s.SecretKey.Reveal() }, fallback: ""},
		{name: "api_token", flag: "a-token-of-the-flag", env: "a-token-of-the-environment", file: "a-token-of-the-file", get: func(s Settings) string { return s.APIToken.Reveal() }, fallback: ""},
		{name: "smtp_url", flag: "smtp://a.example.com?from=a@example.com", env: "smtps://b%40example.com:x@b.example.com", file: "smtp://c.example.com?from=c@example.com", get: func(s Settings) string { return s.SMTPURL.Reveal() }, fallback: ""},
		{name: "log_format", flag: "json", env: "text", file: "json", get: func(s Settings) string { return s.LogFormat }, fallback: "text"},
		{name: "log_level", flag: "debug", env: "warn", file: "error", get: func(s Settings) string { return strings.ToLower(s.LogLevel.String()) }, fallback: "info"},
		{name: "test_clock", flag: "2@0", env: "3@0", file: "4@0", get: func(s Settings) string { return fmt.Sprint(int(time.Hour / s.Clock.Real(time.Hour))) }, fallback: "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := func(v string) string {
				if c.name == "test_clock" {
					v, _, _ = strings.Cut(v, "@")
				}
				return strings.TrimRight(v, "/")
			}
			inFile := c.inFile
			if inFile == "" {
				inFile = want(c.file)
			}
			resolve := func(file map[string]string, args ...string) string {
				t.Helper()
				flags := parse(t, append(args, "--config", "/etc/hotline/switchboard.yaml")...)
				s, err := Resolve(flags, file, "/opt/bin")
				require.NoError(t, err)
				return c.get(s)
			}
			file := map[string]string{c.name: c.file}
			require.Equal(t, c.fallback, resolve(nil), "default")
			require.Equal(t, inFile, resolve(file), "file")
			t.Setenv("SWITCHBOARD_"+strings.ToUpper(c.name), c.env)
			require.Equal(t, want(c.env), resolve(file), "environment over file")
			require.Equal(t, want(c.flag), resolve(file, "--"+strings.ReplaceAll(c.name, "_", "-")+"="+c.flag), "flag over environment")
			t.Setenv("SWITCHBOARD_"+strings.ToUpper(c.name), "")
			require.Equal(t, inFile, resolve(file), "an empty variable is none")
		})
	}
}

func TestDatabaseURLPrecedence(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("SWITCHBOARD_SECRET_KEY", seal.NewKey())
	t.Setenv("SWITCHBOARD_API_TOKEN", "a-token-of-the-environment")
	file := map[string]string{"database_url": "postgres://file.example.com/x"}
	s, err := Resolve(parse(t), file, "/opt")
	require.NoError(t, err)
	require.Equal(t, "postgres://file.example.com/x", s.DatabaseURL.Reveal())
	t.Setenv("SWITCHBOARD_DATABASE_URL", "postgres://env.example.com/x")
	s, err = Resolve(parse(t), file, "/opt")
	require.NoError(t, err)
	require.Equal(t, "postgres://env.example.com/x", s.DatabaseURL.Reveal())
	require.True(t, s.Postgres())
}

func TestConfigFlag(t *testing.T) {
	clearEnvironment(t)
	require.Equal(t, "switchboard.yaml", parse(t).Path())
	t.Setenv("SWITCHBOARD_CONFIG", "/etc/env.yaml")
	require.Equal(t, "/etc/env.yaml", parse(t).Path())
	require.Equal(t, "/etc/flag.yaml", parse(t, "-c", "/etc/flag.yaml").Path())
}

// Every setting of the file is a setting of the environment and of the command line.
func TestNamesAgree(t *testing.T) {
	t.Parallel()
	var flags struct{ Flags }
	p, err := kong.New(&flags)
	require.NoError(t, err)
	var fromFlags []string
	for _, f := range p.Model.Flags {
		if f.Name == "help" || f.Name == "config" {
			continue
		}
		name := strings.ReplaceAll(f.Name, "-", "_")
		require.Equal(t, []string{"SWITCHBOARD_" + strings.ToUpper(name)}, f.Envs)
		fromFlags = append(fromFlags, name)
	}
	require.ElementsMatch(t, names, fromFlags)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const canary = "canary-secret-4711"
	for name, c := range map[string]struct {
		flags Flags
		file  map[string]string
		says  []string
	}{
		"unknown":          {file: map[string]string{"lisen": ":1"}, says: []string{"lisen is not a setting", "listen"}},
		"listen":           {flags: Flags{Listen: "8080"}, says: []string{`listen "8080" is not an address`, "127.0.0.1:8080"}},
		"port":             {flags: Flags{Listen: ":99999"}, says: []string{"listen"}},
		"public url":       {flags: Flags{PublicURL: "hotline.example.com"}, says: []string{"public_url", "https://hotline.example.com"}},
		"public url query": {flags: Flags{PublicURL: "https://u:" + canary + "@hotline.example.com"}, says: []string{"public_url has a user"}},
		"log format":       {flags: Flags{LogFormat: "xml"}, says: []string{"log_format", "text or json"}},
		"log level":        {flags: Flags{LogLevel: "loud"}, says: []string{"log_level", "debug"}},
		"clock":            {flags: Flags{TestClock: "fast"}, says: []string{"test_clock"}},
		"short token":      {flags: Flags{APIToken: "canary"}, says: []string{"api_token is too short"}},
		"key":              {flags: Flags{SecretKey: canary}, says: []string{"secret_key", "openssl rand"}},
		"smtp":             {flags: Flags{SMTPURL: "mail.example.com:" + canary}, says: []string{"smtp_url", "smtps://"}},
		"smtp sender":      {flags: Flags{SMTPURL: "smtp://hotline:" + canary + "@mail.example.com"}, says: []string{"smtp_url", "from=address"}},
		"database":         {flags: Flags{DatabaseURL: "mysql://u:" + canary + "@db"}, says: []string{"database_url", "postgres://"}},
		"postgres alone":   {flags: Flags{DatabaseURL: "postgres://u:" + canary + "@db/x"}, says: []string{"SWITCHBOARD_SECRET_KEY and SWITCHBOARD_API_TOKEN"}},
		"several":          {flags: Flags{Listen: "x", LogFormat: "xml"}, says: []string{"listen", "log_format"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Resolve(c.flags, c.file, "/opt")
			require.Error(t, err)
			for _, s := range c.says {
				require.Contains(t, err.Error(), s)
			}
			require.NotContains(t, err.Error(), "canary", "no secret in an error")
			var p *Problem
			require.True(t, errors.As(err, &p))
			require.Contains(t, names, strings.Replace(p.Name, "lisen", "listen", 1))
		})
	}
}

func TestPublicURLFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ setting, bound, want string }{
		{"", "127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"", "0.0.0.0:8080", "http://localhost:8080"},
		{"", "[::]:8080", "http://localhost:8080"},
		{"", "[::1]:8080", "http://[::1]:8080"},
		{"https://hotline.example.com", "127.0.0.1:8080", "https://hotline.example.com"},
	} {
		addr, err := net.ResolveTCPAddr("tcp", c.bound)
		require.NoError(t, err)
		require.Equal(t, c.want, Settings{PublicURL: c.setting}.PublicURLFor(addr))
	}
}

func TestSecretsAreMadeAndKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := Settings{DataDir: dir}
	require.NoError(t, first.KeepSecrets())
	_, err := seal.ParseKey(first.SecretKey.Reveal())
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(first.APIToken), minTokenLength)
	for _, name := range []string{SecretKeyFile, APITokenFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	second := Settings{DataDir: dir}
	require.NoError(t, second.KeepSecrets())
	require.Equal(t, first, second, "kept")
	given := Settings{DataDir: dir, SecretKey: "given", APIToken: "given"}
	require.NoError(t, given.KeepSecrets())
	require.Equal(t, "given", given.APIToken.Reveal(), "what is given counts")

	require.NoError(t, os.WriteFile(filepath.Join(dir, SecretKeyFile), nil, 0o600))
	empty := Settings{DataDir: dir}
	require.ErrorContains(t, empty.KeepSecrets(), "secret-key is empty")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "nothing else is left in the directory")
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	s := Settings{APIToken: "canary-1", SecretKey: "canary-2", DatabaseURL: "canary-3", SMTPURL: "canary-4"}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("settings", "all", s, "one", s.APIToken)
	slog.New(slog.NewTextHandler(&log, nil)).Info("settings", "all", s, "one", s.APIToken)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), fmt.Sprintf("%s %q %v", s.APIToken, s.APIToken, &s.APIToken), log.String()} {
		require.NotContains(t, text, "canary")
	}
	require.Contains(t, log.String(), "(set)")
}
