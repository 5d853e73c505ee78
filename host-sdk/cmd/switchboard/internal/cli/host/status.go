package host

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
)

// Status is status. It has all flags of serve, as they say where the running host and the
// database are.
type Status struct {
	command.HostFlags
	JSON  bool `name:"json" help:"Print JSON, as GET /api/v1/status answers."`
	Ready bool `name:"ready" help:"Ask only whether callers are served, as /readyz of the running host says without a token: for health checks of containers."`
}

// Help is shown by status --help.
func (Status) Help() string {
	return "Shows how a host is: version, database, switchboard file in force, live calls, all hosts, plugins, checks with what to do, findings of the integrations. Asks the running host: the one on the same data directory, or with PostgreSQL whichever answers at the public address. If none is running, shows what the database knows. The exit status is 1 when no host runs or callers are not served as they should be."
}

// Run prints the status. It answers while the switchboard file is wrong, too: the running host goes
// on with the last good one.
func (c Status) Run(s *command.Surroundings) error {
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	if c.Ready {
		return admin.AskReady(s.Ctx, resolved)
	}
	st, err := admin.ReadStatus(s.Ctx, resolved)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(s.Stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(st)
	} else {
		err = printStatus(s.Stdout, st)
	}
	// A monitoring script looks at the exit status alone. A host that is degraded serves callers.
	if err == nil && st.Status != "ready" && st.Status != "degraded" {
		return command.ErrSaid
	}
	return err
}

// printStatus writes a few lines and tables for people. What they need not know is left out.
func printStatus(out io.Writer, st api.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	if st.Status == serve.NotRunning {
		line("No switchboard runs here: start one with switchboard serve. The database knows this:")
	} else {
		line("switchboard %s is %s, up %s", st.Version, strings.ReplaceAll(st.Status, "_", " "), upFor(st.Uptime))
	}
	line("database\t%s, %s", st.Database.Kind, st.Database.Name)
	line("switchboard file\t%s", fileLine(st.File))
	line("live calls\t%d", st.LiveCalls)
	for _, text := range st.Unknown {
		line("! %s", text)
	}
	printTables(line, st)
	return w.Flush()
}

// printTables writes hosts, plugins, checks and findings, each if there are any.
func printTables(line func(format string, args ...any), st api.Status) {
	if len(st.Hosts) > 0 {
		line("\nHOST\tADDRESS\tVERSION\tPLUGINS\tFILE\tSTARTED")
	}
	for _, h := range st.Hosts {
		var plugins []string
		for _, id := range slices.Sorted(maps.Keys(h.Plugins)) {
			plugins = append(plugins, id+" "+h.Plugins[id])
		}
		line("%s\t%s\t%s\t%s\t%.12s\t%s", h.Machine, h.Address, h.Version, strings.Join(plugins, ", "), h.FileHash, h.Started.Local().Format(time.DateTime))
	}
	if len(st.Plugins) > 0 {
		line("\nPLUGIN\tVERSION\tSTATE\tRESTARTS\tLAST ERROR")
	}
	for _, p := range st.Plugins {
		line("%s\t%s\t%s\t%d\t%s", p.ID, p.Version, p.State, p.Restarts, p.LastError)
	}
	if len(st.Checks) > 0 {
		line("\nCHECK\tSTATE\tMESSAGE")
	}
	for _, name := range slices.Sorted(maps.Keys(st.Checks)) {
		check := st.Checks[name]
		line("%s\t%s\t%s", name, check.State, check.Message)
		if check.Remedy != "" {
			line("\t\t%s", check.Remedy)
		}
	}
	if len(st.Findings) > 0 {
		line("\nFINDING\tSEVERITY\tINTEGRATIONS")
	}
	for _, f := range st.Findings {
		line("%s\t%s\t%d", f.Code, f.Severity, f.Integrations)
	}
}

// fileLine says which switchboard file is in force. A hash is cut to twelve digits, which is enough
// to compare it by eye.
func fileLine(f api.StatusFile) string {
	if f.Hash == "" {
		return "none is known to have been in force"
	}
	inForce := fmt.Sprintf("%.12s is in force", f.Hash)
	if !f.Since.IsZero() && f.By != "" {
		inForce += fmt.Sprintf(" since %s by %s", f.Since.Local().Format(time.DateTime), f.By)
	}
	switch {
	case f.Refused != "":
		return fmt.Sprintf("%s; %s cannot be used: %s", inForce, f.Path, strings.ReplaceAll(f.Refused, "\n", "; "))
	case !f.OnDisk:
		return fmt.Sprintf("%s; %s is another one", inForce, f.Path)
	}
	return inForce + ", as in " + f.Path
}

// upFor is a time of running, in its two largest units.
func upFor(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd %dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return d.String()
}
