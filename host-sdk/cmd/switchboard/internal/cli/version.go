package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// versionCommand is version.
type versionCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints what this binary was built from.
func (c versionCommand) Run(s *command.Surroundings) error {
	if c.JSON {
		return command.PrintJSON(s.Stdout, map[string]string{"version": s.Version, "plugin_protocol": fmt.Sprintf("%d.%d", integration.ProtocolVersion, integration.ProtocolMinor),
			"go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
	}
	_, err := fmt.Fprintf(s.Stdout, "switchboard %s (plugin protocol %d.%d, %s, %s/%s)\n",
		s.Version, integration.ProtocolVersion, integration.ProtocolMinor, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// builtVersion is the module's, or the commit it was built from. "+changes" says that the working
// tree held more than the commit. Without build information it is "unknown"; built without version
// control it is "devel".
func builtVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	var revision, modified string
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				modified = "+changes"
			}
		}
	}
	if revision == "" {
		return "devel"
	}
	return "devel-" + revision + modified
}
