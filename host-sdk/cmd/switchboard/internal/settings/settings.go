package settings

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
)

// Defaults.
const (
	DefaultConfig    = "switchboard.yaml"
	DefaultListen    = "127.0.0.1:8080"
	DefaultDataDir   = "switchboard-data" // below the working directory
	DefaultPluginDir = "plugins"          // beside the binary
	// DefaultKeepCalls is how many days the record of a call is kept: a year, and a month to look
	// back at it.
	DefaultKeepCalls = 400
	// DefaultKeepRecordings is how many days a recording is kept: three months to come back to what
	// was said.
	DefaultKeepRecordings = 90
	// DefaultKeepAudit is how many days the audit keeps who did what, as long as calls.
	DefaultKeepAudit = 400
	// DefaultConnections is how many connections are open at a time unless a setting says
	// otherwise: 10,000 callers on hold ask 667 times a second, so 6,000 wait when each answer
	// takes 9 s, and pages have 1,000 streams. One that says nothing takes 14 KiB.
	DefaultConnections = 8000
)

// Config is the flag that names the switchboard file, for commands that read nothing else.
type Config struct {
	Config string `name:"config" short:"c" env:"SWITCHBOARD_CONFIG" placeholder:"FILE" help:"Switchboard file: users, teams, schedules, routers, settings (default: switchboard.yaml)."`
}

// Path is the switchboard file in force.
func (c Config) Path() string {
	if c.Config == "" {
		return DefaultConfig
	}
	return c.Config
}

// Problem is a setting that cannot be used. Its text names the setting. With it the place in the
// file can be said; see the commands.
type Problem struct {
	Name string // as in the file, such as public_url
	Err  error
}

// Error implements error.
func (p *Problem) Error() string { return p.Err.Error() }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// Plugins is the flag that names the plugin folder.
type Plugins struct {
	PluginDir string `name:"plugin-dir" env:"SWITCHBOARD_PLUGIN_DIR" placeholder:"DIR" help:"Folder that contains <id>/manifest.json (default: plugins beside the binary)."`
}

// Flags are the settings as given on the command line or, where not, by the environment; "" means
// neither. All are texts, as a number or a switch could not say that it was not given.
type Flags struct {
	Config
	Plugins
	Listen            string `name:"listen" env:"SWITCHBOARD_LISTEN" placeholder:"ADDRESS" help:"Address to listen on (default: 127.0.0.1:8080)."`
	PublicURL         string `name:"public-url" env:"SWITCHBOARD_PUBLIC_URL" placeholder:"URL" help:"URL at which the outside world reaches this host (default: http:// and the listen address)."`
	DataDir           string `name:"data-dir" env:"SWITCHBOARD_DATA_DIR" placeholder:"DIR" help:"Folder for the database, generated secrets and the lock (default: switchboard-data in the working directory)."`
	DatabaseURL       Secret `name:"database-url" env:"SWITCHBOARD_DATABASE_URL" placeholder:"URL" help:"postgres:// URL of the database (default: SQLite in the data directory). If it contains a password, pass it by environment or file."`
	DatabaseDirectURL Secret `name:"database-direct-url" env:"SWITCHBOARD_DATABASE_DIRECT_URL" placeholder:"URL" help:"postgres:// URL of the server itself, where database-url is that of a pooler in transaction mode, which cannot pass on notices."`
	SecretKey         Secret `name:"secret-key" env:"SWITCHBOARD_SECRET_KEY" placeholder:"KEY" help:"Key that encrypts options at rest (default: generated and stored in the data directory). Pass it by environment or file: other users can read command lines."`
	NextSecretKey     Secret `name:"next-secret-key" env:"SWITCHBOARD_NEXT_SECRET_KEY" placeholder:"KEY" help:"Second key that this host can read with, while the secret key is changed with switchboard rekey. Pass it by environment or file."`
	APIToken          Secret `name:"api-token" env:"SWITCHBOARD_API_TOKEN" placeholder:"TOKEN" help:"Bearer token of the JSON API (default: generated and stored in the data directory). Pass it by environment or file."`
	SMTPURL           Secret `name:"smtp-url" env:"SWITCHBOARD_SMTP_URL" placeholder:"URL" help:"Mail server, as smtps://user:password@host?from=address or smtp://… (default: no mail is sent). Pass it by environment or file."`
	SharedToken       string `name:"shared-token" env:"SWITCHBOARD_SHARED_TOKEN" placeholder:"on|off" help:"Whether the API token above is accepted, at the login and by the API (default: on)."`
	OpenIDIssuer      string `name:"openid-issuer" env:"SWITCHBOARD_OPENID_ISSUER" placeholder:"URL" help:"OpenID provider with which people log in, as it names itself (default: none)."`
	OpenIDClientID    string `name:"openid-client-id" env:"SWITCHBOARD_OPENID_CLIENT_ID" placeholder:"ID" help:"How the OpenID provider knows this switchboard."`
	OpenIDSecret      Secret `name:"openid-client-secret" env:"SWITCHBOARD_OPENID_CLIENT_SECRET" placeholder:"SECRET" help:"Secret of the client ID. Pass it by environment or file."`
	OpenIDDomains     string `name:"openid-domains" env:"SWITCHBOARD_OPENID_DOMAINS" placeholder:"DOMAINS" help:"Domains of the e-mail addresses that may log in with the OpenID provider, separated by commas (default: any)."`
	OpenIDRoleClaim   string `name:"openid-role-claim" env:"SWITCHBOARD_OPENID_ROLE_CLAIM" placeholder:"NAME" help:"Claim whose value admin, responder or viewer admits people without an account (default: only accounts are admitted)."`
	KeepAudit         string `name:"keep-audit-days" env:"SWITCHBOARD_KEEP_AUDIT_DAYS" placeholder:"DAYS" help:"Days for which the audit keeps who did what (default: 400; 0: for ever)."`
	Proxies           string `name:"trusted-proxies" env:"SWITCHBOARD_TRUSTED_PROXIES" placeholder:"ADDRESSES" help:"Addresses or networks of the proxies whose X-Forwarded-For is believed, separated by commas (default: none)."`
	LiveCalls         string `name:"live-calls-per-integration" env:"SWITCHBOARD_LIVE_CALLS_PER_INTEGRATION" placeholder:"N" help:"Calls of one integration at a time; further callers are asked to call again later (default: 0, no limit)."`
	KeepCalls         string `name:"keep-calls-days" env:"SWITCHBOARD_KEEP_CALLS_DAYS" placeholder:"DAYS" help:"Days for which the record of a call is kept after its end and that of its alert, with its recordings (default: 400; 0: for ever)."`
	KeepRecordings    string `name:"keep-recordings-days" env:"SWITCHBOARD_KEEP_RECORDINGS_DAYS" placeholder:"DAYS" help:"Days for which recordings are kept after the end of their call and its alert, here and at the telephone service; what nobody has heard is kept (default: 90; 0: as long as the record)."`
	RollBack          string `name:"rollback-minutes" env:"SWITCHBOARD_ROLLBACK_MINUTES" placeholder:"MINUTES" help:"Minutes for which a new release of switchboard or a plugin can be taken back once all hosts have it (default: 1); as long it writes what the release before reads."`
	WrongTokens       string `name:"wrong-tokens-per-minute" env:"SWITCHBOARD_WRONG_TOKENS_PER_MINUTE" placeholder:"N" help:"Wrong API tokens that one address may send in a minute; the right one is always accepted (default: 10)."`
	Connections       string `name:"max-connections" env:"SWITCHBOARD_MAX_CONNECTIONS" placeholder:"N" help:"Connections that are open at a time; beyond them the one that waits longest for a request is closed (default: 8000)."`
	Profiling         string `name:"profiling" env:"SWITCHBOARD_PROFILING" placeholder:"on|off" help:"Whether admins can read Go profiles of this process and its plugins at /debug/pprof/ (default: off)."`
	LogFormat         string `name:"log-format" env:"SWITCHBOARD_LOG_FORMAT" placeholder:"text|json" help:"Format of log lines (default: text)."`
	LogLevel          string `name:"log-level" env:"SWITCHBOARD_LOG_LEVEL" placeholder:"LEVEL" help:"Lowest level that is logged: debug, info, warn or error (default: info; debug logs every request)."`
	TestClock         string `name:"test-clock" env:"SWITCHBOARD_TEST_CLOCK" hidden:"" help:"FACTOR@UNIX_MILLISECONDS: a faster clock, for tests."`
	TestExit          string `name:"test-exit" env:"SWITCHBOARD_TEST_EXIT" hidden:"" help:"before:N@FILE or after:N@FILE: end at a commit, for tests."`
}

// Settings are complete and checked. They do not change while the host runs.
type Settings struct {
	// Host is of commands: the address of the switchboard that they ask, without a trailing slash.
	// "": the one that runs with these settings.
	Host        string
	ConfigPath  string
	Listen      string
	PublicURL   string // "" = http:// and the address that was bound; see PublicURLFor
	DataDir     string
	DatabaseURL Secret
	// DatabaseDirectURL is for what a pooler in front of DatabaseURL cannot do; "" = DatabaseURL.
	DatabaseDirectURL Secret
	PluginDir         string
	SecretKey         Secret // "" = made and kept in DataDir
	NextSecretKey     Secret // "" = none, or kept in DataDir; see Keys
	APIToken          Secret // "" = made and kept in DataDir
	SMTPURL           Secret
	SharedToken       bool // APIToken is accepted at the login and by the API
	OpenID            OpenID
	KeepAudit         int            // days; 0: for ever
	Proxies           []netip.Prefix // whose X-Forwarded-For is believed
	LiveCalls         int            // of one integration at once; 0: no limit
	KeepCalls         int            // days after a call's end; 0: for ever
	KeepRecordings    int            // days after a call's end; 0: as long as its record
	RollBack          int            // minutes, 1 or more
	WrongTokens       int            // a minute and address, 1 or more
	Connections       int            // open at a time, 10 or more
	Profiling         bool           // Go profiles of this process can be read
	LogFormat         string         // text or json
	LogLevel          slog.Level
	Clock             clock.Clock
	TestExit          TestExit
	Platform          Platform // of the switchboard file; see ReadPlatform
	Version           string   // of this program; "" where it is not known
}

// testClock and testExit are settings that only tests use: they are accepted, but not offered.
const testClock, testExit = "test_clock", "test_exit"

// names of the settings in the file, which are also the environment's without SWITCHBOARD_ and in
// lower case. A test compares them with Flags.
var names = []string{
	"listen", "public_url", "data_dir", "database_url", "database_direct_url", "plugin_dir", "secret_key", "next_secret_key", "api_token", "smtp_url", "shared_token", "openid_issuer", "openid_client_id", "openid_client_secret",
	"openid_domains", "openid_role_claim", "keep_audit_days", "trusted_proxies", "wrong_tokens_per_minute", "live_calls_per_integration",
	"keep_calls_days", "keep_recordings_days", "rollback_minutes", "max_connections", "profiling", "log_format", "log_level",
}

// Resolve completes flags from the file's settings section and the defaults, and checks every
// value. exeDir is the folder of the binary. Paths in the file are relative to the file. All
// problems are reported at once, each a *Problem in a joined error; no text holds a secret's value.
// The settings are returned with the errors, as some commands need only a part of them.
func Resolve(flags Flags, file map[string]string, exeDir string) (Settings, error) {
	var errs []error
	errs = append(errs, unknownSettings(file)...)
	from := source{file: file, dir: filepath.Dir(flags.Path())}
	s := Settings{
		ConfigPath:        flags.Path(),
		Listen:            from.pick(flags.Listen, "listen", DefaultListen),
		PublicURL:         strings.TrimRight(from.pick(flags.PublicURL, "public_url", ""), "/"),
		DataDir:           from.pickPath(flags.DataDir, "data_dir", DefaultDataDir),
		DatabaseURL:       Secret(from.pick(string(flags.DatabaseURL), "database_url", "")),
		DatabaseDirectURL: Secret(from.pick(string(flags.DatabaseDirectURL), "database_direct_url", "")),
		PluginDir:         from.pickPath(flags.PluginDir, "plugin_dir", filepath.Join(exeDir, DefaultPluginDir)),
		SecretKey:         Secret(from.pick(string(flags.SecretKey), "secret_key", "")),
		NextSecretKey:     Secret(from.pick(string(flags.NextSecretKey), "next_secret_key", "")),
		APIToken:          Secret(from.pick(string(flags.APIToken), "api_token", "")),
		SMTPURL:           Secret(from.pick(string(flags.SMTPURL), "smtp_url", "")),
		LogFormat:         from.pick(flags.LogFormat, "log_format", "text"),
	}
	errs = append(errs, s.resolvePeople(flags, from)...)
	s.Profiling, errs = from.pickSwitch(flags.Profiling, "profiling", "off", errs)
	if level := from.pick(flags.LogLevel, "log_level", "info"); s.LogLevel.UnmarshalText([]byte(level)) != nil {
		errs = append(errs, &Problem{"log_level", fmt.Errorf("log_level %q is unknown: use debug, info, warn or error", level)})
	}
	var err error
	if s.Proxies, err = parseProxies(from.pick(flags.Proxies, "trusted_proxies", "")); err != nil {
		errs = append(errs, &Problem{"trusted_proxies", err})
	}
	// Numbers are texts until here, so that an empty one means the default.
	for _, n := range []struct {
		into            *int
		flag, name      string
		least, standard int
		most            int
	}{
		{&s.WrongTokens, flags.WrongTokens, "wrong_tokens_per_minute", 1, httpkit.DefaultWrongTokens, maxNumber},
		{&s.LiveCalls, flags.LiveCalls, "live_calls_per_integration", 0, 0, maxNumber},
		{&s.KeepCalls, flags.KeepCalls, "keep_calls_days", 0, DefaultKeepCalls, maxDays},
		{&s.KeepRecordings, flags.KeepRecordings, "keep_recordings_days", 0, DefaultKeepRecordings, maxDays},
		{&s.RollBack, flags.RollBack, "rollback_minutes", 1, 1, maxRollBack},
		{&s.KeepAudit, flags.KeepAudit, "keep_audit_days", 0, DefaultKeepAudit, maxDays},
		{&s.Connections, flags.Connections, "max_connections", minConnections, DefaultConnections, maxNumber},
	} {
		text := from.pick(n.flag, n.name, strconv.Itoa(n.standard))
		if *n.into, err = strconv.Atoi(text); err != nil || *n.into < n.least || *n.into > n.most {
			errs = append(errs, &Problem{n.name, fmt.Errorf("%s %q is not a number between %d and %d", n.name, text, n.least, n.most)})
		}
	}
	if s.Clock, err = clock.Parse(from.pick(flags.TestClock, testClock, "")); err != nil {
		errs = append(errs, &Problem{testClock, fmt.Errorf("%s: %w", testClock, err)})
	}
	if s.TestExit, err = parseTestExit(from.pick(flags.TestExit, testExit, "")); err != nil {
		errs = append(errs, &Problem{testExit, fmt.Errorf("%s: %w", testExit, err)})
	}
	errs = append(errs, s.problems()...)
	// By text, so that two runs say the same.
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return s, errors.Join(errs...)
}

// maxUnknown is how many unknown settings are reported one by one. A file of another program would
// else fill the screen.
const maxUnknown = 20

// unknownSettings reports the first names that are no setting, and how many more there are. A name
// that is misspelt would otherwise do nothing, and nobody would know.
func unknownSettings(file map[string]string) []error {
	var errs []error
	number := 0
	for _, key := range slices.Sorted(maps.Keys(file)) {
		if key == testClock || key == testExit || slices.Contains(names, key) {
			continue
		}
		if number++; number <= maxUnknown {
			errs = append(errs, &Problem{key, fmt.Errorf("%.80s is not a setting: use one of %s", key, strings.Join(names, ", "))})
		}
	}
	if number > maxUnknown {
		errs = append(errs, &Problem{"", fmt.Errorf("… and %d more that are not settings", number-maxUnknown)})
	}
	return errs
}

// source is where a setting comes from that no flag and no variable gives: kong has put variables
// into the flags already.
type source struct {
	file map[string]string // the file's settings section
	dir  string            // folder of the file
}

// pick is the first of flag, file and default that says something.
func (s source) pick(flag, key, fallback string) string { return cmp.Or(flag, s.file[key], fallback) }

// pickPath is pick for a path. One in the file is relative to the file, so that it means the same
// from wherever the host is started.
func (s source) pickPath(flag, key, fallback string) string {
	if path := s.file[key]; flag == "" && path != "" && !filepath.IsAbs(path) {
		return filepath.Join(s.dir, path)
	}
	return s.pick(flag, key, fallback)
}

// pickSwitch is pick for what is on or off. It adds to errs what is neither. Boolean words of YAML
// arrive as true and false.
func (s source) pickSwitch(flag, key, fallback string, errs []error) (bool, []error) {
	switch text := s.pick(flag, key, fallback); text {
	case "on", "true":
		return true, errs
	case "off", "false":
		return false, errs
	default:
		return false, append(errs, &Problem{key, fmt.Errorf("%s %q is unknown: use on or off", key, text)})
	}
}

// problems are the values that cannot be used, each a *Problem. It opens nothing and asks nobody.
func (s Settings) problems() (errs []error) {
	check := func(name string, err error) {
		if err != nil {
			errs = append(errs, &Problem{name, err})
		}
	}
	check("listen", checkListen(s.Listen))
	check("public_url", checkPublicURL(s.PublicURL))
	// With SQLite the secrets may be made, and there is no address to check.
	if s.Postgres() {
		check("database_url", checkDatabase("database_url", s.DatabaseURL))
		check("database_direct_url", checkDatabase("database_direct_url", s.DatabaseDirectURL))
		check("database_url", s.checkShared())
	}
	if _, err := NewMailer(s.SMTPURL, "", nil, nil); err != nil {
		check("smtp_url", fmt.Errorf("smtp_url: %w", err))
	}
	if s.LogFormat != "text" && s.LogFormat != "json" {
		check("log_format", fmt.Errorf("log_format %q is unknown: use text or json", s.LogFormat))
	}
	check("secret_key", checkKey("secret_key", s.SecretKey))
	check("next_secret_key", checkKey("next_secret_key", s.NextSecretKey))
	if s.APIToken != "" && len(s.APIToken) < minTokenLength {
		check("api_token", fmt.Errorf("api_token is too short: use at least %d characters, or leave it out to have one generated", minTokenLength))
	}
	return errs
}

const (
	minConnections = 10        // fewer would not serve one browser and one call
	maxNumber      = 1_000_000 // of a setting that is a number
	maxRollBack    = 10_080    // a week
	maxDays        = 36_500    // a century: a time.Duration holds less than three
)

// parseProxies reads addresses and networks, separated by commas or spaces. A network that holds
// every address is refused: anybody could then choose the address they count under. An address
// stands for itself alone.
func parseProxies(text string) ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		network, err := netip.ParsePrefix(part)
		if addr, addrErr := netip.ParseAddr(part); addrErr == nil {
			addr = addr.Unmap().WithZone("")
			network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: %q is neither an address nor a network: use such as 127.0.0.1, 10.0.0.0/8 or fd00::/8", part)
		}
		// Addresses of clients are compared as IPv4.
		if addr := network.Addr(); addr.Is4In6() && network.Bits() >= 96 {
			network = netip.PrefixFrom(addr.Unmap(), network.Bits()-96)
		}
		if network.Bits() == 0 {
			return nil, fmt.Errorf("trusted_proxies: %q holds every address, so anybody could pretend to be anywhere: name the proxies alone", part)
		}
		proxies = append(proxies, network.Masked())
	}
	return proxies, nil
}

// minTokenLength keeps the token of the JSON API, which stands between the internet and everything,
// from being guessed.
const minTokenLength = 16

// PluginDirOr is the plugin folder given by flag or environment, else the default beside the
// binary.
func (p Plugins) PluginDirOr(exeDir string) string {
	if p.PluginDir == "" {
		return filepath.Join(exeDir, DefaultPluginDir)
	}
	return p.PluginDir
}

// Postgres reports whether the database is a PostgreSQL server.
func (s Settings) Postgres() bool { return s.DatabaseURL != "" }

// PublicURLFor is the public address, given the address that was bound: its port counts where the
// setting says 0. It is http, as the host itself speaks nothing else.
func (s Settings) PublicURLFor(bound net.Addr) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	host, port, err := net.SplitHostPort(bound.String())
	if err != nil {
		return "http://" + bound.String()
	}
	// An address that means all interfaces leads nowhere.
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// checkListen refuses an address that cannot be listened on. Port 0 is accepted: the system then
// chooses a free one.
func checkListen(listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("listen %q is not an address: use host:port, such as %s, or :8080 for all interfaces", listen, DefaultListen)
	}
	return nil
}

// checkPublicURL refuses an address that links cannot be made from. Its text never repeats the
// value, which may hold a password by mistake.
func checkPublicURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return errors.New("public_url is not a web address: use one such as https://hotline.example.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("public_url has a user, query or fragment: give scheme, host and, if need be, a path")
	}
	return nil
}

// checkDatabase refuses a PostgreSQL address that is malformed. Its text never repeats the address,
// which may hold a password. Whether it can be read is found out by who opens it: with several
// servers it is no URL as others are.
func checkDatabase(name string, address Secret) error {
	scheme, _, ok := strings.Cut(address.Reveal(), "://")
	if address != "" && (!ok || scheme != "postgres" && scheme != "postgresql") {
		return errors.New(name + " is not a PostgreSQL address: use postgres://user@host/database, or leave it out for SQLite in the data directory")
	}
	return nil
}

// checkShared refuses a PostgreSQL database without the secrets that all its hosts must share: a
// key made by one of them would be unknown to the others. On SQLite they are made and kept in the
// data directory.
func (s Settings) checkShared() error {
	var missing []string
	if s.SecretKey == "" {
		missing = append(missing, "SWITCHBOARD_SECRET_KEY")
	}
	if s.APIToken == "" {
		missing = append(missing, "SWITCHBOARD_API_TOKEN")
	}
	if len(missing) > 0 {
		return fmt.Errorf("with a postgres:// database %s must be given, the same for every host that shares it", strings.Join(missing, " and "))
	}
	return nil
}
