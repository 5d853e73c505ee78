package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/demo"
)

// pace makes requests at a rate, each when its time has come and not when the one before it is
// answered, until stop is called, which waits for the answers. Before every twentieth the echo is
// asked, so that what else the machine does falls on both.
func pace(perSecond int, callers []*caller, echo *echoServer) (stop func() *queue) {
	q := &queue{clk: clock.System(), callers: callers, echo: echo, failed: map[string]int{}}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var wg sync.WaitGroup
		defer wg.Wait()
		began := time.Now()
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			case <-time.After(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(perSecond)))):
			}
			wg.Go(func() { q.ask(callers[i%len(callers)], echo != nil && i%20 == 0) })
		}
	}()
	return func() *queue {
		close(done)
		<-ended
		return q
	}
}

// acknowledgementsBeside times the way from an acknowledgement to POST /Calls while callers on hold
// make so many requests a second.
func acknowledgementsBeside(ctx context.Context, bin string, n, perSecond int) error {
	echo, err := startEcho()
	if err != nil {
		return err
	}
	defer echo.stop()
	return acknowledgements(ctx, bin, n, func(s *demo.Stack) (func(took []time.Duration), error) {
		callers, err := manyOnHold(s, 1_000_000, 64)
		if err != nil {
			return nil, err
		}
		stop := pace(perSecond, callers, echo)
		return func(took []time.Duration) {
			q := stop()
			slices.Sort(took)
			slices.Sort(q.echoes)
			p99, bare := took[len(took)*99/100], q.echoes[len(q.echoes)*99/100]
			fmt.Printf("beside %d requests a second of callers on hold: p50 %.1f ms, p99 %.1f ms, ×%.1f of the echo's p99 (%.1f ms)\n", perSecond, ms(took[len(took)/2]), ms(p99), ratio(p99, bare), ms(bare))
			q.report()
		}, nil
	})
}

// killParameters say how the plugin is killed.
type killParameters struct {
	times int           // apart from each other
	every time.Duration // how far
	burst int           // within another such span
}

// kills kills the plugin's process under load: now and then, where the next process starts at once,
// and many times in a short while.
func kills(ctx context.Context, bin string, p killParameters) error {
	echo, err := startEcho()
	if err != nil {
		return err
	}
	defer echo.stop()
	stack, err := demo.Start(ctx, demo.Config{Switchboard: bin + "/switchboard", Options: map[string]any{"reach": "acknowledge", "max_wait_time": 3600, "calls_per_number": 0}})
	if err != nil {
		return err
	}
	defer stack.Stop()
	callers, err := manyOnHold(stack, 0, 64)
	if err != nil {
		return err
	}
	for _, of := range []struct {
		times int
		every time.Duration
	}{{p.times, p.every}, {p.burst, p.every / time.Duration(p.burst)}} {
		before, err := notOK(stack)
		if err != nil {
			return err
		}
		stop := pace(100, callers, echo)
		killed, last := 0, time.Now()
		for range of.times {
			time.Sleep(of.every)
			if pid := childOf(stack.Process.Process.Pid); pid > 0 && syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed, last = killed+1, time.Now()
			}
		}
		recovered, err := recovery(stack, callers[0], last)
		if err != nil {
			return err
		}
		q := stop()
		after, err := notOK(stack)
		if err != nil {
			return err
		}
		fmt.Printf("the plugin is killed %d times, every %v: %.0f answers were not the plugin's own; after the last kill it answers again within %.0f ms\n", killed, of.every, after-before, ms(recovered))
		q.report()
	}
	return nil
}

// answeredOtherwise counts answers to callers that the plugin did not give.
var answeredOtherwise = regexp.MustCompile(`(?m)^switchboard_webhook_duration_seconds_count\{answer="(?:fallback|unavailable)",kind="call"\} ([0-9.e+]+)`)

// notOK is how many such answers there were so far.
func notOK(s *demo.Stack) (n float64, err error) {
	text, err := getText(s.URL+"/metrics", s.Token)
	for _, m := range answeredOtherwise.FindAllStringSubmatch(text, -1) {
		one, _ := strconv.ParseFloat(m[1], 64)
		n += one
	}
	return n, err
}

// recovery is how long after the last kill a request is answered by the plugin again, on its own.
func recovery(s *demo.Stack, c *caller, last time.Time) (time.Duration, error) {
	for time.Since(last) < time.Minute {
		before, err := notOK(s)
		if err != nil {
			return 0, err
		}
		if err := c.tick(); err == nil {
			if after, err := notOK(s); err == nil && after == before {
				return time.Since(last), nil
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return 0, fmt.Errorf("the plugin has not answered for a minute after it was killed")
}

// resident measures the memory that host and plugin take with so many callers on hold, each of whom
// asks for a document every 15 seconds.
func resident(ctx context.Context, bin string, sizes []int, profiles string) error {
	stack, err := demo.Start(ctx, demo.Config{Switchboard: bin + "/switchboard", Options: map[string]any{"reach": "acknowledge", "max_wait_time": 3600, "calls_per_number": 0}, Env: []string{"SWITCHBOARD_PROFILING=on"}})
	if err != nil {
		return err
	}
	defer stack.Stop()
	var callers []*caller
	for _, n := range sizes {
		more, err := manyOnHold(stack, len(callers), n-len(callers))
		if err != nil {
			return err
		}
		callers = append(callers, more...)
		if err := settle(stack); err != nil {
			return err
		}
		if n > 0 {
			stop := pace(max(1, int(float64(n)/holdPace.Seconds())), callers, nil)
			time.Sleep(2 * holdPace)
			stop()
		}
		host, plugin := residents(stack.Process.Process.Pid)
		fmt.Printf("%6d callers on hold: host %d MiB, plugin %d MiB\n", n, host>>20, plugin>>20)
		if err := reportMemory(stack); err != nil {
			return err
		}
		if profiles != "" {
			if err := keepHeaps(stack, profiles, fmt.Sprintf("hold%d", n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// readers lets people look at lists and pages, one after the other, until stop is called.
func readers(s *demo.Stack, n int) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	var next atomic.Int64
	for range n {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Second): // a person reads what they see
				}
				_ = s.API(context.Background(), "GET", listed[int(next.Add(1))%len(listed)], nil, nil)
			}
		})
	}
	return func() {
		close(done)
		wg.Wait()
	}
}
