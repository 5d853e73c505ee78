package platformcheck

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/suite"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// behaviour runs the conformance suite in a process of its own. The suite is a Go test, which ends
// its process; see [suite.Run].
func (r *run) behaviour(ctx context.Context) error {
	tests := r.wanted()
	// One fault in the first commands would else be reported by thirty tests.
	if !r.alerts {
		r.unalerted("tests with alerts")
		tests = slices.DeleteFunc(tests, func(test string) bool { return !slices.Contains(withoutAlerts, test) })
	}
	if len(tests) == 0 {
		return nil
	}
	proxy, stop, err := r.proxy()
	if err != nil {
		return err
	}
	defer stop()
	input := suite.Input{
		URL: proxy.url, Token: proxy.token, HintsSecret: r.cfg.HintsSecret, Version: r.cfg.Version,
		Integration: r.cfg.Integration, Tenant: r.cfg.Tenant,
		Team: r.cfg.Team, OtherTeam: r.cfg.OtherTeam, IdleTeam: r.cfg.IdleTeam, Router: r.cfg.Router,
		Users: [2]string(r.cfg.Users), HintWithin: r.cfg.HintWithin, Timeout: r.cfg.Timeout, Tests: tests,
		// Where no hints of the platform come here, the adapter looks by itself, or each wait of
		// the suite would run into its limit.
		OwnHints: r.protocol.Hints == wire.HintsNone || r.protocol.Hints == wire.HintsWebhook && r.taps == nil,
	}
	// Hints that come later are judged here again.
	defer r.taps.Feed("")
	return r.suite(ctx, input)
}

// withoutAlerts are the suite's tests that make no alert.
var withoutAlerts = []string{"healthy", "teams and destinations", "people on call", "routers", "audiences"}

// wanted lists the suite's tests that were asked for. They are sorted by name.
func (r *run) wanted() []string {
	var out []string
	for _, test := range slices.Sorted(maps.Keys(suite.About)) {
		if r.cfg.asked("behaviour", test) {
			out = append(out, test)
		}
	}
	return out
}

// proxy is where the suite's process reaches the platform, and with which token.
type proxy struct{ url, token string }

// proxy serves the platform to the suite's process and records what goes through. It takes a token
// of its own: the platform's does not leave this process. The function that it returns ends it.
func (r *run) proxy() (proxy, func(), error) {
	target, err := url.Parse(r.base)
	if err != nil {
		return proxy{}, nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return proxy{}, nil, err
	}
	// Of this run alone, so that no other process of the machine uses the platform through it.
	p := proxy{url: "http://" + listener.Addr().String(), token: random() + random()}
	forward := &httputil.ReverseProxy{
		Transport: r.rec, ErrorLog: quiet,
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(target)
			pr.Out.Header.Set("Authorization", "Bearer "+r.cfg.Token)
			pr.Out.Header.Del("Accept-Encoding") // the transport's own, which it undoes
		},
		// A cut connection stays one.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := &http.Server{ErrorLog: quiet, ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Bearer "+p.token {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		forward.ServeHTTP(w, req)
	})}
	go func() { _ = server.Serve(listener) }()
	return p, func() { _ = server.Close() }, nil
}

// suite starts the process and reads its output. The error is that it could not run; faults of the
// platform are in the report.
func (r *run) suite(ctx context.Context, input suite.Input) error {
	text, err := json.Marshal(input)
	if err != nil {
		return err
	}
	cmd := r.cfg.Suite(ctx)
	// A child of the suite that keeps its output open must not hold this command up.
	cmd.WaitDelay = 10 * time.Second
	var complaints strings.Builder
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("the process for the tests of behaviour cannot be started: %w", err)
	}
	if _, err := in.Write(append(text, '\n')); err != nil {
		return errors.Join(err, cmd.Wait())
	}
	l := &listening{run: r, tests: map[string]*result.Check{}, asked: map[string][]string{}}
	err = l.read(out)
	// The process ends when this closes, should it still run.
	_ = in.Close()
	ended := cmd.Wait()
	if err != nil || !l.any && ctx.Err() == nil {
		return fmt.Errorf("the tests of behaviour did not run: %w; %s%s", errors.Join(err, ended), complaints.String(), strings.Join(l.other, "\n"))
	}
	return ctx.Err()
}

// listening makes checks of package testing's output. It is fed line by line by one goroutine.
type listening struct {
	run   *run
	tests map[string]*result.Check
	asked map[string][]string // requests by test
	now   string              // the test that the next lines belong to
	any   bool                // test was run
	more  *string             // where a message may go on
	other []string
}

var (
	begins  = regexp.MustCompile(`^=== (?:RUN|NAME|CONT|PAUSE) +(\S*)$`)
	ends    = regexp.MustCompile(`^--- (PASS|FAIL|SKIP): (\S+) \(`)
	message = regexp.MustCompile(`^\s*[a-z_]+\.go:\d+: (.*)$`)
)

// read reads lines until there are no more. A line may be as long as a body that a test prints.
func (l *listening) read(out io.Reader) error {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			l.line(strings.TrimRight(line, "\n"))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// line sorts one line of output: what package testing says of a test, or what the test has written.
func (l *listening) line(line string) {
	text, marked := strings.CutPrefix(line, suite.Mark)
	if !marked {
		l.output(line)
		return
	}
	if try, ok := strings.CutPrefix(line, suite.AskedMark); ok {
		l.asked[l.now] = append(l.asked[l.now], try)
		return
	}
	l.more = nil
	if address, ok := strings.CutPrefix(line, suite.HintsMark); ok {
		l.run.taps.Feed(address)
		return
	}
	if m := begins.FindStringSubmatch(text); m != nil {
		l.now = m[1]
		l.test(l.now)
		return
	}
	if m := ends.FindStringSubmatch(text); m != nil {
		if c := l.test(m[2]); c != nil {
			l.end(c, m[1])
		}
	}
}

// test is the check of a test; nil for one that only holds others. A check is made with the first
// line of its test, in the present step.
func (l *listening) test(name string) *result.Check {
	title, nested := strings.CutPrefix(name, suite.Name+"/")
	title = strings.ReplaceAll(title, "_", " ")
	if !nested && title != suite.Tolerance {
		return nil
	}
	l.any = true
	if c := l.tests[title]; c != nil {
		return c
	}
	c := &result.Check{Name: title, Outcome: result.Right, About: suite.About[title]}
	l.tests[title] = c
	step := l.run.report.Steps[len(l.run.report.Steps)-1]
	step.Checks = append(step.Checks, c)
	return c
}

// output is a line that a test wrote. Lines that no test has are kept for the error, should the
// suite not run.
func (l *listening) output(line string) {
	c := l.test(l.now)
	m := message.FindStringSubmatch(line)
	switch {
	case c == nil:
		l.other = append(l.other, line)
	case m != nil && strings.HasPrefix(m[1], "the platform finds: "):
		l.more = nil // is said once, in a check of its own
	case m != nil:
		c.Says = append(c.Says, inWords(m[1]))
		l.more = &c.Says[len(c.Says)-1]
		if len(c.Exchanges) == 0 {
			c.Exchanges = l.last(3)
		}
	case l.more != nil && strings.TrimSpace(line) != "":
		*l.more += "\n" + inWords(strings.TrimSpace(line))
	case strings.TrimSpace(line) != "":
		c.Says = append(c.Says, strings.TrimSpace(line)) // a panic, which names the place
	}
}

// last are the latest requests of the present test. They are the text that a report shows.
func (l *listening) last(n int) []string {
	tries := l.asked[l.now]
	var out []string
	for _, try := range tries[max(0, len(tries)-n):] {
		if x := l.run.rec.Tried(try); x != nil {
			out = append(out, x.Text())
		}
	}
	return out
}

// end gives a check its outcome. how is the word of package testing.
func (l *listening) end(c *result.Check, how string) {
	unheardOf := c.Name == "hints" && l.run.protocol.Hints == wire.HintsWebhook && l.run.taps == nil
	switch {
	case unheardOf:
		c.Says, c.Outcome = nil, result.NotTested
		c.Say("%s", unheard)
	case c.Name == "hints" && l.run.protocol.Hints == wire.HintsNone:
		c.Says, c.Outcome = nil, result.Skipped
		c.Say("The platform says that it sends no hints.")
	case how == "FAIL":
		c.Outcome = result.Wrong
		shorten(c)
		if len(c.Exchanges) == 0 {
			c.Exchanges = l.last(3)
		}
	case how == "SKIP" && c.About == "":
		l.run.drop(c)
	case how == "SKIP":
		c.Outcome, c.Exchanges = result.Skipped, nil
	default:
		c.Exchanges, c.Says = nil, nil
	}
}

// drop takes a check out of the present step: it is about what the protocol does not have.
func (r *run) drop(c *result.Check) {
	step := r.report.Steps[len(r.report.Steps)-1]
	step.Checks = slices.DeleteFunc(step.Checks, func(x *result.Check) bool { return x == c })
}

// quiet drops what net/http logs about connections that were cut: that is said in the report.
var quiet = log.New(io.Discard, "", 0)
