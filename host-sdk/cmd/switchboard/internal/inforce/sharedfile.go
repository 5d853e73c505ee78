package inforce

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Notice is what the other hosts hear once another switchboard file is in force.
const Notice = "switchboard-file"

const (
	sharedEvery = 3 * time.Second // how often the file in force is looked for, on the wall clock
	shownHash   = 12              // characters of a hash that people are shown
)

// Shared is the switchboard file in force of hosts that share a store, which is kept there. A host
// whose own file changes while it runs puts it there, and the others take it over. Its methods may
// be called by several goroutines.
type Shared struct {
	store  store.Store
	Source *switchboardfile.Source // set before Run
	path   string
	clock  clock.Clock
	log    *slog.Logger
	Send   func(notice string) // to the other hosts; nil: they look by themselves
	wake   chan struct{}       // has room for one: there may be another file

	mu      sync.Mutex
	pending *switchboardfile.File // changed here, and not stored yet
	last    Kept                  // as it was last read
	trouble string                // why the one in the store is not in force here; "": it is
}

// NewShared makes the file that hosts share in a store; path names this host's own. Run looks for
// changes.
func NewShared(kept store.Store, path string, clk clock.Clock, log *slog.Logger) *Shared {
	return &Shared{store: kept, path: path, clock: clk, log: log, wake: make(chan struct{}, 1)}
}

// Start is what a host starts with: the file in force, and the settings with its platform. Its own
// file comes into force where there is none yet, which is stored if publish says so. An own file
// with errors has been replaced by the copy before; own.Refused says so.
func Start(ctx context.Context, s settings.Settings, own *LastGood, publish bool, log *slog.Logger) (settings.Settings, *LastGood, error) {
	if own == nil {
		file, problems := switchboardfile.Load(s.ConfigPath)
		if file == nil {
			return s, nil, &switchboardfile.FileError{Problems: problems}
		}
		own = &LastGood{File: file}
	}
	if own.Refused != nil {
		return s, own, nil // it has been read from the store
	}
	var inForce *LastGood
	err := datadir.WithStore(ctx, s, func(kept store.Store) (err error) {
		if publish {
			text, err := encodeKept(own.File, s.Clock.Now())
			if err != nil {
				return err
			}
			// Without effect where there is one: of several hosts that start at once, one is first.
			if _, err := kept.InitSetting(ctx, lastGoodSetting, text); err != nil {
				return err
			}
		}
		// Serving with its own file is better than not to start.
		if inForce, err = readLastGood(ctx, s.ConfigPath, kept); err != nil && integration.KindOf(err) == integration.KindInternal {
			log.Error("the switchboard file in force cannot be used by this host, which goes by its own", "error", err)
			return nil
		}
		return err
	})
	if err != nil || inForce == nil || inForce.File.SharedHash() == own.File.SharedHash() {
		return s, own, err
	}
	inForce.OnDisk = own.File
	var problems []switchboardfile.Problem
	// Another platform needs its secrets read here, on this machine.
	if s.Platform, problems = settings.ReadPlatform(inForce.File); len(problems) > 0 {
		return s, nil, fmt.Errorf("the switchboard file in force, which the hosts share: %w", &switchboardfile.FileError{Problems: problems})
	}
	return s, inForce, nil
}

// Publish stores a file that was changed on this host. It is stored later if that fails. It is in
// force here by then.
func (k *Shared) Publish(ctx context.Context, f *switchboardfile.File) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pending = f
	if err := k.storePending(ctx); err != nil {
		k.log.Error("the changed switchboard file is in force here, but could not be handed to the other hosts yet", "error", err)
	}
}

// storePending stores the file that waits for it. k.mu is held. A host that changed the same file
// to the same text first has done it already.
func (k *Shared) storePending(ctx context.Context) error {
	if k.pending == nil {
		return nil
	}
	old, err := Read(ctx, k.store)
	if err != nil {
		return err
	}
	if old.Hash != k.pending.SharedHash() {
		text, err := encodeKept(k.pending, k.clock.Now())
		if err != nil {
			return err
		}
		if err := k.store.SetSetting(ctx, lastGoodSetting, text); err != nil {
			return err
		}
		k.log.Info("the changed switchboard file is handed to the other hosts", "hash", k.pending.SharedHash())
		if k.Send != nil {
			k.Send(Notice)
		}
	}
	k.pending = nil
	return nil
}

// Heard has the file looked for now. It never waits.
func (k *Shared) Heard() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Run takes over what other hosts put into force until ctx ends. A notice may be lost, hence the
// ticker.
func (k *Shared) Run(ctx context.Context) error {
	tick := time.NewTicker(sharedEvery)
	defer tick.Stop()
	failed := false
	for {
		err := k.look(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			k.log.Warn("the switchboard file in force cannot be read from the database: the last one stays", "error", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-k.wake:
		}
	}
}

// look stores what waits, or else takes over what is stored. One that cannot be used here is
// reported once. What was changed here comes before what others have stored: it is newer, or was
// never seen by them.
func (k *Shared) look(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pending != nil {
		return k.storePending(ctx)
	}
	stored, err := Read(ctx, k.store)
	if err != nil || stored.Text == nil {
		return err
	}
	k.last = stored
	if stored.Hash == k.Source.File().SharedHash() {
		k.trouble = ""
		return nil
	}
	file, problems := switchboardfile.Parse(k.path, stored.Text)
	trouble := switchboardfile.Text(problems)
	if file != nil {
		trouble = ""
		if err := k.Source.Take(file); err != nil {
			trouble = wording.Plain(err)
		}
	}
	if trouble != "" && trouble != k.trouble {
		k.log.Error("the switchboard file that another host put into force cannot be used here: the old one stays", "by", stored.By, "at", stored.KeptAt, "problems", trouble)
	}
	if k.trouble = trouble; trouble == "" {
		k.log.Info("the switchboard file of another host is taken over", "by", stored.By, "at", stored.KeptAt, "hash", file.SharedHash())
	}
	return nil
}

// Check says whether the file in force is the one of this host. It names both by their hashes, and
// no machine: who asks whether a host is ready need not be known. It reads nothing: look has.
func (k *Shared) Check(context.Context) health.Check {
	k.mu.Lock()
	defer k.mu.Unlock()
	own, inForce := k.Source.OnDisk(), k.Source.File().SharedHash()
	switch {
	case k.pending != nil:
		return health.Check{State: health.StateDegraded, Message: "The changed switchboard file is in force on this host, but could not be handed to the others yet."}
	case k.trouble != "":
		return health.Check{State: health.StateDegraded, Message: fmt.Sprintf("The switchboard file that the hosts share (%.*s) cannot be used here, so the old one (%.*s) stays in force: %s",
			shownHash, k.last.Hash, shownHash, inForce, wording.Sentence(k.trouble))}
	case own == "" || own == inForce:
		// What is wrong with a file that cannot be used is another check.
		return health.OK("The switchboard file in force is the one that the hosts share.")
	}
	return health.Check{State: health.StateDegraded, Message: fmt.Sprintf(
		"The switchboard file of this host (%.*s) is not the one in force (%.*s). Put it into force with switchboard config push, or give this host the same file as the others.",
		shownHash, own, shownHash, inForce)}
}

// Push puts a file into force for all hosts. One with problems is invalid, and the error lists
// them. It is checked with the secrets of this machine. This host takes it over like the others, by
// look.
func (k *Shared) Push(ctx context.Context, text []byte) (hash string, err error) {
	file, problems := switchboardfile.Parse(k.path, text)
	if file != nil {
		_, problems = settings.ReadPlatform(file)
	}
	if file == nil || len(problems) > 0 {
		return "", integration.Errorf(integration.KindInvalid, "%s", switchboardfile.Text(problems))
	}
	k.mu.Lock()
	k.pending = file
	err = k.storePending(ctx)
	k.pending = nil // who pushes sees the error, and pushes again
	k.mu.Unlock()
	k.Heard()
	return file.SharedHash(), err
}
