package inforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/shellword"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	lastGoodSetting = "switchboard_file" // the store's setting that holds a Kept as JSON
	fileFinding     = "switchboard-file" // code of the finding of a file that is not in force
)

// Kept is the last good copy as it is stored: JSON in a setting, which is encrypted, as the
// file holds telephone numbers and may hold passwords.
//
// It is one value, as a host of an earlier release writes it whole, without the hash: so no hash is
// ever beside the text of another file. Hosts of the next release may add fields; unknown ones are
// lost when this one writes.
type Kept struct {
	Text   []byte    `json:"text"`
	Hash   string    `json:"hash,omitempty"` // of the text without its settings
	KeptAt time.Time `json:"kept_at"`
	By     string    `json:"by,omitempty"` // the machine of the host that put it into force
}

// encodeKept is a file as it is stored. A machine without a name is "".
func encodeKept(f *switchboardfile.File, now time.Time) (string, error) {
	by, _ := os.Hostname()
	text, err := json.Marshal(Kept{Text: f.Source(), Hash: f.SharedHash(), KeptAt: now.UTC(), By: by})
	return string(text), err
}

// Read reads the copy; without an error and empty: there is none. A copy of a release that stored
// no hash gets it here. An error is a store that cannot be read, or a copy that is damaged.
func Read(ctx context.Context, from store.Store) (kept Kept, err error) {
	text, err := from.Setting(ctx, lastGoodSetting)
	if integration.KindOf(err) == integration.KindNotFound {
		return kept, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &kept)
	}
	if err == nil && kept.Hash == "" {
		kept.Hash = switchboardfile.SharedHash(kept.Text)
	}
	return kept, err
}

// LastGood is the switchboard file to start with: as it was read just now or, while it is wrong,
// the copy that was last in force. A reboot must not turn a typing error into an outage. It is read
// before anything else of the host exists.
type LastGood struct {
	File   *switchboardfile.File
	KeptAt time.Time // of the copy
	// Why the copy is used; nil: File is the file itself, or OnDisk is.
	Refused []switchboardfile.Problem
	// The host's own, where File is the one that several hosts share.
	OnDisk *switchboardfile.File
}

// ReadLastGood reads the copy from the store that the settings name, before the host is started.
// nil without an error: there is none. It opens the store and closes it again, as the settings for
// the real one are not known yet.
func ReadLastGood(ctx context.Context, s settings.Settings) (*LastGood, error) {
	if !datadir.HasDatabase(s) {
		return nil, nil
	}
	if err := s.KeepSecrets(); err != nil {
		return nil, err
	}
	var good *LastGood
	err := datadir.WithStore(ctx, s, func(kept store.Store) (err error) {
		good, err = readLastGood(ctx, s.ConfigPath, kept)
		return err
	})
	return good, err
}

// readLastGood reads the copy. nil without an error: there is none. path is what problems and
// messages call the file.
func readLastGood(ctx context.Context, path string, kept store.Store) (*LastGood, error) {
	copied, err := Read(ctx, kept)
	if err != nil || copied.Text == nil {
		return nil, err
	}
	file, problems := switchboardfile.Parse(path, copied.Text)
	if file == nil { // this release asks more of the file than the one that kept it
		return nil, integration.Errorf(integration.KindInternal, "the last good copy cannot be used either:\n%s", switchboardfile.Text(problems))
	}
	return &LastGood{File: file, KeptAt: copied.KeptAt}, nil
}

// Keeper keeps the last good copy, and says at every integration when the file is not in force.
type Keeper struct {
	Store  store.Store
	Clock  clock.Clock
	Logger *slog.Logger

	Shared  bool                   // several hosts share the file: see Shared, which keeps it
	Reloads *prometheus.CounterVec // by result: ok, refused
}

// Loaded takes note of the file in force, and of why the one on disk is not (nil: it is). What
// fails is logged: the host goes on without it. refused is nil, not empty, for a good file.
func (k *Keeper) Loaded(ctx context.Context, f *switchboardfile.File, refused []switchboardfile.Problem) {
	var err error
	if refused == nil {
		k.Reloads.WithLabelValues("ok").Inc()
		if !k.Shared {
			err = k.keep(ctx, f)
		}
	} else {
		k.Reloads.WithLabelValues("refused").Inc()
	}
	if err = errors.Join(err, k.find(ctx, f, refused)); err != nil {
		k.Logger.Error("cannot take note of the state of the switchboard file", "file", f.Path, "error", err)
	}
}

// keep stores the file unless it is stored already. One with settings that a start would refuse is
// no good copy. An unchanged file costs one read.
func (k *Keeper) keep(ctx context.Context, f *switchboardfile.File) error {
	if _, err := settings.ForFile(settings.Flags{Config: settings.Config{Config: f.Path}}, f, ""); err != nil {
		k.Logger.Warn("the settings in the switchboard file are wrong: the next start will not use it", "file", f.Path, "problem", wording.OneLine(err.Error()))
		return nil
	}
	// A copy that cannot be read is replaced.
	if old, err := Read(ctx, k.Store); err == nil && slices.Equal(old.Text, f.Source()) {
		return nil
	}
	text, err := encodeKept(f, k.Clock.Now())
	if err != nil {
		return err
	}
	return k.Store.SetSetting(ctx, lastGoodSetting, text)
}

// find adds the finding to all integrations, or removes it. It stands at every integration, as
// people look there.
func (k *Keeper) find(ctx context.Context, f *switchboardfile.File, refused []switchboardfile.Problem) error {
	list, err := k.Store.ListIntegrations(ctx)
	if err != nil {
		return err
	}
	finding := integration.Finding{
		Code: fileFinding, Severity: integration.FindingError, Message: NotInForce(f.Path, refused), At: k.Clock.Now(),
	}
	if refused == nil {
		finding.Severity = integration.FindingClear
	}
	for _, in := range list {
		// A finding that is there already, with the same words, costs no write.
		have, err := k.Store.Findings(ctx, in.ID)
		if err != nil {
			return err
		}
		there := slices.ContainsFunc(have, func(f integration.Finding) bool { return f.Code == fileFinding && f.Message == finding.Message })
		gone := !slices.ContainsFunc(have, func(f integration.Finding) bool { return f.Code == fileFinding })
		if refused == nil && gone || refused != nil && there {
			continue
		}
		if err := k.Store.SaveFindings(ctx, in.ID, []integration.Finding{finding}); err != nil {
			return err
		}
	}
	return nil
}

// NotInForce says in words why the file on disk is not in force, and what to do. A file that only
// needs a restart is said to be so; else the first error is named.
func NotInForce(path string, refused []switchboardfile.Problem) string {
	first := ""
	for _, p := range refused {
		if p.Restart {
			return "The changed switchboard file is not in force: " + p.String() + "."
		}
		if !p.Warning {
			first = p.String()
			break
		}
	}
	return fmt.Sprintf("The switchboard file has errors, so the last good version of it is in use. The first: %s. Correct it; switchboard config check --config %s lists all of them.", first, shellword.Path(path))
}
