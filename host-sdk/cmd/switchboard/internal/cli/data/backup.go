package data

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/backup"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/database"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Backup is backup. It has all flags of serve, as they say where the database is.
type Backup struct {
	settings.Flags `group:"The host, its data and its settings, as for switchboard serve:"`
	To             string `name:"to" placeholder:"FILE" help:"Archive to write (default: switchboard-backup- and the time, in the working directory)."`
	JSON           bool   `name:"json" help:"Print JSON."`
}

// Help is shown by backup --help.
func (Backup) Help() string {
	return "Writes the database with its recordings, as it is at one moment, and the switchboard file to an archive that only its owner can read, while switchboard runs. The copy is checked by SQLite, and the archive is read again and compared. " +
		"Keys and tokens are not in it: keep the secret key elsewhere, as the backup is of no use without it. A database of PostgreSQL is backed up with PostgreSQL's own tools."
}

// Run prints what was written. It needs no running host and disturbs none. A signal ends it without
// leaving half an archive.
func (c Backup) Run(s *command.Surroundings) error {
	resolved, err := command.ResolveOptional(s, c.Flags)
	if err != nil {
		return err
	}
	if c.To == "" {
		c.To = "switchboard-backup-" + time.Now().UTC().Format("20060102T150405Z") + ".tar.gz"
	}
	ctx, stop := command.UntilStopped(s.Ctx)
	defer stop()
	done, err := database.Backup(ctx, resolved, c.To)
	if err != nil {
		return fmt.Errorf("nothing was backed up: %w", err)
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, shownBackup{Path: done.Path, List: done.List})
	}
	rows := int64(0)
	for _, n := range done.Rows {
		rows += n
	}
	_, _ = fmt.Fprintf(s.Stdout, "%s: written and read again.\n", done.Path)
	for _, f := range done.Files {
		_, _ = fmt.Fprintf(s.Stdout, "  %-17s %d bytes, SHA-256 %s\n", f.Name, f.Size, f.SHA256)
	}
	_, err = fmt.Fprintf(s.Stdout, `The database has %s in %s, and is in order.
Not in it: the secret key (%s) and the API token. Keep the key where the archive is not: without it, the
archive is of no use.
`, command.Plural(int(rows), "row"), command.Plural(len(done.Rows), "table"), done.Key)
	return err
}

// shownBackup is what backup prints with --json.
type shownBackup struct {
	Path string `json:"path"`
	backup.List
}

// Restore is restore. It has all flags of serve, as they say where the database is to be.
type Restore struct {
	settings.Flags `group:"The host, its data and its settings, as for switchboard serve:"`
	File           string `arg:"" help:"Archive that switchboard backup has written."`
	Check          bool   `name:"check" help:"Check the archive as a restore does, and change nothing."`
	Replace        bool   `name:"replace" help:"Put a database that the data directory contains aside."`
	JSON           bool   `name:"json" help:"Print JSON."`
}

// Help is shown by restore --help.
func (Restore) Help() string {
	return "Checks every byte of an archive, and the database in it, and then puts it into the data directory at once. Needs the secret key of the backup, in SWITCHBOARD_SECRET_KEY or as secret-key in the data directory. " +
		"Refuses while switchboard runs there, and where there is a database already. A switchboard file that differs from the one of the backup stays as it is: the other is put beside it. " +
		"Calls that were in progress at the time of the backup are taken up again, and mails that waited then are sent, though they may have been sent before."
}

// restoredShown is what restore prints with --json.
type restoredShown struct {
	backup.List
	Restored        bool   `json:"restored"` // false: it was only checked
	DataDir         string `json:"data_dir"`
	Aside           string `json:"aside"`            // the database from before; "": there was none
	SwitchboardFile string `json:"switchboard_file"` // where it was put; "": nowhere
}

// Run prints what was restored, and what to do next. Messages say what an operator must know before
// the first call.
func (c Restore) Run(s *command.Surroundings) error {
	if command.Present(c.Path()) != nil { // it may be in the backup
		_, _ = fmt.Fprintf(s.Stderr, "%s: there is no such file: flags and environment alone say where the data directory is\n", c.Path())
	}
	resolved, err := settings.Resolve(c.Flags, switchboardfile.SettingsOf(c.Path()), s.ExeDir)
	if err != nil {
		return err
	}
	ctx, stop := command.UntilStopped(s.Ctx)
	defer stop()
	if c.Check {
		return c.check(ctx, s, resolved)
	}
	done, err := database.Restore(ctx, resolved, c.File, c.Replace)
	if err != nil {
		return fmt.Errorf("nothing was restored: %w", err)
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, restoredShown{done.List, true, done.DataDir, done.Aside, done.SwitchboardFile})
	}
	_, _ = fmt.Fprintf(s.Stdout, "The database of %s is in %s.\n", done.MadeAt.Local().Format(time.DateTime), done.DataDir)
	if done.Aside != "" {
		_, _ = fmt.Fprintf(s.Stdout, "The one from before is %s: remove it when you are content.\n", done.Aside)
	}
	if done.SwitchboardFile != "" {
		_, _ = fmt.Fprintf(s.Stdout, "The switchboard file of the backup is %s.\n", done.SwitchboardFile)
	}
	_, err = fmt.Fprint(s.Stdout, "Start switchboard. Then look at the alerts at once: what happened after the backup is not known here, and calls of that time are taken up again.\n")
	return err
}

// check is Run with --check. It changes nothing.
func (c Restore) check(ctx context.Context, s *command.Surroundings, resolved settings.Settings) error {
	if c.Replace {
		return errors.New("--check and --replace contradict each other: give one of them")
	}
	list, err := database.CheckBackup(ctx, resolved, c.File)
	if err != nil {
		return err
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, restoredShown{List: list, DataDir: resolved.DataDir})
	}
	_, err = fmt.Fprintf(s.Stdout, "%s is whole: made %s by switchboard %s, with the secret key %s, which is here.\n", c.File, list.MadeAt.Local().Format(time.DateTime), list.Version, list.Key)
	return err
}
