package platformcheck

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/hints"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// run is one run of all steps. Steps run one after the other and find out what later ones need.
type run struct {
	cfg      Config
	base     string // without a slash at its end
	doc      *record.Document
	rec      *record.Recorder
	client   *http.Client
	report   *result.Report
	protocol wire.Protocol
	caps     wire.Capabilities
	taps     *hints.Tap // of hints; nil: nobody listens
	stopped  string     // why the rest is left out; "": it is not
	spoken   bool       // the protocol
	alerts   bool       // can be created and routed
}

// Run tries a platform. The error says what is wrong with the configuration; what is wrong with the
// platform, or could not be tried, is in the report. An ended ctx ends it, with what was found
// until then.
func Run(ctx context.Context, cfg Config) (*result.Report, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	doc, err := record.NewDocument()
	if err != nil {
		return nil, err
	}
	base := strings.TrimRight(cfg.URL, "/")
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, base: base, doc: doc, report: &result.Report{URL: base, Integration: cfg.Integration}}
	r.rec = record.New(transport(cfg.TLS), u.EscapedPath(), doc)
	// A redirect is a fault to be seen, not followed.
	r.client = &http.Client{Transport: r.rec, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if cfg.HintsListen != "" {
		as := remote.Config{URL: base, Token: cfg.Token, HintsSecrets: []string{cfg.HintsSecret}}
		if r.taps, err = hints.Listen(cfg.HintsListen, cfg.HintsURL, as); err != nil {
			return nil, err
		}
	}
	defer r.taps.Close()
	begun := time.Now()
	err = r.steps(ctx)
	r.report.Endpoints, r.report.Requests, r.report.Alerts = r.rec.Endpoints()
	r.report.Settle(time.Since(begun))
	return r.report, err
}

// steps runs the steps. One that fails stops those that need what it found out. The order is that
// in which a person would look for the first fault.
func (r *run) steps(ctx context.Context) error {
	for _, step := range []struct {
		name   string
		do     func(context.Context) error
		alerts bool // makes some
	}{
		{"reach", r.reach, false},
		{"protocol", r.agree, false},
		{"questions", r.survey, false},
		{"first commands", r.begin, true},
		{"behaviour", r.behaviour, true},
		{"beyond the suite", r.beyond, true},
		{"hints", r.hinted, true},
		{"durability", r.durable, true},
	} {
		r.report.Steps = append(r.report.Steps, &result.Step{Name: step.name})
		r.cfg.Progress(step.name)
		switch {
		case r.stopped != "":
			if c := r.check(step.name); c != nil {
				c.Leave(result.NotTested, "%s", r.stopped)
			}
		case step.alerts && r.cfg.OpenAPIOnly:
			if c := r.check(step.name); c != nil {
				c.Leave(result.Skipped, "--openapi-only: no alert is made")
			}
		default:
			if err := step.do(ctx); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	// Judged at the end, over all that was recorded by then.
	r.report.Steps = append(r.report.Steps, &result.Step{Name: "answers"})
	if r.spoken {
		r.shapes()
		r.included()
		r.times()
	}
	r.report.Order()
	return nil
}

// begin creates and routes one alert. Where that fails, all that needs an alert is left out: it
// would say the same many times. It is the first thing that changes anything on the platform.
func (r *run) begin(ctx context.Context) error {
	if onlyQuestions(r.cfg.Run) {
		return nil
	}
	c := r.must("an alert is created, routed and read")
	c.About = "PUT /v1/alerts/{key}/commands/1 with the kind create and /2 with route answer 200 with the alert, and GET /v1/alerts/{key} shows it open"
	a := r.call(c)
	if a.begin(ctx) {
		if s, ok := a.see(ctx); ok && s.Status != "open" {
			x := r.get(ctx, "/v1/alerts/"+a.key)
			a.fault(x, "After create and route the alert is %s: %s has somebody on call, so it is open.", s.Status, r.cfg.Team)
		}
	}
	if r.alerts = c.Outcome == result.Right; r.alerts && !r.cfg.asked("first commands", c.Name) {
		r.drop(c)
	}
	return nil
}

// onlyQuestions reports whether what was asked for are steps that make no alert.
func onlyQuestions(asked []string) bool {
	return len(asked) > 0 && !slices.ContainsFunc(asked, func(text string) bool {
		return !slices.ContainsFunc([]string{"reach:", "protocol:", "questions:", "answers:"}, func(step string) bool { return strings.HasPrefix(text, step) })
	})
}

// unalerted leaves a step out that needs alerts, where none can be made. true: it was left out.
func (r *run) unalerted(name string) bool {
	if r.alerts {
		return false
	}
	if c := r.check(name); c != nil {
		c.Leave(result.NotTested, "The first commands do not work.")
	}
	return true
}

// check begins a check of the present step; nil if it was not asked for. It counts as right until
// something else is said of it.
func (r *run) check(name string) *result.Check {
	step := r.report.Steps[len(r.report.Steps)-1]
	if !r.cfg.asked(step.Name, name) {
		return nil
	}
	c := &result.Check{Name: name, Outcome: result.Right}
	step.Checks = append(step.Checks, c)
	return c
}

// stop leaves out the steps that follow. The first reason stays.
func (r *run) stop(format string, args ...any) {
	if r.stopped == "" {
		r.stopped = fmt.Sprintf(format, args...)
	}
}
