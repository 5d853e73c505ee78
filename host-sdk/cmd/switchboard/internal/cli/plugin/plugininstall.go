package plugin

import (
	"errors"
	"fmt"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/installer"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// Install is plugin install.
type Install struct {
	command.LocalFlags
	Source string `arg:"" help:"Archive of a plugin (.tar.gz), or a folder that contains manifest.json."`
	sourceFlags
}

// Help is shown by plugin install --help.
func (Install) Help() string {
	return "Checks signature, manifest, hashes, protocol and platform, and puts the plugin beside the version in use. " +
		"A host that runs on the data directory then starts it beside the old one, gives it the calls once it has answered, and ends the old one when its calls have. " +
		"Where none runs, the plugin is started once to try it. If anything fails, the old version stays in use. " +
		"An older version is refused where it cannot read what the newer one has stored for integrations and calls. " +
		"Of a folder the manifest and the executable alone are installed."
}

// installedPlugin is what plugin install prints with --json.
type installedPlugin struct {
	ID       string `json:"id"`
	Version  string `json:"version"`
	Before   string `json:"before"`    // the version that was in use; "": none
	SignedBy string `json:"signed_by"` // id of the trusted key; "": no signature was asked for
	SHA256   string `json:"sha256"`    // of the executable
	Running  bool   `json:"running"`   // a running host took it into use
}

// Run stages the plugin, has it taken into use, and removes what is older than the version before.
// The lock is held to the end, so that two installs do not prune each other's versions.
func (c Install) Run(s *command.Surroundings) error {
	if err := c.check(); err != nil {
		return err
	}
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	folder := installer.Folder{Path: resolved.PluginDir}
	release, err := folder.Lock()
	if err != nil {
		return err
	}
	defer release()
	staged, err := folder.Stage(installer.Source{Path: c.Source, Signature: c.Signature, Unsigned: c.Unsigned})
	if err != nil {
		return err
	}
	// The version in use until now stays beside the new one: its calls go on, and it is the way
	// back.
	var keep []manifest.Installed
	if old, ok := folder.InUse(staged.Manifest.ID); ok {
		keep = append(keep, old)
	}
	switched, known, err := admin.SwitchPlugin(s.Ctx, resolved, staged.Installed)
	if err != nil && !known {
		// The next installation removes the version if it is not in use then.
		return fmt.Errorf("%w; it may use %s by now: switchboard status says which version it uses", err, staged.Manifest.Version)
	}
	if err != nil {
		// What was staged goes again, unless the error came once it was in its place.
		if now, ok := folder.InUse(staged.Manifest.ID); ok {
			keep = append(keep, now)
		}
		return errors.Join(err, folder.Prune(staged.Manifest.ID, keep...))
	}
	// The new version is in use by now: an old one that stays costs disk space and is no reason to
	// fail.
	if err := folder.Prune(staged.Manifest.ID, append(keep, staged.Installed)...); err != nil {
		_, _ = fmt.Fprintln(s.Stderr, "switchboard: an older version could not be removed: "+err.Error())
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, installedPlugin{switched.ID, switched.Version, switched.Before, staged.SignedBy, staged.Executable.SHA256, switched.Running})
	}
	how := "no switchboard runs on this data directory: the next start takes it"
	if switched.Running {
		how = "the running switchboard uses it, and calls went on"
	}
	_, err = fmt.Fprintf(s.Stdout, "%s %s is installed%s (before: %s); %s.\n", switched.ID, switched.Version, signedBy(staged), orNone(switched.Before), how)
	return err
}

// Remove is plugin remove.
type Remove struct {
	command.LocalFlags
	ID string `arg:"" help:"Id of the plugin, as plugin list shows it."`
}

// Help is shown by plugin remove --help.
func (Remove) Help() string {
	return "Refused while an integration or a call that goes on needs the plugin. A host that runs on the data directory ends it."
}

// Run removes the plugin. Whether anything needs the plugin is decided by the host, or by the
// database where none runs.
func (c Remove) Run(s *command.Surroundings) error {
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	release, err := (installer.Folder{Path: resolved.PluginDir}).Lock()
	if err != nil {
		return err
	}
	defer release()
	running, err := admin.RemovePlugin(s.Ctx, resolved, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, map[string]any{"id": c.ID, "running": running})
	}
	_, err = fmt.Fprintf(s.Stdout, "%s was removed.\n", c.ID)
	return err
}
