package settings

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

// parse reads flags as the command line does.
func parse(t *testing.T, args ...string) Flags {
	t.Helper()
	var c struct {
		Serve Flags `cmd:""`
	}
	p, err := kong.New(&c, kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) { t.Fatal("exit") }))
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Parse(append([]string{"serve"}, args...))
	if err != nil {
		t.Fatal(err)
	}
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
		{name: "next_secret_key", flag: keys[0], env: keys[1], file: keys[2], get: func(s Settings) string { return s.NextSecretKey.Reveal() }, fallback: ""},
		{name: "api_token", flag: "a-token-of-the-flag", env: "a-token-of-the-environment", file: "a-token-of-the-file", get: func(s Settings) string { return s.APIToken.Reveal() }, fallback: ""},
		{name: "smtp_url", flag: "smtp://a.example.com?from=a@example.com", env: "smtps://b%40example.com:x@b.example.com", file: "smtp://c.example.com?from=c@example.com", get: func(s Settings) string { return s.SMTPURL.Reveal() }, fallback: ""},
		{name: "profiling", flag: "off", env: "on", file: "on", get: func(s Settings) string { return map[bool]string{true: "on", false: "off"}[s.Profiling] }, fallback: "off"},
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
				if err != nil {
					t.Fatal(err)
				}
				return c.get(s)
			}
			file := map[string]string{c.name: c.file}
			if diff := cmp.Diff(c.fallback, resolve(nil)); diff != "" {
				t.Fatalf("default (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(inFile, resolve(file)); diff != "" {
				t.Fatalf("file (-want +got):\n%s", diff)
			}
			t.Setenv("SWITCHBOARD_"+strings.ToUpper(c.name), c.env)
			if diff := cmp.Diff(want(c.env), resolve(file)); diff != "" {
				t.Fatalf("environment over file (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want(c.flag), resolve(file, "--"+strings.ReplaceAll(c.name, "_", "-")+"="+c.flag)); diff != "" {
				t.Fatalf("flag over environment (-want +got):\n%s", diff)
			}
			t.Setenv("SWITCHBOARD_"+strings.ToUpper(c.name), "")
			if diff := cmp.Diff(inFile, resolve(file)); diff != "" {
				t.Fatalf("an empty variable is none (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDatabaseURLPrecedence(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("SWITCHBOARD_SECRET_KEY", seal.NewKey())
	t.Setenv("SWITCHBOARD_API_TOKEN", "a-token-of-the-environment")
	file := map[string]string{"database_url": "postgres://file.example.com/x"}
	s, err := Resolve(parse(t), file, "/opt")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.DatabaseURL.Reveal(); got != "postgres://file.example.com/x" {
		t.Fatalf("s.DatabaseURL.Reveal() = %q, want %q", got, "postgres://file.example.com/x")
	}
	t.Setenv("SWITCHBOARD_DATABASE_URL", "postgres://env.example.com/x")
	s, err = Resolve(parse(t), file, "/opt")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.DatabaseURL.Reveal(); got != "postgres://env.example.com/x" {
		t.Fatalf("s.DatabaseURL.Reveal() = %q, want %q", got, "postgres://env.example.com/x")
	}
	if !s.Postgres() {
		t.Fatal("s.Postgres() is false")
	}
}

func TestConfigFlag(t *testing.T) {
	clearEnvironment(t)
	if got := parse(t).Path(); got != "switchboard.yaml" {
		t.Fatalf("parse(t).Path() = %q, want %q", got, "switchboard.yaml")
	}
	t.Setenv("SWITCHBOARD_CONFIG", "/etc/env.yaml")
	if got := parse(t).Path(); got != "/etc/env.yaml" {
		t.Fatalf("parse(t).Path() = %q, want %q", got, "/etc/env.yaml")
	}
	if got := parse(t, "-c", "/etc/flag.yaml").Path(); got != "/etc/flag.yaml" {
		t.Fatalf(`parse(t, "-c", "/etc/flag.yaml").Path() = %q, want %q`, got, "/etc/flag.yaml")
	}
}

// Every setting of the file is a setting of the environment and of the command line.
func TestNamesAgree(t *testing.T) {
	t.Parallel()
	var flags struct{ Flags }
	p, err := kong.New(&flags)
	if err != nil {
		t.Fatal(err)
	}
	var fromFlags []string
	for _, f := range p.Model.Flags {
		if f.Name == "help" || f.Name == "config" {
			continue
		}
		name := strings.ReplaceAll(f.Name, "-", "_")
		if diff := cmp.Diff([]string{"SWITCHBOARD_" + strings.ToUpper(name)}, f.Envs); diff != "" {
			t.Fatalf("f.Envs (-want +got):\n%s", diff)
		}
		fromFlags = append(fromFlags, name)
	}
	slices.Sort(fromFlags)
	if diff := cmp.Diff(slices.Sorted(slices.Values(append(slices.Clone(names), testClock, testExit))), fromFlags); diff != "" {
		t.Fatalf("settings of the file and flags differ (-file +flags):\n%s", diff)
	}
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
		"profiling":        {flags: Flags{Profiling: "perhaps"}, says: []string{"profiling", "on or off"}},
		"log level":        {flags: Flags{LogLevel: "loud"}, says: []string{"log_level", "debug"}},
		"clock":            {flags: Flags{TestClock: "fast"}, says: []string{"test_clock"}},
		"exit":             {flags: Flags{TestExit: "soon"}, says: []string{"test_exit", "before:N@FILE"}},
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
			if err == nil {
				t.Fatal("no error")
			}
			for _, s := range c.says {
				if got := err.Error(); !strings.Contains(got, s) {
					t.Fatalf("err.Error() does not contain %q:\n%s", s, got)
				}
			}
			if got := err.Error(); strings.Contains(got, "canary") {
				t.Fatalf("no secret in an error: contains %q:\n%s", "canary", got)
			}
			var p *Problem
			if !errors.As(err, &p) {
				t.Fatal("the error is not a *Problem")
			}
			if p.Name != testClock && p.Name != testExit && !slices.Contains(names, strings.Replace(p.Name, "lisen", "listen", 1)) {
				t.Fatalf("the problem names %q, which is not a setting", p.Name)
			}
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
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, Settings{PublicURL: c.setting}.PublicURLFor(addr)); diff != "" {
			t.Fatalf("Settings{PublicURL: c.setting}.PublicURLFor(addr) (-want +got):\n%s", diff)
		}
	}
}

func TestSecretsAreMadeAndKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := Settings{DataDir: dir}
	if err := first.KeepSecrets(); err != nil {
		t.Fatal(err)
	}
	_, err := seal.ParseKey(first.SecretKey.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if got := len(first.APIToken); got < minTokenLength {
		t.Fatalf("len(first.APIToken) = %v, want at least %v", got, minTokenLength)
	}
	for _, name := range []string{SecretKeyFile, APITokenFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(os.FileMode(0o600), info.Mode().Perm()); diff != "" {
			t.Fatalf("info.Mode().Perm() (-want +got):\n%s", diff)
		}
	}
	second := Settings{DataDir: dir}
	if err := second.KeepSecrets(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Fatalf("kept (-want +got):\n%s", diff)
	}
	given := Settings{DataDir: dir, SecretKey: "given", APIToken: "given"}
	if err := given.KeepSecrets(); err != nil {
		t.Fatal(err)
	}
	if got := given.APIToken.Reveal(); got != "given" {
		t.Fatalf("what is given counts: got %q, want %q", got, "given")
	}

	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Fatalf("nothing else is left in the directory: got %d, want %d: %v", len(entries), 2, entries)
	}
}

// A lost or emptied key is not replaced while there is a database that only it can open, and nobody
// is advised to delete anything.
func TestNoNewSecretKeyBesideADatabase(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(path string) error{
		"removed": os.Remove,
		"emptied": func(path string) error { return os.WriteFile(path, []byte("\n"), 0o600) },
		"cut":     func(path string) error { return os.Truncate(path, 20) },
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, SecretKeyFile)
		first := Settings{DataDir: dir}
		if err := first.KeepSecrets(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, DatabaseFile), []byte("SQLite format 3"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := lose(path); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path)
		again := Settings{DataDir: dir}
		err := again.KeepSecrets()
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "backup") || strings.Contains(err.Error(), "delete") || strings.Contains(err.Error(), "openssl") {
			t.Errorf("%s: error %v", name, err)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) || again.SecretKey != "" {
			t.Errorf("%s: another key was made", name)
		}
		given := Settings{DataDir: dir, SecretKey: first.SecretKey}
		if err := given.KeepSecrets(); err != nil {
			t.Errorf("%s, but given: %v", name, err)
		}
		if err := os.Remove(filepath.Join(dir, DatabaseFile)); err != nil {
			t.Fatal(err)
		}
		err = again.KeepSecrets()
		if made := again.SecretKey != ""; made != (name == "removed") || made != (err == nil) {
			t.Errorf("%s, without a database: a key is made: %v (%v)", name, made, err)
		}
		if name == "emptied" && (!strings.Contains(err.Error(), path+" is empty") || strings.Contains(err.Error(), "delete")) {
			t.Errorf("%s, without a database: %v", name, err)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	s := Settings{APIToken: "canary-1", SecretKey: "canary-2", DatabaseURL: "canary-3", SMTPURL: "canary-4"}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("settings", "all", s, "one", s.APIToken)
	slog.New(slog.NewTextHandler(&log, nil)).Info("settings", "all", s, "one", s.APIToken)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), fmt.Sprintf("%s %q %v", s.APIToken, s.APIToken, &s.APIToken), log.String()} {
		if strings.Contains(text, "canary") {
			t.Fatalf("text contains %q:\n%s", "canary", text)
		}
	}
	if got := log.String(); !strings.Contains(got, "(set)") {
		t.Fatalf("log.String() does not contain %q:\n%s", "(set)", got)
	}
}

func TestLimitsAndTrustedProxies(t *testing.T) {
	t.Parallel()
	s, err := Resolve(Flags{Proxies: "127.0.0.1, ::1,10.1.2.3/8 ::ffff:192.0.2.7/120"}, map[string]string{"max_connections": "50"}, "/opt")
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24")}
	if !slices.Equal(s.Proxies, want) || s.WrongTokens != 10 || s.LiveCalls != 0 || s.Connections != 50 {
		t.Errorf("proxies %v, %d wrong tokens, %d connections", s.Proxies, s.WrongTokens, s.Connections)
	}
	if s, err := Resolve(Flags{}, nil, "/opt"); err != nil || s.Proxies != nil || s.Connections != DefaultConnections || s.KeepCalls != 400 {
		t.Errorf("defaults: proxies %v, %d connections, %v", s.Proxies, s.Connections, err)
	}
	for _, tc := range []struct{ name, value, want string }{
		{"trusted_proxies", "proxy.example.com", "neither an address nor a network"},
		{"trusted_proxies", "10.0.0.1/33", "neither an address nor a network"},
		{"trusted_proxies", "0.0.0.0/0", "name the proxies alone"},
		{"trusted_proxies", "::/0", "name the proxies alone"},
		{"trusted_proxies", "::ffff:0:0/96", "name the proxies alone"},
		{"live_calls_per_integration", "-1", "not a number between 0 and"},
		{"wrong_tokens_per_minute", "0", "not a number between 1 and"},
		{"wrong_tokens_per_minute", "many", "not a number between 1 and"},
		{"max_connections", "3", "not a number between 10 and"},
		{"rollback_minutes", "0", "not a number between 1 and 10080"},
		{"keep_calls_days", "40000", "not a number between 0 and 36500"},
	} {
		_, err := Resolve(Flags{}, map[string]string{tc.name: tc.value}, "/opt")
		if err == nil || !strings.Contains(err.Error(), tc.name) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s=%s: %v, want %q", tc.name, tc.value, err, tc.want)
		}
	}
}

func TestSecretsThatOthersCouldHaveChangedAreRefused(t *testing.T) {
	t.Parallel()
	for _, file := range []string{SecretKeyFile, APITokenFile} {
		for _, mode := range []os.FileMode{0o644, 0o640, 0o620, 0o602, 0o666} {
			dir := t.TempDir()
			first := Settings{DataDir: dir}
			if err := first.KeepSecrets(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, file)
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			second := Settings{DataDir: dir}
			err := second.KeepSecrets()
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%s is open to group or others (mode %04o)", path, mode)) || !strings.Contains(err.Error(), "chmod 600 "+path) {
				t.Errorf("%s with mode %04o: %v", file, mode, err)
			}
		}
	}
}
