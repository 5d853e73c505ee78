package plugin

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/installer"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// folderFlags are the flags of commands that look at the plugin folder alone.
type folderFlags struct {
	settings.Config
	settings.Plugins
}

// folder is the plugin folder, as the host finds it. What is wrong with other settings is no
// concern of these commands; a file that was named and is not there is, as it may name another
// folder.
func (f folderFlags) folder(s *command.Surroundings) (string, error) {
	flags := settings.Flags{Config: f.Config, Plugins: f.Plugins}
	if err := command.Present(flags.Path()); err != nil && flags.Path() != settings.DefaultConfig {
		return "", err
	}
	resolved, _ := command.Resolve(s, flags)
	return resolved.PluginDir, nil
}

// List is plugin list.
type List struct {
	folderFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// listedPlugin is a plugin as plugin list prints it with --json. Programs read it: names are not
// changed.
type listedPlugin struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Name    string `json:"name"`
	Refused string `json:"refused"` // why its executable would not be started; "": it would
}

// Run prints a line for each plugin, with whether its executable is the one its manifest names.
// Folders that are no plugin go to stderr, so that the table can be read by a program; the exit
// status is 1 then.
func (c List) Run(s *command.Surroundings) error {
	dir, err := c.folder(s)
	if err != nil {
		return err
	}
	installed, wrong := manifest.List(dir)
	list := make([]listedPlugin, 0, len(installed))
	for _, p := range installed {
		one := listedPlugin{ID: p.Manifest.ID, Version: p.Manifest.Version, Name: p.Manifest.Name}
		// It reads the whole executable, as its hash is what the manifest promises.
		if _, err := manifest.Verify(p.Dir); err != nil {
			one.Refused = err.Error()
		}
		list = append(list, one)
	}
	// The good ones are printed before what is wrong is said.
	if err := c.print(s, list); err != nil {
		return err
	}
	for _, err := range wrong {
		_, _ = fmt.Fprintln(s.Stderr, "switchboard: "+err.Error())
	}
	if len(wrong) > 0 {
		return command.ErrSaid
	}
	if len(installed) == 0 {
		return fmt.Errorf("%s contains no plugin: run switchboard plugin install", dir)
	}
	return nil
}

// print writes a line for each plugin, or JSON.
func (c List) print(s *command.Surroundings, list []listedPlugin) error {
	if c.JSON {
		return command.PrintJSON(s.Stdout, list)
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	if len(list) > 0 {
		_, _ = fmt.Fprintln(w, "ID\tVERSION\tNAME\tEXECUTABLE")
	}
	for _, p := range list {
		state := "ok"
		if p.Refused != "" {
			state = "refused: see plugin verify"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.ID, p.Version, p.Name, state)
	}
	return w.Flush()
}

// sourceFlags say where a plugin comes from and who has signed it. Without any, the signature must
// be where the publisher puts it.
type sourceFlags struct {
	Signature string `name:"signature" placeholder:"FILE" help:"Signature, where it is not beside the archive as ARCHIVE.minisig, or in the folder as manifest.json.minisig."`
	Unsigned  bool   `name:"unsigned" help:"Ask for no signature: for a plugin that you built yourself."`
}

// check refuses flags that contradict each other.
func (f sourceFlags) check() error {
	if f.Unsigned && f.Signature != "" {
		return errors.New("--unsigned and --signature contradict each other: give one of them")
	}
	return nil
}

// Verify is plugin verify.
type Verify struct {
	folderFlags
	Source string `arg:"" help:"Archive of a plugin, or a folder that contains manifest.json."`
	sourceFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// Help is shown by plugin verify --help.
func (Verify) Help() string {
	return "Installs and starts nothing. The signature of an archive is asked for, that of a folder is looked at where there is one."
}

// verifiedPlugin is what plugin verify prints with --json.
type verifiedPlugin struct {
	ID         string `json:"id"`
	Version    string `json:"version"`
	Executable string `json:"executable"`
	SHA256     string `json:"sha256"`
	SignedBy   string `json:"signed_by"` // id of the trusted key; "": no signature was looked at
}

// Run checks one plugin without starting it: what installing or launching it would refuse, as far
// as files tell.
func (c Verify) Run(s *command.Surroundings) error {
	if err := c.check(); err != nil {
		return err
	}
	dir, err := c.folder(s)
	if err != nil {
		return err
	}
	p, err := c.verify(installer.Folder{Path: dir})
	if err != nil {
		return err
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, verifiedPlugin{p.Manifest.ID, p.Manifest.Version, p.Executable.Path, p.Executable.SHA256, p.SignedBy})
	}
	_, err = fmt.Fprintf(s.Stdout, "%s %s is valid: %s has SHA-256 %s%s\n", p.Manifest.ID, p.Manifest.Version, p.Executable.Path, p.Executable.SHA256, signedBy(p))
	return err
}

// verify checks an archive as an install would; a folder is checked in its place, with its
// signature if it has one.
func (c Verify) verify(folder installer.Folder) (installer.Checked, error) {
	source := installer.Source{Path: c.Source, Signature: c.Signature, Unsigned: c.Unsigned}
	info, err := os.Stat(c.Source)
	if err != nil || !info.IsDir() {
		return folder.Check(source)
	}
	// An installed folder is looked at where it lies: who may write to it counts too.
	p, err := manifest.Verify(c.Source)
	if err != nil {
		return installer.Checked{}, err
	}
	beside := filepath.Join(c.Source, manifest.FileName+installer.SignatureSuffix)
	// Installed plugins have no signature beside them: it was checked when they were installed.
	if _, err := os.Lstat(beside); errors.Is(err, fs.ErrNotExist) && c.Signature == "" {
		return installer.Checked{Installed: p}, nil
	}
	checked, err := folder.Check(source)
	checked.Installed = p
	return checked, err
}

// signedBy says in words who has signed a plugin.
func signedBy(p installer.Checked) string {
	if p.SignedBy == "" {
		return ""
	}
	return ", signed by the key " + p.SignedBy
}

// Trust is plugin trust.
type Trust struct {
	folderFlags
	Key    string `arg:"" optional:"" help:"Public key of minisign, such as RWQ…, or its .pub file. With --remove: the key's id."`
	Remove bool   `name:"remove" help:"End the trust. What is installed stays."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// Help is shown by plugin trust --help.
func (Trust) Help() string {
	return "Whoever has the secret part of a trusted key can run programs here: take the key from the publisher's own page, and compare it with another source. Without a key, lists the trusted ones."
}

// Run adds, removes or lists keys. Listing takes no lock; adding and removing do, as an install may
// be reading the keys.
func (c Trust) Run(s *command.Surroundings) error {
	dir, err := c.folder(s)
	if err != nil {
		return err
	}
	folder := installer.Folder{Path: dir}
	switch {
	case c.Key == "" && c.Remove:
		return errors.New("--remove needs the id of a key: switchboard plugin trust lists them")
	case c.Key == "":
		return c.list(s, folder)
	}
	release, err := folder.Lock()
	if err != nil {
		return err
	}
	defer release()
	if c.Remove {
		if err := folder.Distrust(c.Key); err != nil {
			return err
		}
		return c.say(s, c.Key, "is trusted no more", installer.Key{ID: c.Key})
	}
	key, err := installer.ParseKey(c.Key)
	if err != nil {
		return err
	}
	added, err := folder.Trust(key)
	if err != nil {
		return err
	}
	if !added {
		return c.say(s, key.ID, "was trusted already", key)
	}
	return c.say(s, key.ID, "is trusted: plugins that it has signed can be installed", key)
}

// say prints what was done with a key, or the key as JSON.
func (c Trust) say(s *command.Surroundings, id, what string, key installer.Key) error {
	if c.JSON {
		return command.PrintJSON(s.Stdout, key)
	}
	_, err := fmt.Fprintf(s.Stdout, "The key %s %s.\n", id, what)
	return err
}

// list prints the trusted keys. None: an empty JSON list, or a sentence.
func (c Trust) list(s *command.Surroundings, folder installer.Folder) error {
	keys, err := folder.Trusted()
	if err != nil {
		return err
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, append([]installer.Key{}, keys...))
	}
	if len(keys) == 0 {
		_, err := fmt.Fprintln(s.Stdout, "No key is trusted.")
		return err
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tKEY")
	for _, k := range keys {
		_, _ = fmt.Fprintf(w, "%s\t%s\n", k.ID, k.PublicKey)
	}
	return w.Flush()
}

// orNone shows that a text is empty.
func orNone(text string) string { return cmp.Or(text, "none") }
