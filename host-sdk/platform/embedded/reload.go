package embedded

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

const pollFile = time.Second

// Status says which file is in force.
type Status struct {
	Path     string
	Hash     string // of the file in force
	LoadedAt time.Time
	Warnings []switchboardfile.Problem // of the file in force
	Refused  []switchboardfile.Problem // why the file as it is now on disk is not in force; nil: it is
	// RefusedSince is when a file was first refused after the last good one; zero without Refused.
	RefusedSince time.Time
}

// Status returns which file is in force, and why a newer one is not.
func (p *Platform) Status() Status {
	p.statusMu.Lock()
	defer p.statusMu.Unlock()
	return p.status
}

// File returns the file in force.
func (p *Platform) File() *switchboardfile.File { return p.current.Load() }

// Reload reads the file now. A file that is wrong leaves the old one in force and is returned as an
// error (invalid); Status keeps its problems.
func (p *Platform) Reload(ctx context.Context) error {
	defer p.loaded(ctx)
	loaded, problems := switchboardfile.Load(p.cfg.File)
	p.statusMu.Lock()
	if loaded == nil {
		if p.status.Refused == nil {
			p.status.RefusedSince = p.clock.Now()
		}
		p.status.Refused = problems
		p.statusMu.Unlock()
		p.log.Error("the changed switchboard file is refused, the old one stays in force", "file", p.cfg.File, "problems", switchboardfile.Text(problems))
		return refusedFile(p.cfg.File, problems)
	}
	same, refusedSince := p.status.Hash == loaded.Hash, p.status.RefusedSince
	p.status.Refused, p.status.RefusedSince = nil, time.Time{}
	if same {
		p.statusMu.Unlock()
		if !refusedSince.IsZero() {
			p.log.Info("the switchboard file on disk is right again: it is the one in force", "file", p.cfg.File, "refused_since", refusedSince)
		}
		return nil
	}
	p.status = Status{Path: p.cfg.File, Hash: loaded.Hash, LoadedAt: p.clock.Now(), Warnings: problems}
	p.current.Store(loaded)
	p.statusMu.Unlock()
	p.log.Info("the changed switchboard file is in force", "file", p.cfg.File, "teams", len(loaded.Teams), "users", len(loaded.Users))
	p.HintAll()
	return nil
}

// fileState is how a file looks from outside.
type fileState struct {
	modified time.Time
	size     int64
	missing  bool
}

// fileState treats a file that cannot be opened as missing: reading it will say why. Once it can be,
// after its mode or owner was corrected, it has changed, whatever its time of modification.
func (p *Platform) fileState() fileState {
	info, err := os.Stat(p.cfg.File)
	if err != nil || !info.Mode().IsRegular() {
		return fileState{missing: true}
	}
	f, err := os.Open(p.cfg.File)
	if err != nil {
		return fileState{missing: true}
	}
	_ = f.Close()
	return fileState{modified: info.ModTime(), size: info.Size()}
}

// runReload looks at the file each second and reads it when it has changed and then stayed the same
// for a second, so that a file that is still being written is not taken for a whole one.
func (p *Platform) runReload(ctx context.Context) {
	read := p.stateAtLoad
	before := read
	for clock.Sleep(ctx, p.clock, pollFile) == nil {
		now := p.fileState()
		if now != read && now == before {
			_ = p.Reload(ctx) // logged, and kept in Status
			read = now
		}
		before = now
	}
}

// FileError is in the chain of the error for a file that is wrong.
type FileError struct{ Problems []switchboardfile.Problem }

// Error lists the problems, one a line.
func (e *FileError) Error() string { return switchboardfile.Text(e.Problems) }

// refusedFile is the error for a file that cannot be used.
func refusedFile(path string, problems []switchboardfile.Problem) error {
	return &integration.Error{Kind: integration.KindInvalid, Err: &FileError{problems},
		Message: fmt.Sprintf("the switchboard file %s has %d problems:\n%s", path, switchboardfile.Count(problems), switchboardfile.Text(problems))}
}
