// Package firstfile makes the first switchboard file and the environment of a new switchboard of a
// few answers. It knows no carrier: the account of a telephone service goes into the form of an
// integration, where it is encrypted.
package firstfile

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Answers are what is asked for. All but Team, TimeZone, Person and Phone may be "". They come from
// flags or from questions at a terminal.
type Answers struct {
	Team      string // whom callers reach, such as "Example Operations"
	TimeZone  string
	PublicURL string
	Number    string // of the hotline, in E.164 form
	Person    string // who is on call first
	Phone     string // theirs, in E.164 form
	Email     string
	SMTPURL   settings.Secret
}

// maxName is how many characters a name may have.
const maxName = 100

// Name checks the name of a team or a person. Control characters would end up on pages and in what
// callers hear.
func Name(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("a name is needed")
	case utf8.RuneCountInString(text) > maxName || oneline.Clean(text, 4*maxName) != text:
		return fmt.Errorf("want a name of one line, with at most %d characters", maxName)
	}
	return nil
}

// Zone checks a time zone. "Local" is another one on each machine.
func Zone(text string) error {
	if _, err := time.LoadLocation(text); err != nil || text == "" || text == "Local" {
		return fmt.Errorf("%.60q is no time zone: want a name such as Europe/Berlin or America/New_York", text)
	}
	return nil
}

// Public checks the public address; "" is none. The setting's own check, so that both always agree.
func Public(text string) error {
	_, err := settings.Resolve(settings.Flags{PublicURL: text}, nil, "")
	return err
}

// Number checks a telephone number. Spaces and the like may be in it.
func Number(text string) error {
	if !phone.IsE164(Plain(text)) {
		return fmt.Errorf("%.40q is no telephone number with a plus sign and the country code, such as +12025550143", text)
	}
	return nil
}

// Plain is a telephone number without the spaces, dashes and brackets in which people write it.
func Plain(number string) string {
	return strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "/", "").Replace(number)
}

// Email checks an e-mail address; "" is none. A name beside the address is refused.
func Email(text string) error {
	if parsed, err := mail.ParseAddress(text); text != "" && (err != nil || parsed.Address != text) {
		return fmt.Errorf("%.60q is not an e-mail address such as alice@example.com", text)
	}
	return nil
}

// SMTP checks the address of a mail server; "" is none. The error does not repeat it. Nothing is
// connected.
func SMTP(text string) error {
	_, err := settings.NewMailer(settings.Secret(text), "", nil, nil)
	if err != nil {
		return fmt.Errorf("this is not the address of a mail server such as smtps://user:password@mail.example.com?from=hotline@example.com: %w", err)
	}
	return nil
}

// Check checks all answers together. All problems are in the error.
func (a Answers) Check() error {
	if a.Phone == a.Number && a.Number != "" {
		return errors.New("the phone of the person is the number of the hotline itself: calls would go round in circles")
	}
	return errors.Join(Name(a.Team), Zone(a.TimeZone), Public(a.PublicURL), optional(Number, a.Number), Name(a.Person), Number(a.Phone), Email(a.Email), SMTP(a.SMTPURL.Reveal()))
}

// optional is check, but for "".
func optional(check func(string) error, text string) error {
	if text == "" {
		return nil
	}
	return check(text)
}

// LocalZone is the time zone of this machine, as far as its name is known; else UTC. Systems keep
// the name in different places; the first that is a zone counts.
func LocalZone() string {
	names := []string{os.Getenv("TZ")}
	if to, err := os.Readlink("/etc/localtime"); err == nil {
		_, name, _ := strings.Cut(to, "zoneinfo/")
		names = append(names, name)
	}
	if text, err := os.ReadFile("/etc/timezone"); err == nil {
		names = append(names, strings.TrimSpace(string(text)))
	}
	for _, name := range names {
		if Zone(name) == nil {
			return name
		}
	}
	return "UTC"
}

// TeamID is the id of the team in the switchboard file.
func (a Answers) TeamID() string { return id(a.Team, "on-call") }

// File is the switchboard file. It is written as text, not by an encoder, because of its comments:
// people go on from here.
func (a Answers) File() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	person := id(a.Person, "first")
	line("# People, teams and schedules of this switchboard. A change is taken over while it runs; check it with")
	line("# switchboard config check. docs/reference-switchboard-file.md describes every key.")
	if a.Number != "" {
		line("#")
		line("# The hotline: %s", a.Number)
	}
	line("")
	line("users:")
	line("  - id: %s", person)
	line("    name: %s", quote(a.Person))
	line("    phones: [%q]", a.Phone)
	if a.Email != "" {
		line("    email: %s # is told by mail, and logs in with it", quote(a.Email))
	}
	line("    role: admin")
	line("")
	line("teams:")
	line("  - id: %s", a.TeamID())
	line("    name: %s # as callers hear it", quote(a.Team))
	line("    admins: [%s]", person)
	line("    members: [%s]", person)
	line("    schedule:")
	line("      timezone: %s", a.TimeZone)
	line("      layers: # layer 1 is called first; add a second person here, so that somebody answers at night")
	line("        - users: [%s]", person)
	line("    escalation:")
	line("      layers: [{timeout: 5m}]")
	line("      repeat: 1")
	return []byte(b.String())
}

// quote is a text in YAML. Within single quotes YAML knows no escape but the doubled quote.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// id makes an id of a name: its ASCII letters and digits, in words. At most 40 characters. Other
// alphabets leave nothing, hence the fallback.
func id(name, fallback string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	if text := strings.Join(words, "-"); text != "" {
		return text[:min(len(text), 40)]
	}
	return fallback
}

// Environment is the environment file, which sh and systemd read. It holds secrets. folder is the
// absolute one of the switchboard file, whose name is file.
func (a Answers) Environment(folder, file, secretKey, token string) []byte {
	var b strings.Builder
	// A quote would end the value; in an address it can be written as %27.
	set := func(name, value string) { fmt.Fprintf(&b, "%s='%s'\n", name, strings.ReplaceAll(value, "'", "%27")) }
	b.WriteString("# The environment of switchboard: for systemd as EnvironmentFile, for a shell with: set -a; . ./FILE; set +a\n# Keep SWITCHBOARD_SECRET_KEY in another place, too: without it a backup is of no use.\n")
	set("SWITCHBOARD_CONFIG", filepath.Join(folder, file))
	set("SWITCHBOARD_DATA_DIR", filepath.Join(folder, settings.DefaultDataDir))
	set("SWITCHBOARD_SECRET_KEY", secretKey)
	set("SWITCHBOARD_API_TOKEN", token)
	if a.PublicURL != "" {
		set("SWITCHBOARD_PUBLIC_URL", strings.TrimRight(a.PublicURL, "/"))
	}
	if u, err := url.Parse(a.PublicURL); err == nil && u.Scheme == "https" {
		b.WriteString("# The reverse proxy with the certificate, where it runs on this machine.\n")
		set("SWITCHBOARD_TRUSTED_PROXIES", "127.0.0.1,::1")
	}
	if a.SMTPURL != "" {
		set("SWITCHBOARD_SMTP_URL", a.SMTPURL.Reveal())
	}
	return []byte(b.String())
}

// Verify reads a switchboard file that was made as a start would. Answers that passed Check should
// never fail here.
func Verify(path string, text []byte) error {
	if file, problems := switchboardfile.Parse(path, text); file == nil {
		return fmt.Errorf("the answers make no switchboard file: %s", switchboardfile.Text(problems))
	}
	return nil
}

// Write writes both files, each new and for its owner alone. None is replaced: if one is there,
// neither is written. What was written is taken back when a later one fails.
func Write(contents map[string][]byte) (err error) {
	for path := range contents {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s exists already, and nothing is overwritten: move it away, or name another place with --config and --environment", path)
		}
	}
	var written []string
	defer func() {
		if err != nil {
			for _, path := range written {
				err = errors.Join(err, os.Remove(path))
			}
		}
	}()
	for path, text := range contents {
		// O_EXCL: somebody may have made the file since it was looked for.
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names it
		if err != nil {
			return err
		}
		written = append(written, path)
		_, err = f.Write(text)
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}
