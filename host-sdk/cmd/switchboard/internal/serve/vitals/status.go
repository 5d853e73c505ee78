package vitals

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inforce"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// remedies say for each check what a person can do while it is not ok. A check that is missing here
// has none, and its message must do.
var remedies = map[string]string{
	"store":             "Make room on the disk of the data directory, or bring the database server back: the host goes on by itself as soon as it can write.",
	"plugin":            "Look in this host's log for why the plugin ended, and check its folder with switchboard plugin verify. The host starts it again by itself.",
	"platform":          "Try from this machine what callers need of the platform with switchboard config check --online.",
	"platform_findings": "Correct on the platform what the message names; switchboard config check --online says more.",
	"work":              "Look in this host's log for what fails. The work is tried again by itself.",
	"file":              "Correct the lines that switchboard config check names: the file comes into force when it is saved.",
	"shared_file":       "Put this host's file into force with switchboard config push, or give this host the file of the others.",
	"hosts":             "Bring all hosts to the same versions and the same switchboard file: the table of hosts shows what each has.",
	"clock":             "Set the clocks of this machine and of the database's by NTP.",
	"mail":              "Try SWITCHBOARD_SMTP_URL from this machine, and look at the mail server. Mails wait for it.",
}

// Status is the host at a glance. What cannot be read is left out and named. It is read anew for
// each question.
type Status struct {
	host     Host
	settings settings.Settings
	database string
	started  time.Time
}

// NewStatus describes the host that starts now.
func NewStatus(host Host, s settings.Settings, database string) *Status {
	return &Status{host: host, settings: s, database: database, started: s.Clock.Now()}
}

// Read looks at every part. It asks no other host: what those are is taken from the last look.
func (st *Status) Read(ctx context.Context) api.Status {
	now := st.host.Clock.Now()
	out := api.Status{
		Version: st.settings.Version, Started: st.started.UTC(), Uptime: int64(now.Sub(st.started).Seconds()), Database: DatabaseOf(st.settings, st.database),
		Hosts: append([]store.Host{}, st.host.Hosts.Running()...), Plugins: []api.StatusPlugin{}, Checks: map[string]api.StatusCheck{},
	}
	file := st.host.File.Status()
	out.File = api.StatusFile{Path: file.Path, Hash: st.host.File.File().SharedHash(), Refused: switchboardfile.Text(file.Refused)}
	out.File.OnDisk = st.host.File.OnDisk() == out.File.Hash && file.Refused == nil
	if from, ok := st.host.Plugins.(interface{ Statuses() []launcher.Status }); ok {
		for _, p := range from.Statuses() {
			out.Plugins = append(out.Plugins, api.StatusPlugin{ID: p.Plugin, Version: p.Version, State: string(p.State), Restarts: p.Restarts, LastError: wording.OneLine(p.LastError)})
		}
	}
	Stored(ctx, st.host.PagesStore, &out)
	checks := st.host.Ready.Checks()
	out.Status = st.host.Ready.Status(checks)
	for name, c := range checks {
		check := api.StatusCheck{State: string(c.State), Message: c.Message, Since: c.Since}
		if c.State != health.StateOK {
			check.Remedy = remedies[name]
		}
		out.Checks[name] = check
	}
	return out
}

// DatabaseOf names the database of the settings. name has no password in it.
func DatabaseOf(s settings.Settings, name string) api.StatusDatabase {
	if s.Postgres() {
		return api.StatusDatabase{Kind: "PostgreSQL", Name: name}
	}
	return api.StatusDatabase{Kind: "SQLite", Name: name}
}

// Stored adds what the store knows. It is for a host that runs and for one that does not alike.
func Stored(ctx context.Context, kept store.Store, out *api.Status) {
	out.Findings = []api.StatusFinding{}
	inForce, err := inforce.Read(ctx, kept)
	if err != nil {
		out.Unknown = append(out.Unknown, "The switchboard file in force cannot be read: "+wording.Sentence(wording.Plain(err)))
	}
	if out.File.Hash == "" { // no host runs
		out.File.Hash = inForce.Hash
	}
	if out.File.Hash == inForce.Hash {
		out.File.Since, out.File.By = inForce.KeptAt, inForce.By
	}
	if out.LiveCalls, err = kept.CountLiveCalls(ctx); err != nil {
		out.Unknown = append(out.Unknown, "The live calls cannot be counted: "+wording.Sentence(wording.Plain(err)))
	}
	counts, err := kept.CountFindings(ctx)
	if err != nil {
		out.Unknown = append(out.Unknown, "The findings cannot be read: "+wording.Sentence(wording.Plain(err)))
	}
	for _, n := range counts {
		out.Findings = append(out.Findings, api.StatusFinding{Code: n.Code, Severity: string(n.Severity), Integrations: n.Integrations})
	}
}
