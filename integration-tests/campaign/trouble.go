package campaign

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the lock of another process on the database

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// Kinds of faults that checks excuse something for.
const (
	hostKilled   = "host killed"
	clockStepped = "clock stepped"
	clockSet     = "clock set while the host runs"
	pluginKilled = "plugin killed"
	pluginFrozen = "plugin frozen"
	upgraded     = "plugin upgraded"
	diskFull     = "disk full"
	locked       = "database locked"
	restRefuses  = "REST refuses"
	mailTrouble  = "mail server"
	platformFail = "platform down"
	serverAway   = "PostgreSQL restarts"
	cut          = "connections cut"
)

// Lanes of faults: one of each may be in force at a time.
const (
	laneProgram = iota // processes, disk, database
	laneTwilio         // requests in both directions
	laneAround         // mail server, people
	laneOutside        // another product's platform
	lanes
)

// fault is one kind of trouble. begin disturbs until it returns; what it leaves behind, heal mends.
type fault struct {
	lane   int
	name   string
	group  string // of the constants above; "": nothing is excused for it
	weight int
	begin  func(t *trouble, r *rand.Rand) error
}

// window is when a fault was in force, of the simulator's time.
type window struct {
	Name, Group string
	From, To    time.Time
}

// trouble disturbs a stack.
type trouble struct {
	ctx       context.Context
	stack     *demo.Stack
	hosts     []*demo.Host // of the stack, one or two
	shared    *shared      // nil: there is one host, on SQLite
	office    *postOffice
	outside   *outside // nil: people and alerts are the host's own
	plugins   string   // the folder of plugins, a copy of its own
	manifest  string
	file      string // the switchboard file
	hotlines  []*hotline
	hostClock *clock.Leader
	// By how much the clock of the host's machine is ahead of the simulator's.
	off      time.Duration
	walks    bool // it was set while the host ran, which may still make up the difference
	upgrades int
	first    []string // faults of laneProgram that come first

	mu      sync.Mutex
	windows []window
	earlier []window // of the waves before
}

// now is the simulator's time.
func (t *trouble) now() time.Time { return t.stack.Sim.Now() }

// sleep waits d of the simulator's time.
func (t *trouble) sleep(d time.Duration) { _ = clock.Sleep(t.ctx, t.stack.Sim.Clock(), d) }

// faults are all kinds, with how often each comes in proportion.
func faults() []fault {
	webhook, callback, rest := twiliosim.OnWebhook, twiliosim.OnCallback, twiliosim.OnREST
	arm := func(name, on, do string, change func(r *rand.Rand, f *twiliosim.Fault)) fault {
		group := ""
		if on == rest {
			group = restRefuses
		}
		return fault{laneTwilio, name, group, 3, func(t *trouble, r *rand.Rand) error {
			f := twiliosim.Fault{On: on, Do: do, Count: 1 + r.IntN(4)}
			if on == rest {
				f.Count = 2 + r.IntN(10)
			}
			if change != nil {
				change(r, &f)
			}
			return t.arm(f, between(r, 5*time.Second, 30*time.Second))
		}}
	}
	status := func(status, code int, match string) func(*rand.Rand, *twiliosim.Fault) {
		return func(_ *rand.Rand, f *twiliosim.Fault) { f.Status, f.Code, f.Match = status, code, match }
	}
	late := func(r *rand.Rand, f *twiliosim.Fault) { f.Delay = between(r, 500*time.Millisecond, 9*time.Second) }
	return []fault{
		{laneProgram, pluginKilled, pluginKilled, 6, (*trouble).killPlugin},
		{laneProgram, pluginFrozen, pluginFrozen, 3, (*trouble).freezePlugin},
		{laneProgram, upgraded, upgraded, 2, (*trouble).upgradePlugin},
		{laneProgram, hostKilled, hostKilled, 2, (*trouble).killHost},
		{laneProgram, clockStepped, clockStepped, 1, (*trouble).stepClock},
		{laneProgram, clockSet, clockSet, 3, (*trouble).setClock},
		{laneProgram, diskFull, diskFull, 2, (*trouble).fillDisk},
		{laneProgram, locked, locked, 3, (*trouble).lockDatabase},
		{laneProgram, serverAway, serverAway, 3, (*trouble).restartServer},
		{laneProgram, cut, "", 4, (*trouble).cutConnections},
		{laneAround, "people change", "", 3, (*trouble).changePeople},
		{laneAround, "broken file", "", 2, (*trouble).breakFile},
		{laneAround, "mail server down", mailTrouble, 2, mailFault(mailDown)},
		{laneAround, "mail server hangs", mailTrouble, 2, mailFault(mailHangs)},
		{laneAround, "mail server refuses for now", mailTrouble, 2, mailFault(mailRefuses)},
		{laneAround, "mail server refuses for good", mailTrouble, 1, mailFault(mailNever)},
		{laneOutside, "hints lost", "", 3, outsideFault(hintsLost)},
		{laneOutside, "hints doubled", "", 2, outsideFault(hintsDoubled)},
		{laneOutside, "hints late", "", 2, outsideFault(hintsLate)},
		{laneOutside, platformFail, platformFail, 2, outsideFault(platformDown)},
		arm("webhooks lost", webhook, twiliosim.FaultLose, nil),
		arm("answers to webhooks lost", webhook, twiliosim.FaultLoseAnswer, nil),
		arm("webhooks doubled", webhook, twiliosim.FaultDouble, nil),
		arm("webhooks late", webhook, twiliosim.FaultDelay, late),
		arm("callbacks lost", callback, twiliosim.FaultLose, nil),
		arm("callbacks doubled", callback, twiliosim.FaultDouble, nil),
		arm("callbacks late", callback, twiliosim.FaultDelay, late),
		arm("REST 429", rest, twiliosim.FaultStatus, status(429, 0, "")),
		arm("REST 500", rest, twiliosim.FaultStatus, status(500, 0, "")),
		arm("REST 503", rest, twiliosim.FaultStatus, status(503, 0, "")),
		arm("REST time-out", rest, twiliosim.FaultLose, nil),
		arm("REST answers lost", rest, twiliosim.FaultLoseAnswer, nil),
		arm("REST connections reset", rest, twiliosim.FaultReset, nil),
		arm("REST 404", rest, twiliosim.FaultStatus, status(404, 20404, `^POST .*/Calls/CA`)),
		arm("REST 21220", rest, twiliosim.FaultStatus, status(400, 21220, `^POST .*/Calls/CA`)),
	}
}

// run brings one fault of each lane after the other until ctx is done. It returns the errors of
// faults that could not be brought about.
func (t *trouble) run(seed uint64, wave int, gap time.Duration, storage bool) error {
	var all [lanes][]fault
	for _, f := range faults() {
		if !t.applies(f.name, storage) {
			continue
		}
		all[f.lane] = append(all[f.lane], f)
	}
	var errs [lanes]error
	var running sync.WaitGroup
	for lane, some := range all {
		if lane == laneOutside && t.outside == nil {
			continue
		}
		running.Go(func() { errs[lane] = t.runLane(some, seed, wave, gap) })
	}
	running.Wait()
	return errors.Join(errs[:]...)
}

// applies reports whether a fault can happen to this stack: on a server, what depends on files or
// on the clock of a host does not.
func (t *trouble) applies(name string, storage bool) bool {
	switch name {
	case diskFull, locked:
		return storage && t.shared == nil
	case clockStepped, clockSet:
		return t.shared == nil
	case serverAway, cut:
		return t.shared != nil
	default:
		return true
	}
}

// host is one of the hosts.
func (t *trouble) host(r *rand.Rand) *demo.Host {
	if len(t.hosts) == 1 {
		return t.hosts[0]
	}
	return t.hosts[r.IntN(len(t.hosts))]
}

func (t *trouble) runLane(all []fault, seed uint64, wave int, gap time.Duration) error {
	total := 0
	for _, f := range all {
		total += f.weight
	}
	for n := 0; ; n++ {
		r := draw(seed, "fault", all[0].lane, wave, n)
		t.sleep(between(r, gap/2, gap*3/2))
		if t.ctx.Err() != nil {
			break
		}
		f := pick(all, r.IntN(total))
		if n < len(t.first) && wave == 0 && f.lane == laneProgram {
			f = all[slices.IndexFunc(all, func(f fault) bool { return f.name == t.first[n] })]
		}
		from := t.now()
		err := f.begin(t, r)
		t.note(window{f.name, f.group, from, t.now()})
		if err == nil {
			continue
		}
		if t.ctx.Err() == nil {
			return fmt.Errorf("fault %q: %w", f.name, err)
		}
	}
	return nil //nolint:nilerr // the end of the wave has cut the last fault short
}

// pick returns the fault at a place among all, of which each takes as many places as it weighs.
func pick(all []fault, place int) fault {
	for _, f := range all {
		if place -= f.weight; place < 0 {
			return f
		}
	}
	return all[0]
}

func (t *trouble) note(w window) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.windows = append(t.windows, w)
}

// take returns the windows since it was called last, and those before: a host may still make up a
// step of its clock from an earlier wave.
func (t *trouble) take() (windows, earlier []window) {
	t.mu.Lock()
	defer t.mu.Unlock()
	windows, earlier = t.windows, slices.Clone(t.earlier)
	t.windows, t.earlier = nil, append(t.earlier, windows...)
	return windows, earlier
}

// heal ends all faults.
func (t *trouble) heal() error {
	t.stack.Sim.ClearFaults()
	t.office.set(mailWorks)
	if t.outside != nil {
		t.outside.set(hintsArrive, 0)
	}
	if err := t.write(yaml(t.hotlines)); err != nil {
		return err
	}
	if t.off == 0 && !t.walks {
		return nil
	}
	from := t.now()
	err := t.step(-t.off)
	t.note(window{"clock set right", clockStepped, from, t.now()})
	return err
}

// arm disturbs requests of or to the simulated Twilio for d.
func (t *trouble) arm(f twiliosim.Fault, d time.Duration) error {
	id, err := t.stack.Sim.AddFault(f)
	if err != nil {
		return err
	}
	t.sleep(d)
	t.stack.Sim.ClearFault(id)
	return nil
}

func mailFault(mode string) func(*trouble, *rand.Rand) error {
	return func(t *trouble, r *rand.Rand) error {
		t.office.set(mode)
		t.sleep(between(r, 10*time.Second, 90*time.Second))
		t.office.set(mailWorks)
		return nil
	}
}

// outsideFault disturbs the hints or the answers of another product's platform for a while.
func outsideFault(fate string) func(*trouble, *rand.Rand) error {
	return func(t *trouble, r *rand.Rand) error {
		t.outside.set(fate, between(r, time.Second, 30*time.Second))
		t.sleep(between(r, 5*time.Second, 40*time.Second))
		t.outside.set(hintsArrive, 0)
		return nil
	}
}

func (t *trouble) killPlugin(r *rand.Rand) error {
	return signalAll(children(t.host(r).Process.Process.Pid), syscall.SIGKILL)
}

// freezePlugin stops the process; if the host has not replaced it by then, it thaws.
func (t *trouble) freezePlugin(r *rand.Rand) error {
	frozen := children(t.host(r).Process.Process.Pid)
	if err := signalAll(frozen, syscall.SIGSTOP); err != nil {
		return err
	}
	t.sleep(between(r, 500*time.Millisecond, 12*time.Second))
	return signalAll(frozen, syscall.SIGCONT)
}

// upgradePlugin installs another build of the plugin while the hosts run, as an operator does.
// Hosts that share a plugin folder are asked one after the other.
func (t *trouble) upgradePlugin(*rand.Rand) error {
	t.upgrades++
	now, next := filepath.Join(t.plugins, "livecall"), filepath.Join(filepath.Dir(t.plugins), fmt.Sprintf("livecall-%d", t.upgrades))
	if err := os.MkdirAll(next, 0o755); err != nil {
		return err
	}
	binary, err := os.ReadFile(filepath.Join(now, "livecall"))
	if err != nil {
		return err
	}
	// What follows the last section of an executable is not loaded, but changes its hash.
	if err := os.WriteFile(filepath.Join(next, "livecall"), append(binary, '\n'), 0o755); err != nil {
		return err
	}
	if _, err := manifest.Seal(t.manifest, next); err != nil {
		return err
	}
	for _, h := range t.hosts {
		if err := t.install(h, next); err != nil {
			return err
		}
	}
	return os.RemoveAll(next)
}

// install runs the command on the machine of a host.
func (t *trouble) install(h *demo.Host, dir string) error {
	// To its end also where the campaign ends: half an installation is another kind of trouble.
	cmd := exec.CommandContext(context.WithoutCancel(t.ctx), filepath.Join(filepath.Dir(t.plugins), "switchboard"), "plugin", "install", "--unsigned", dir)
	cmd.Env = append(os.Environ(), "SWITCHBOARD_DATA_DIR="+h.DataDir, "SWITCHBOARD_PLUGIN_DIR="+t.plugins, "SWITCHBOARD_API_TOKEN="+t.stack.Token)
	out, err := cmd.CombinedOutput()
	if err == nil && !strings.Contains(string(out), "the running switchboard uses it") {
		err = errors.New("no running switchboard was found")
	}
	if err != nil {
		return fmt.Errorf("the plugin cannot be upgraded: %w: %s", err, out)
	}
	return nil
}

// killHost kills a host and starts it again after a while.
func (t *trouble) killHost(r *rand.Rand) (err error) {
	d := between(r, 0, 3*time.Second)
	h := t.host(r)
	if err := h.Kill(); err != nil {
		return err
	}
	_ = clock.Sleep(context.WithoutCancel(t.ctx), t.stack.Sim.Clock(), d)
	for range 5 { // a host that ends while it starts is started again, as whoever runs one sees to
		if err = h.Start(context.WithoutCancel(t.ctx)); err == nil || h.Process != nil {
			break
		}
	}
	return err
}

// setClock sets the clock of the machine under the running host, by up to a minute forward or back.
// Waits are to go on as they were; the host makes the difference up slowly.
func (t *trouble) setClock(r *rand.Rand) error {
	by := between(r, time.Second, time.Minute)
	if chance(r, 50) {
		by = -by
	}
	// Not ever further in one direction: from ten minutes on a difference forward is followed at
	// once.
	if (t.off + by).Abs() > 2*time.Minute {
		by = -by
	}
	t.off, t.walks = t.off+by, true
	return t.hostClock.Step(by)
}

// stepClock lets the host find another time than before: its machine's clock was set while it was
// not running.
func (t *trouble) stepClock(r *rand.Rand) error {
	step := between(r, time.Second, 40*time.Second)
	if chance(r, 50) {
		step = -step
	}
	return t.step(step)
}

// step kills the host, sets its clock and starts it again.
func (t *trouble) step(by time.Duration) error {
	if err := t.stack.KillSwitchboard(); err != nil {
		return err
	}
	t.off, t.walks = t.off+by, false
	if err := t.hostClock.Step(by); err != nil {
		return err
	}
	return t.stack.StartSwitchboard(context.WithoutCancel(t.ctx))
}

// fillDisk lets the host write nothing to files for a while. The system's answer is "file too
// large" instead of "no space left", which a test could have only as root; SQLite fails in both
// cases.
func (t *trouble) fillDisk(r *rand.Rand) error {
	pid := t.stack.Process.Process.Pid
	var before unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &before); err != nil {
		return err
	}
	full := before
	full.Cur = 1
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &full, nil); err != nil {
		return err
	}
	t.sleep(between(r, 500*time.Millisecond, 12*time.Second))
	return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &before, nil)
}

// lockDatabase writes to the database as another process would, and takes its time.
func (t *trouble) lockDatabase(r *rand.Rand) error {
	db, err := sql.Open("sqlite", "file:"+t.database()+"?_pragma=busy_timeout(20000)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	c, err := db.Conn(t.ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(t.ctx, "begin immediate"); err != nil {
		return err
	}
	t.sleep(between(r, 500*time.Millisecond, 8*time.Second))
	_, err = c.ExecContext(context.WithoutCancel(t.ctx), "rollback")
	return err
}

// database is the file, or the address, of the hosts' database.
func (t *trouble) database() string {
	if t.shared != nil {
		return t.shared.server.URL(sharedDatabase)
	}
	return filepath.Join(t.stack.DataDir, "switchboard.db")
}

// changePeople lets the people of each team change places for a while, as a change of shifts does.
func (t *trouble) changePeople(r *rand.Rand) error {
	changed := make([]*hotline, 0, len(t.hotlines))
	for _, h := range t.hotlines {
		other := *h
		other.Teams = nil
		for _, team := range h.Teams {
			people := team.people()
			r.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
			team.Layers = [][]string{people[:2], people[2:]}
			other.Teams = append(other.Teams, team)
		}
		changed = append(changed, &other)
	}
	if err := t.write(yaml(changed)); err != nil {
		return err
	}
	t.sleep(between(r, 5*time.Second, time.Minute))
	return t.write(yaml(t.hotlines))
}

func (t *trouble) breakFile(r *rand.Rand) error {
	good := yaml(t.hotlines)
	if err := t.write(strings.Replace(good, "teams:", "teams: [", 1)); err != nil {
		return err
	}
	t.sleep(between(r, 3*time.Second, 20*time.Second))
	return t.write(good)
}

// write replaces the switchboard file at once.
func (t *trouble) write(text string) error {
	if err := os.WriteFile(t.file+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(t.file+".new", t.file)
}
