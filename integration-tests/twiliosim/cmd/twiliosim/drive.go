package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
)

// remote is the flag of every command that drives a running simulator.
type remote struct {
	Sim string `default:"http://127.0.0.1:8090" env:"TWILIOSIM_URL" help:"Address of the running simulator."`
}

func (r remote) client() client { return client{base: r.Sim} }

const scriptHelp = `Steps separated by ";": hear 'Press 1' [within 30s]; press 12#; say 'words' [for 5s]; wait 5s; connected [+12025550143]; ended; hangup; for telephones that ring also answer, decline, ring.`

type callCmd struct {
	remote
	From    string        `default:"+12025550199" help:"Who calls."`
	To      string        `default:"+12025550100" help:"Which number is called."`
	Script  string        `name:"say-script" aliases:"script" help:"What the caller does; without it, keys are read from the terminal. ${script_help}"`
	All     bool          `help:"Print webhooks and REST requests too."`
	Timeout time.Duration `default:"15m" help:"Real time after which the call is hung up."`
}

// Run places the call and follows it to its end.
func (c *callCmd) Run(ctx context.Context, env *environment) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	api := c.client()
	// Calls and events that were there before belong to others, and are not printed.
	before, err := api.calls(ctx)
	if err != nil {
		return err
	}
	old, err := lastEvent(ctx, api)
	if err != nil {
		return err
	}
	var placed twiliosim.CallView
	if err := api.do(ctx, "POST", "/sim/calls", map[string]string{"from": c.From, "to": c.To, "script": c.Script}, &placed); err != nil {
		return err
	}
	f := follower{api: api, env: env, sid: placed.Sid, after: old, all: c.All, scripted: c.Script != "", others: map[string]bool{}}
	for _, b := range before {
		f.others[b.Sid] = true
	}
	return f.run(ctx)
}

// lastEvent returns the number of the latest event. One answer may not hold all of them.
func lastEvent(ctx context.Context, api client) (int64, error) {
	var last int64
	for {
		events, err := api.events(ctx, last, 0)
		if err != nil || len(events) == 0 {
			return last, err
		}
		last = events[len(events)-1].Seq
	}
}

// follower prints what happens until its call is over.
type follower struct {
	api      client
	env      *environment
	sid      string
	after    int64
	all      bool
	scripted bool            // a script drives the call: it must complete
	others   map[string]bool // calls that were there before, which are not printed
}

func (f *follower) run(ctx context.Context) error {
	if !f.scripted {
		// It ends with the process: a read from the terminal cannot be interrupted.
		go f.keys(ctx)
	}
	completed, failed := false, ""
	for {
		events, err := f.api.events(ctx, f.after, 500)
		if err != nil {
			// Interrupted, or out of time: the line must not stay open.
			hang, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return errors.Join(err, f.api.act(hang, f.sid, "hangup", nil))
		}
		for _, e := range events {
			f.after = e.Seq
			if f.others[e.Call] || e.Call == "" && !f.all {
				continue
			}
			if text := line(e, f.all); text != "" {
				_, _ = fmt.Fprintln(f.env.out, text)
			}
			if e.Call == f.sid && e.Kind == twiliosim.EventScript {
				switch e.Note {
				case "completed":
					completed = true
				case "failed":
					failed = e.Text
					if err := f.api.act(ctx, f.sid, "hangup", nil); err != nil {
						return err
					}
				}
			}
		}
		if len(events) > 0 {
			continue // more may be there: the end is looked for when nothing happens any more
		}
		view, err := f.api.call(ctx, f.sid)
		if err != nil {
			return err
		}
		switch {
		// A script may fail only after its call is over: "hear" waits until then.
		case !view.Finished, f.scripted && !completed && failed == "":
		case failed != "":
			return fmt.Errorf("the script failed: %s", failed)
		default:
			_, _ = fmt.Fprintf(f.env.out, "call %s is over: %s\n", f.sid, view.Status)
			return nil
		}
	}
}

// keys reads lines: keys to press, "h" to hang up, other words are spoken. The end of input hangs
// up.
func (f *follower) keys(ctx context.Context) {
	_, _ = fmt.Fprintln(f.env.out, "Type keys and Enter to press them, words to speak, h to hang up.")
	act := func(what string, body any) {
		if err := f.api.act(ctx, f.sid, what, body); err != nil && ctx.Err() == nil {
			_, _ = fmt.Fprintln(f.env.out, err)
		}
	}
	lines := bufio.NewScanner(f.env.in)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		switch {
		case text == "":
		case text == "h":
			act("hangup", nil)
			return
		case strings.Trim(text, "0123456789*#") == "":
			act("press", map[string]string{"keys": text})
		default:
			act("say", map[string]string{"words": text})
		}
	}
	act("hangup", nil)
}

type answerCmd struct {
	remote
	Number string        `arg:"" help:"The telephone to answer (+E.164)."`
	Wait   time.Duration `default:"5m" help:"Real time to wait for it to ring."`
	Script string        `help:"What to do after answering; without it, keys are read from the terminal. ${script_help}"`
	All    bool          `help:"Print webhooks and REST requests too."`
}

// Run waits for the telephone to ring, answers it and follows the call.
func (c *answerCmd) Run(ctx context.Context, env *environment) error {
	if err := c.check(); err != nil { // before minutes are spent on waiting
		return err
	}
	api := c.client()
	after, err := lastEvent(ctx, api)
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	var ringing twiliosim.CallView
	didNotRing := func(err error) error {
		if waiting.Err() != nil && ctx.Err() == nil {
			return fmt.Errorf("%s did not ring within %s: place a call, or wait longer with --wait", c.Number, c.Wait)
		}
		return fmt.Errorf("%s did not ring: %w", c.Number, err)
	}
	// It may ring already, so the calls are looked at before any event is awaited.
	for at := after; ringing.Sid == ""; {
		calls, err := api.calls(waiting)
		if err != nil {
			return didNotRing(err)
		}
		for _, call := range calls {
			if call.Ringing && call.To == c.Number {
				ringing = call
			}
		}
		if ringing.Sid == "" {
			events, err := api.events(waiting, at, 1000)
			if err != nil {
				return didNotRing(err)
			}
			if len(events) > 0 {
				at = events[len(events)-1].Seq
			}
		}
	}
	if err := api.act(ctx, ringing.Sid, "answer", nil); err != nil {
		return err
	}
	if c.Script != "" {
		if err := api.act(ctx, ringing.Sid, "script", map[string]string{"script": c.Script}); err != nil {
			return err
		}
	}
	f := follower{api: api, env: env, sid: ringing.Sid, after: after, all: c.All, scripted: c.Script != "", others: map[string]bool{}}
	calls, err := api.calls(ctx)
	if err != nil {
		return err
	}
	for _, call := range calls {
		f.others[call.Sid] = call.Sid != ringing.Sid
	}
	return f.run(ctx)
}

// check refuses a number that can never ring, and a script that cannot be read.
func (c *answerCmd) check() error {
	if !account.IsE164(c.Number) {
		return fmt.Errorf("number %q: %s", c.Number, account.WantE164)
	}
	if c.Script == "" {
		return nil
	}
	if _, err := twiliosim.ParseScript(c.Script); err != nil {
		return fmt.Errorf("--script: %w", err)
	}
	return nil
}

type phoneCmd struct {
	remote
	Number    string        `arg:"" help:"The telephone (+E.164)."`
	Behaviour string        `arg:"" enum:"ring,answer,busy,unreachable,mailbox,script" help:"${enum}."`
	After     time.Duration `default:"2s" help:"How long it rings before it is answered (answer, mailbox)."`
	Hear      string        `help:"Words to wait for before pressing (answer)."`
	Keys      string        `help:"Keys to press (answer)."`
	Words     string        `help:"The greeting (mailbox)."`
	Script    string        `help:"What to do each time it rings (script). ${script_help}"`
}

// Run sets the behaviour.
func (c *phoneCmd) Run(ctx context.Context) error {
	return c.client().do(ctx, "PUT", "/sim/phones/"+c.Number, twiliosim.PhoneView{Number: c.Number, Behaviour: c.Behaviour,
		AfterMS: int(c.After.Milliseconds()), Hear: c.Hear, Keys: c.Keys, Words: c.Words, Script: c.Script}, nil)
}

type callsCmd struct {
	remote
	Transcript bool `short:"t" help:"Print each call's transcript."`
}

// Run lists.
func (c *callsCmd) Run(ctx context.Context, env *environment) error {
	calls, err := c.client().calls(ctx)
	if err != nil {
		return err
	}
	for _, call := range calls {
		_, _ = fmt.Fprintf(env.out, "%s  %-13s -> %-13s %-13s %s\n", call.Sid, call.From, call.To, call.Direction, call.Status)
		if c.Transcript {
			if _, err := io.WriteString(env.out, twiliosim.FormatTranscript(call.Events)); err != nil {
				return err
			}
		}
	}
	return nil
}
