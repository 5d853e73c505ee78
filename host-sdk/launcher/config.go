package launcher

import (
	"errors"
	"log/slog"
	"os"
	"time"
)

// Config says what to launch. Dir is required.
type Config struct {
	// Dir is the plugin's folder, with manifest.json and the executable.
	Dir string
	// Logger gets the launcher's own lines and the plugin's, which carry the attribute plugin. nil
	// discards them.
	Logger *slog.Logger
	// SocketDir is where the private directory of each process is made; "" means the system's
	// temporary directory. It must be short: the path of a Unix socket has at most about 100 bytes.
	SocketDir string
	// LookupEnv finds the variables to hand on; nil means os.LookupEnv.
	LookupEnv func(name string) (string, bool)
	// ExtraEnv is set in the plugin's environment besides the variables handed on, and wins over
	// them.
	ExtraEnv map[string]string
	// OnChange is called, one call after the other, with each new status. It may take its time, and
	// may call the Plugin's methods except Stop and Kill.
	OnChange func(Status)
	// Timing replaces the defaults, field by field.
	Timing Timing

	noDeathSignal bool // tests of the plugin's own watch over its parent
}

// Timing holds the launcher's times and numbers. A field that is zero has its default. Tests
// shorten them; a host hardly needs to. They are real time, whatever clock the host gives its
// engine, as processes live in it.
type Timing struct {
	Start        time.Duration // for a process to answer after its start: 10 s
	Handle       time.Duration // for one attempt of a call that may be repeated: 3 s
	HandleBudget time.Duration // for such a call in all, if its context has no deadline: 9 s
	Probe        time.Duration // for a sign of life after a Handle attempt took too long: 500 ms
	HealthEvery  time.Duration // between health checks: 10 s
	Health       time.Duration // for one health check: 2 s
	HealthMisses int           // missed checks in a row that make a process frozen: 3
	Drain        time.Duration // for calls in progress when a process is stopped or replaced: 10 s
	KillAfter    time.Duration // between asking a process to end and SIGKILL: 1 s
	// Before the second restart in a row, doubled each time: 100 ms; the first is at once.
	FirstBackoff time.Duration
	// The longest time between starts, and between those of a failed plugin: 30 s.
	MaxBackoff   time.Duration
	WaitingEvery time.Duration // the longest time between starts while a webhook waits: 1 s
	HealthyAfter time.Duration // of uptime, after which all losses are forgotten: 60 s
	Budget       int           // losses within BudgetWindow that make a plugin failed: 5
	BudgetWindow time.Duration // 10 min
	// Between a broken connection and the end of the process being seen: 200 ms.
	GoneSettling  time.Duration
	OutputSettled time.Duration // to read what a dead process has written: 500 ms
}

// withDefaults fills in what is zero; see Timing for what each is.
func (t Timing) withDefaults() Timing {
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Start, 10 * time.Second},
		{&t.Handle, 3 * time.Second},
		{&t.HandleBudget, 9 * time.Second},
		{&t.Probe, 500 * time.Millisecond},
		{&t.HealthEvery, 10 * time.Second},
		{&t.Health, 2 * time.Second},
		{&t.Drain, 10 * time.Second},
		{&t.KillAfter, time.Second},
		{&t.FirstBackoff, 100 * time.Millisecond},
		{&t.MaxBackoff, 30 * time.Second},
		{&t.WaitingEvery, time.Second},
		{&t.HealthyAfter, time.Minute},
		{&t.BudgetWindow, 10 * time.Minute},
		{&t.GoneSettling, 200 * time.Millisecond},
		{&t.OutputSettled, 500 * time.Millisecond},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if t.HealthMisses == 0 {
		t.HealthMisses = 3
	}
	if t.Budget == 0 {
		t.Budget = 5
	}
	return t
}

// withDefaults fills in what was left out. Only the folder has no default. The result is a copy, so
// a host may use one Config for several plugins.
func (c Config) withDefaults() (Config, error) {
	if c.Dir == "" {
		return c, errors.New("launch: no plugin folder given (Config.Dir)")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.SocketDir == "" {
		c.SocketDir = os.TempDir()
	}
	if c.LookupEnv == nil {
		c.LookupEnv = os.LookupEnv
	}
	c.Timing = c.Timing.withDefaults()
	return c, nil
}
