package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
)

// demoCmd starts the whole hotline on this machine.
type demoCmd struct {
	Listen      string `default:"127.0.0.1:8080" env:"DEMO_LISTEN" help:"Address of switchboard."`
	SimListen   string `default:"127.0.0.1:8090" env:"DEMO_SIM_LISTEN" help:"Address of the simulator."`
	Config      string `type:"existingfile" help:"Switchboard file; default: the sample."`
	DataDir     string `type:"path" help:"Where switchboard keeps its data; default: a temporary folder, removed at the end."`
	Switchboard string `type:"existingfile" help:"The switchboard binary; default: the one beside this program."`
	Verbose     bool   `short:"v" help:"Print switchboard's log."`
}

// Run starts the stack, says what to try and waits for Ctrl-C.
func (c demoCmd) Run(ctx context.Context, env *environment) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if c.Switchboard == "" {
		c.Switchboard = filepath.Join(filepath.Dir(self), "switchboard")
		if _, err := os.Stat(c.Switchboard); err != nil {
			return fmt.Errorf("%s is missing: run make build", c.Switchboard)
		}
	}
	cfg := demo.Config{
		Switchboard: c.Switchboard, File: c.Config, DataDir: c.DataDir, Listen: c.Listen, SimListen: c.SimListen,
		Options: map[string]any{"voicemail": true, "voicemail_emails": []string{"on-call"}, "welcome": "Welcome to the Example hotline."},
	}
	cfg.Sim.Lenient = true
	cfg.Sim.SpeechPerCharacter = 70 * time.Millisecond // people listen
	if c.Verbose {
		cfg.Log = env.out
	}
	stack, err := demo.Start(ctx, cfg)
	if err != nil {
		return err
	}
	defer stack.Stop()
	name := self
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, self); err == nil && len(rel) < len(self) {
			name = rel
		}
	}
	stack.PrintStory(env.out, name)
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(env.out, "\nstopping …")
		return nil
	case <-stack.Exited():
		return fmt.Errorf("switchboard ended: %w: run again with --verbose", stack.ExitError())
	}
}
