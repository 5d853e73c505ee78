package api

import (
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Status is a host at a glance. The command line prints it, and reads it from the store where no
// host runs.
type Status struct {
	// As in /readyz; not_running where the store was read because no host runs.
	Status    string          `json:"status"`
	Version   string          `json:"version"`
	Started   time.Time       `json:"started_at,omitzero"` // zero: no host runs
	Uptime    int64           `json:"uptime_seconds"`      // of this host
	Database  StatusDatabase  `json:"database"`            // where everything is kept
	File      StatusFile      `json:"switchboard_file"`    // in force
	Hosts     []store.Host    `json:"hosts"`               // as in /hosts
	Plugins   []StatusPlugin  `json:"plugins"`             // of this host, by id
	LiveCalls int             `json:"live_calls"`          // of all integrations
	Findings  []StatusFinding `json:"findings"`            // by code
	// As in /readyz, each with its remedy.
	Checks map[string]StatusCheck `json:"checks"`
	// What could not be read, a sentence each.
	Unknown []string `json:"unknown,omitempty"`
}

// StatusDatabase names the database, without a password.
type StatusDatabase struct {
	Kind string `json:"kind"` // SQLite, PostgreSQL
	Name string `json:"name"`
}

// StatusFile is the switchboard file in force.
type StatusFile struct {
	Path    string `json:"path"` // of the host's own file
	Hash    string `json:"hash"` // SHA-256 without the settings
	OnDisk  bool   `json:"on_disk"`
	Refused string `json:"refused,omitempty"` // why the file on disk is not in force
	// Since when it is in force, and the machine of the host that put it into force, as the store
	// has it; zero and "": the store has another file, or does not say.
	Since time.Time `json:"since,omitzero"`
	By    string    `json:"by,omitempty"`
}

// StatusPlugin is an installed plugin.
type StatusPlugin struct {
	ID        string `json:"id"`
	Version   string `json:"version"`
	State     string `json:"state"`
	Restarts  int    `json:"restarts"`
	LastError string `json:"last_error,omitempty"`
}

// StatusFinding says how many integrations show a warning beside their form.
type StatusFinding struct {
	Code         string `json:"code"`
	Severity     string `json:"severity"`
	Integrations int    `json:"integrations"`
}

// StatusCheck is a check of /readyz.
type StatusCheck struct {
	State   string    `json:"state"`
	Message string    `json:"message"`
	Remedy  string    `json:"remedy,omitempty"` // what to do; "" while it is ok
	Since   time.Time `json:"since,omitzero"`
}

// getStatus answers GET /status.
func (a *API) getStatus(w http.ResponseWriter, r *http.Request) error {
	if a.cfg.Status == nil {
		return apikit.Refuse(http.StatusNotImplemented, "unsupported", "this host does not know its status")
	}
	w.Header().Set("Cache-Control", "no-store")
	httpkit.WriteJSON(w, http.StatusOK, a.cfg.Status(r.Context()))
	return nil
}
