package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// pluginListCommand is plugin list.
type pluginListCommand struct {
	settings.Plugins
	JSON bool `name:"json" help:"Print JSON."`
}

// listedPlugin is a plugin as plugin list prints it with --json.
type listedPlugin struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Name    string `json:"name"`
	Refused string `json:"refused"` // why its executable would not be started; "": it would
}

// Run prints a line for each plugin, with whether its executable is the one its manifest names.
// Folders that are no plugin go to stderr, so that the table can be read by a program; the exit
// status is 1 then.
func (c pluginListCommand) Run(s *surroundings) error {
	dir := c.PluginDirOr(s.exeDir)
	installed, wrong := manifest.List(dir)
	list := make([]listedPlugin, 0, len(installed))
	for _, p := range installed {
		one := listedPlugin{ID: p.Manifest.ID, Version: p.Manifest.Version, Name: p.Manifest.Name}
		if _, err := manifest.Verify(p.Dir); err != nil {
			one.Refused = err.Error()
		}
		list = append(list, one)
	}
	if err := c.print(s, list); err != nil {
		return err
	}
	for _, err := range wrong {
		_, _ = fmt.Fprintln(s.stderr, "switchboard: "+err.Error())
	}
	if len(wrong) > 0 {
		return errSaid
	}
	if len(installed) == 0 {
		return fmt.Errorf("%s contains no plugin: put one there as <id>/manifest.json", dir)
	}
	return nil
}

// print writes a line for each plugin, or JSON.
func (c pluginListCommand) print(s *surroundings, list []listedPlugin) error {
	if c.JSON {
		return printJSON(s.stdout, list)
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
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

// pluginVerifyCommand is plugin verify.
type pluginVerifyCommand struct {
	Dir  string `arg:"" help:"Plugin folder that contains manifest.json."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run checks one plugin without starting it: what launching it would refuse, as far as files tell.
func (c pluginVerifyCommand) Run(s *surroundings) error {
	p, err := manifest.Verify(c.Dir)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.stdout, map[string]string{"id": p.Manifest.ID, "version": p.Manifest.Version, "executable": p.Executable.Path, "sha256": p.Executable.SHA256})
	}
	_, err = fmt.Fprintf(s.stdout, "%s %s is valid: %s has SHA-256 %s\n", p.Manifest.ID, p.Manifest.Version, p.Executable.Path, p.Executable.SHA256)
	return err
}
