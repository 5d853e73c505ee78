package embedded

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

const pollFile = time.Second

// Status says which file is in force.
type Status struct {
	Path     string
	Hash     string // of the file in force
	LoadedAt time.Time
	Warnings []Problem // of the file in force
	Refused  []Problem // why the file as it is now on disk is not in force; nil: it is
}

// Status tells which file is in force, and why a newer one is not.
func (p *Platform) Status() Status {
	p.statusMu.Lock()
	defer p.statusMu.Unlock()
	return p.status
}

// File returns the file in force.
func (p *Platform) File() *File { return p.file.Load() }

// Reload reads the file now. A file that is wrong leaves the old one in force and is returned as an error (invalid); Status keeps its
// problems.
func (p *Platform) Reload(ctx context.Context) error {
	file, problems := loadWith(p.cfg.File, p.cfg.Rules)
	p.statusMu.Lock()
	if file == nil {
		p.status.Refused = problems
		p.statusMu.Unlock()
		p.log.Error("the changed switchboard file is refused, the old one stays in force", "file", p.cfg.File, "problems", problemText(problems))
		return refusedFile(p.cfg.File, problems)
	}
	same := p.status.Hash == file.Hash
	p.status.Refused = nil
	if same {
		p.statusMu.Unlock()
		return nil
	}
	p.status = Status{Path: p.cfg.File, Hash: file.Hash, LoadedAt: p.clock.Now(), Warnings: problems}
	p.file.Store(file)
	p.statusMu.Unlock()
	p.log.Info("the changed switchboard file is in force", "file", p.cfg.File, "teams", len(file.Teams), "users", len(file.Users))
	p.hintLive(ctx)
	return nil
}

// hintLive hints at every alert that is not over: names, people and teams may have changed.
func (p *Platform) hintLive(ctx context.Context) {
	alerts, err := queryAlerts(ctx, p.db.Read(), "select "+alertColumns+" from embedded_alerts where status in ($1, $2, $3)",
		string(integration.AlertQueued), string(integration.AlertOpen), string(integration.AlertAcknowledged))
	if err != nil {
		p.complain(ctx, "live alerts cannot be read after a change of the file", err)
		return
	}
	for _, a := range alerts {
		p.hub.send(platform.Hint{Scope: a.scope, AlertKey: a.key})
	}
}

// stamp is how a file looks from outside.
type stamp struct {
	modified time.Time
	size     int64
	missing  bool
}

func (p *Platform) stamp() stamp {
	info, err := os.Stat(p.cfg.File)
	if err != nil {
		return stamp{missing: true}
	}
	return stamp{modified: info.ModTime(), size: info.Size()}
}

// runReload looks at the file each second and reads it when it has changed and then stayed the same for a second, so
// that a file that is still being written is not taken for a whole one.
func (p *Platform) runReload(ctx context.Context) {
	done := p.stampAtLoad
	before := done
	for clock.Sleep(ctx, p.clock, pollFile) == nil {
		now := p.stamp()
		if now != done && now == before {
			_ = p.Reload(ctx) // logged, and kept in Status
			done = now
		}
		before = now
	}
}

func problemText(problems []Problem) string {
	lines := make([]string, 0, len(problems))
	for _, pr := range problems {
		if !pr.Warning {
			lines = append(lines, pr.String())
		}
	}
	return strings.Join(lines, "\n")
}

// FileError is in the chain of the error for a file that is wrong.
type FileError struct{ Problems []Problem }

// Error lists the problems, one a line.
func (e *FileError) Error() string { return problemText(e.Problems) }

func refusedFile(path string, problems []Problem) error {
	return &integration.Error{Kind: integration.KindInvalid, Err: &FileError{problems},
		Message: fmt.Sprintf("the switchboard file %s has %s:\n%s", path, count(fatalCount(problems), "problem", "problems"), problemText(problems))}
}

func fatalCount(problems []Problem) int {
	n := 0
	for _, pr := range problems {
		if !pr.Warning {
			n++
		}
	}
	return n
}

// Health implements platform.Platform: whether alerts can be read. A refused new file is no reason to stop serving calls
// with the old one; Status tells of it.
func (p *Platform) Health(ctx context.Context) error {
	var n int
	err := p.db.Read().QueryRowContext(ctx, "select count(*) from embedded_alerts where id = $1", "").Scan(&n)
	return sqldb.Error("read alerts", err)
}
