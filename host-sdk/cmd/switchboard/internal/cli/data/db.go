package data

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/database"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// DBCopy is db copy. It has all flags of serve, as they say where the database is and which
// key it has.
type DBCopy struct {
	command.LinesFlag
	settings.Flags `group:"The host, its data and its settings, as for switchboard serve:"`
	To             string `name:"to" placeholder:"NAME|FILE" help:"Environment variable, or file, that holds the postgres:// URL to copy to (default: SWITCHBOARD_DATABASE_URL)."`
}

// Help is shown by db copy --help.
func (DBCopy) Help() string {
	return "Copies everything from the SQLite database of the data directory to an empty PostgreSQL database: integrations, calls in progress, work that waits, recordings, alerts. Stop switchboard before. Both databases are then compared, table by table. The SQLite database stays as it is. What is interrupted leaves nothing, and can be begun anew."
}

// Run prints a line for each table that was copied and compared, and what to do next.
func (c DBCopy) Run(s *command.Surroundings) error { return c.Print(s, c.run) }

// run prints the lines.
func (c DBCopy) run(s *command.Surroundings) error {
	file, err := command.LoadFile(s, c.Path())
	if err != nil {
		return err
	}
	target, err := c.target(file.Settings)
	if err != nil {
		return err
	}
	// What remains are the settings of the host that has run on SQLite. The target's address is
	// among them and must not be taken for that of the original.
	flags, given := c.Flags, maps.Clone(file.Settings)
	flags.DatabaseURL, flags.DatabaseDirectURL = "", ""
	delete(given, "database_url")
	delete(given, "database_direct_url")
	resolved, err := settings.Resolve(flags, given, s.ExeDir)
	if err != nil {
		return err
	}
	ctx, stop := command.UntilStopped(s.Ctx)
	defer stop()
	began := time.Now()
	var all []sqldb.Copied
	var sum sqldb.Copied
	// Called for each table once it was compared.
	name, err := database.Copy(ctx, resolved, target, func(t sqldb.Copied) {
		all = append(all, t)
		sum.Rows, sum.Bytes, sum.Replaced = sum.Rows+t.Rows, sum.Bytes+t.Bytes, sum.Replaced+t.Replaced
		if t.Bytes > largeTable {
			_, _ = fmt.Fprintf(s.Stderr, "table %s is copied and compared\n", t.Table)
		}
	})
	if err != nil {
		return fmt.Errorf("the database was not copied: %w", err)
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "TABLE\tROWS\tBYTES\tCHECKSUM ON BOTH SIDES")
	for _, t := range all {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", t.Table, t.Rows, t.Bytes, t.Checksum)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if sum.Replaced > 0 {
		_, _ = fmt.Fprintf(s.Stdout, "In %s, characters that PostgreSQL cannot store were replaced by \uFFFD.\n", command.Plural(int(sum.Replaced), "text"))
	}
	_, _ = fmt.Fprintf(s.Stdout, "%s with %d bytes are in %s, compared with the original, after %v.\n", command.Plural(int(sum.Rows), "row"), sum.Bytes, name, time.Since(began).Round(time.Millisecond))
	return c.next(s, resolved)
}

// largeTable is from how many bytes on a table is announced while the others are still copied.
const largeTable = 64 << 20

// next says how to start on the copy. Secrets are not printed: it says where they are.
func (c DBCopy) next(s *command.Surroundings, resolved settings.Settings) error {
	secret := func(name string, value settings.Secret, file string) string {
		if value != "" {
			return "  " + name + "  as it is now"
		}
		return "  " + name + "  the content of " + filepath.Join(resolved.DataDir, file)
	}
	_, err := fmt.Fprintf(s.Stdout, `Start switchboard, on every machine, with these set:
  SWITCHBOARD_DATABASE_URL  the database that was copied to
%s
%s
Never start one again without SWITCHBOARD_DATABASE_URL: it would go on with the calls as they were. Move
%s away when you are content.
`, secret("SWITCHBOARD_SECRET_KEY", resolved.SecretKey, settings.SecretKeyFile), secret("SWITCHBOARD_API_TOKEN", resolved.APIToken, settings.APITokenFile),
		filepath.Join(resolved.DataDir, settings.DatabaseFile))
	return err
}

// target is the address to copy to. Errors do not repeat it. --to wins over the environment, and
// that over the file.
func (c DBCopy) target(file map[string]string) (settings.Secret, error) {
	url := cmp.Or(c.DatabaseURL, settings.Secret(file["database_url"]))
	if strings.Contains(c.To, "://") {
		return "", errors.New("--to takes the name of an environment variable or of a file that holds the URL: other users can read command lines")
	}
	if c.To != "" {
		var err error
		if url, err = settings.Named(c.To); err != nil {
			return "", fmt.Errorf("--to: %w", err)
		}
	}
	switch scheme, _, _ := strings.Cut(url.Reveal(), ":"); {
	case url == "":
		return "", errors.New("there is no database to copy to: set SWITCHBOARD_DATABASE_URL to its postgres:// URL, or name a variable or file that holds it with --to")
	case scheme != "postgres" && scheme != "postgresql":
		return "", errors.New("the database to copy to is not a PostgreSQL address: use postgres://user@host/database")
	}
	return url, nil
}
