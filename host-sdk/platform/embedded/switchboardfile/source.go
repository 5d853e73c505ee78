package switchboardfile

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const pollFile = time.Second

// SourceConfig says which file is read, and whom its changes concern.
type SourceConfig struct {
	Path   string
	Clock  clock.Clock
	Logger *slog.Logger // nil: slog.Default
	// Instead is used for the start in place of the file as it is on disk, which is read again when
	// it changes; nil: the file is read, and must be right.
	Instead *Instead
	// Publish is called with a file that was changed on disk, before it comes into force: it is
	// that of several hosts. A file on disk that is another one than the one in force, but has not
	// changed, stays out of force. nil: the file on disk is in force.
	Publish func(ctx context.Context, changed *File)
	// OnLoad is called with the file in force, and why the one on disk is not (nil: it is), when
	// Open has loaded the first one and whenever that changes; nil: nobody is interested.
	OnLoad func(ctx context.Context, inForce *File, refused []Problem)
}

// Instead is the file as it was read before, or an earlier version of it. A host starts by it
// although its file is wrong just now: the one it knew last is better than none.
type Instead struct {
	File    *File
	Refused []Problem // why the file on disk is not used, for Status; nil: it is, or it is OnDisk
	// What is on disk, where hosts share the one in force; nil: File, unless Refused.
	OnDisk *File
}

// Status says which file is in force.
type Status struct {
	Path     string
	Hash     string // of the file in force
	LoadedAt time.Time
	Warnings []Problem // of the file in force
	Refused  []Problem // why the file as it is now on disk is not in force; nil: it is
	// RefusedSince is when a file was first refused after the last good one; zero without Refused.
	RefusedSince time.Time
}

// Source is a switchboard file that is read again when it changes. A bad new file leaves the old
// one in force, and so does one with another platform, which a running host cannot exchange.
// Whoever asks for the file reads a pointer and waits for no lock; the lock is for those who
// exchange it.
type Source struct {
	cfg     SourceConfig
	log     *slog.Logger
	current atomic.Pointer[File]

	reloading sync.Mutex // held while the file is read and put in force: who reads last decides

	mu          sync.Mutex // guards the rest
	written     *File      // the one in force without shifts
	shifts      Shifts     // those of current
	status      Status
	stateAtLoad fileState
	// SharedHash of the file on disk when it could last be used; "": it never could.
	onDisk   string
	onChange []func()
}

// Open loads the file. One with problems is invalid; a [FileError] in the error's chain lists them.
// [Source.Run] takes changes over.
func Open(ctx context.Context, cfg SourceConfig) (*Source, error) {
	if cfg.Path == "" || cfg.Clock == nil {
		return nil, integration.Errorf(integration.KindInvalid, "switchboard file: path and clock are needed")
	}
	s := &Source{cfg: cfg, log: cfg.Logger, status: Status{Path: cfg.Path, LoadedAt: cfg.Clock.Now()}}
	if s.log == nil {
		s.log = slog.Default()
	}
	loaded := (*File)(nil)
	if cfg.Instead != nil {
		// stateAtLoad stays empty, so that the file on disk is looked at once more.
		loaded = cfg.Instead.File
		if s.status.Refused = cfg.Instead.Refused; s.status.Refused != nil {
			s.status.RefusedSince = s.status.LoadedAt
		} else if s.onDisk = loaded.SharedHash(); cfg.Instead.OnDisk != nil {
			s.onDisk = cfg.Instead.OnDisk.SharedHash()
		}
	} else {
		s.stateAtLoad = s.fileState() // before the read: a change after it is noticed
		var problems []Problem
		if loaded, problems = Load(cfg.Path); loaded == nil {
			return nil, refusedFile(cfg.Path, problems)
		}
		s.onDisk = loaded.SharedHash()
	}
	// They keep nothing from working, so somebody must come across them in the log.
	for _, w := range loaded.Warnings {
		s.log.Warn("switchboard file", "problem", w.String())
	}
	s.status.Hash, s.status.Warnings = loaded.Hash, loaded.Warnings
	s.written = loaded
	s.current.Store(loaded)
	s.loaded(ctx)
	return s, nil
}

// loaded calls the hook with the state of the file. It runs without the lock, as the hook may ask
// for Status.
func (s *Source) loaded(ctx context.Context) {
	if s.cfg.OnLoad != nil {
		s.cfg.OnLoad(ctx, s.File(), s.Status().Refused)
	}
}

// SetShifts changes who is on call, in the file in force and in those after it. It counts as a
// change of the file; see [Source.OnChange]. The functions are called after the exchange, so that
// they see the new file.
func (s *Source) SetShifts(shifts Shifts) {
	s.mu.Lock()
	s.shifts = shifts
	s.current.Store(s.written.WithShifts(shifts))
	told := s.onChange
	s.mu.Unlock()
	for _, f := range told {
		f()
	}
}

// File returns the file in force, with the shifts that people changed.
func (s *Source) File() *File { return s.current.Load() }

// Status returns which file is in force, and why a newer one is not.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// OnChange has f called whenever another file has come into force. It must be called before Run,
// and f must not wait for a reload.
func (s *Source) OnChange(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onChange = append(s.onChange, f)
}

// Reload reads the file now. A file that is wrong leaves the old one in force and is returned as an
// error (invalid); Status keeps its problems. What was there when Reload was called is in force, or
// refused, when it returns, whoever else reads the file at the same time.
func (s *Source) Reload(ctx context.Context) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	defer s.loaded(ctx)
	loaded, problems := Load(s.cfg.Path)
	if loaded != nil {
		if s.unchanged(loaded) {
			s.rightAgain()
			return nil
		}
		if other := s.otherPlatform(loaded); other != nil {
			loaded, problems = nil, other
		}
	}
	s.mu.Lock()
	if loaded == nil {
		if s.status.Refused == nil {
			s.status.RefusedSince = s.cfg.Clock.Now()
		}
		s.status.Refused = problems
		s.mu.Unlock()
		s.log.Error("the changed switchboard file is refused, the old one stays in force", "file", s.cfg.Path, "problems", Text(problems))
		return refusedFile(s.cfg.Path, problems)
	}
	// A file that was touched or written again with the same content is no change.
	same := s.status.Hash == loaded.Hash
	s.mu.Unlock()
	if same {
		s.rightAgain()
		return nil
	}
	if s.cfg.Publish != nil {
		s.cfg.Publish(ctx, loaded)
	}
	s.use(loaded, nil, time.Time{})
	return nil
}

// otherPlatform is why a file cannot come into force while the host runs; nil: it can. The problem
// says that a restart is all that it takes.
func (s *Source) otherPlatform(f *File) []Problem {
	if f.Platform == s.File().Platform {
		return nil
	}
	waits := f.ProblemAt("/platform", "another platform takes a restart of switchboard: until then the old one stays in force, and with it the rest of the file")
	waits.Restart = true
	return []Problem{waits}
}

// rightAgain ends a refusal: what is on disk can be used. It logs only where there was something
// wrong.
func (s *Source) rightAgain() {
	s.mu.Lock()
	since := s.status.RefusedSince
	s.status.Refused, s.status.RefusedSince = nil, time.Time{}
	s.mu.Unlock()
	if !since.IsZero() {
		s.log.Info("the switchboard file on disk is right again", "file", s.cfg.Path, "refused_since", since)
	}
}

// use puts a file in force. refused is why the one on disk is not, since when; nil: it is. The
// functions of OnChange run on this goroutine, after the lock is free.
func (s *Source) use(f *File, refused []Problem, since time.Time) {
	s.mu.Lock()
	s.status = Status{Path: s.cfg.Path, Hash: f.Hash, LoadedAt: s.cfg.Clock.Now(), Warnings: f.Warnings, Refused: refused, RefusedSince: since}
	s.written = f
	s.current.Store(f.WithShifts(s.shifts))
	told := s.onChange
	s.mu.Unlock()
	s.log.Info("the changed switchboard file is in force", "file", s.cfg.Path, "teams", len(f.Teams), "users", len(f.Users))
	for _, f := range told {
		f()
	}
}

// fileState is how a file looks from outside.
type fileState struct {
	modified time.Time
	size     int64
	missing  bool
}

// fileState treats a file that cannot be opened as missing: reading it will say why. Once it can
// be, after its mode or owner was corrected, it has changed, whatever its time of modification.
func (s *Source) fileState() fileState {
	info, err := os.Stat(s.cfg.Path)
	if err != nil || !info.Mode().IsRegular() {
		return fileState{missing: true}
	}
	f, err := os.Open(s.cfg.Path)
	if err != nil {
		return fileState{missing: true}
	}
	_ = f.Close()
	return fileState{modified: info.ModTime(), size: info.Size()}
}

// Run looks at the file each second and reads it when it has changed and then stayed the same for a
// second, so that a file that is still being written is not taken for a whole one. It returns ctx's
// error when ctx ends. Files are looked at rather than watched: that works on every file system,
// also for a ConfigMap or a share.
func (s *Source) Run(ctx context.Context) error {
	read := s.stateAtLoad
	before := read
	for clock.Sleep(ctx, s.cfg.Clock, pollFile) == nil {
		now := s.fileState()
		// Changed since it was read, and not within the last second.
		if now != read && now == before {
			_ = s.Reload(ctx) // logged, and kept in Status
			read = now
		}
		before = now
	}
	return ctx.Err()
}

// FileError is in the chain of the error for a file that is wrong.
type FileError struct{ Problems []Problem }

// Error lists the problems, one a line.
func (e *FileError) Error() string { return Text(e.Problems) }

// refusedFile is the error for a file that cannot be used. Its text lists all problems, as it may
// be all that somebody sees.
func refusedFile(path string, problems []Problem) error {
	return &integration.Error{Kind: integration.KindInvalid, Err: &FileError{problems},
		Message: fmt.Sprintf("the switchboard file %s has %d problems:\n%s", path, Count(problems), Text(problems))}
}
