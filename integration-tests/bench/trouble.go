package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
)

// besides measures ticks and arrivals beside a mail server that never answers, beside many other
// integrations, and while the plugin is killed again and again.
func besides(ctx context.Context, bin string, span time.Duration, integrations int) error {
	fmt.Printf("4 at a time                              per second      p50        p99\n")
	silent, err := silence()
	if err != nil {
		return err
	}
	defer func() { _ = silent.Close() }()
	mail := []string{"SWITCHBOARD_SMTP_URL=smtp://" + silent.Addr().String() + "?from=switchboard@example.com"}
	for _, world := range []struct {
		name string
		env  []string
		more int
	}{
		{name: "alone"},
		{name: "a mail server that hangs", env: mail},
		{name: fmt.Sprintf("%d more integrations", integrations), more: integrations},
	} {
		if err := beside(ctx, bin, span, world.name, world.env, world.more); err != nil {
			return fmt.Errorf("%s: %w", world.name, err)
		}
	}
	return nil
}

// beside measures one world.
func beside(ctx context.Context, bin string, span time.Duration, name string, env []string, more int) error {
	stack, err := demo.Start(ctx, demo.Config{
		Switchboard: bin + "/switchboard", Env: env, Options: map[string]any{"reach": "acknowledge", "max_wait_time": 3600, "calls_per_number": 0},
	})
	if err != nil {
		return err
	}
	defer stack.Stop()
	for i := range more {
		if _, _, err := stack.AddHotline(ctx, fmt.Sprintf("+1%d55501%02d", 302+i/100, i%100), []string{"devops"}, nil); err != nil {
			return err
		}
	}
	hold := make([]*caller, 16)
	for i := range hold {
		if hold[i], err = onHold(stack, i); err != nil {
			return err
		}
	}
	var next atomic.Int64
	tick := func() error { return hold[int(next.Add(1))%len(hold)].tick() }
	fmt.Printf("  %-28s tick     %s\n", name, load(4, span, tick))
	fmt.Printf("  %-28s arrival  %s\n", name, load(4, span, func() error {
		_, err := arrival(stack, int(next.Add(1))+1_000_000)
		return err
	}))
	if env == nil && more == 0 {
		return killed(stack, span, tick)
	}
	return nil
}

// killed measures the longest answer to ticks while the plugin's process is killed every two
// seconds.
func killed(stack *demo.Stack, span time.Duration, tick func() error) error {
	ctx, cancel := context.WithCancel(context.Background())
	var kills atomic.Int64
	var killing sync.WaitGroup
	killing.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(2 * time.Second):
			}
			if pid := childOf(stack.Process.Process.Pid); pid > 0 && syscall.Kill(pid, syscall.SIGKILL) == nil {
				kills.Add(1)
			}
		}
	})
	r := load(4, 3*span, tick)
	cancel()
	killing.Wait()
	fmt.Printf("  %-28s tick     %s   longest answer %.0f ms, %d kills\n\n", "the plugin is killed", r, ms(r.longest), kills.Load())
	return nil
}

// childOf is the process that pid has started; 0 if there is none (Linux).
func childOf(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, e := range entries { // any thread may have started it
		more, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, e.Name()))
		text = append(text, more...)
	}
	for _, word := range strings.Fields(string(text)) {
		if n, err := strconv.Atoi(word); err == nil {
			return n
		}
	}
	return 0
}

// silence is a server that accepts connections and says nothing.
func silence() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		var kept []net.Conn // so that none is closed
		for {
			c, err := l.Accept()
			if err != nil {
				for _, c := range kept {
					_ = c.Close()
				}
				return
			}
			kept = append(kept, c)
		}
	}()
	return l, nil
}
