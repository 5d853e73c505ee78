package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/softphone"
)

// serveCmd is the simulator alone. Each flag can come from the environment, for containers. The
// default credentials are public: they protect nothing.
type serveCmd struct {
	Listen         string   `default:"127.0.0.1:8090" env:"TWILIOSIM_LISTEN" help:"Address to listen on; port 0 takes a free one."`
	AccountSid     string   `default:"${account}" env:"TWILIOSIM_ACCOUNT_SID" help:"Account SID (AC and 32 hexadecimal digits)."`
	AuthToken      string   `default:"${token}" env:"TWILIOSIM_AUTH_TOKEN" help:"Auth token, which signs webhooks."`
	APIKey         string   `name:"api-key" default:"${key}" env:"TWILIOSIM_API_KEY" help:"API key (SK…)."`
	APISecret      string   `name:"api-secret" default:"${secret}" env:"TWILIOSIM_API_SECRET" help:"API secret."`
	AnyCredentials bool     `env:"TWILIOSIM_ANY_CREDENTIALS" help:"Accept every user name and password."`
	Region         string   `default:"us1" enum:"us1,ie1,au1,jp1" env:"TWILIOSIM_REGION" help:"Region of the account: ${enum}."`
	Number         []string `default:"+12025550100" env:"TWILIOSIM_NUMBER" help:"Numbers of the account (+E.164)."`
	VoiceURL       string   `name:"voice-url" env:"TWILIOSIM_VOICE_URL" help:"Where calls to the numbers ask what to do."`
	FallbackURL    string   `name:"fallback-url" env:"TWILIOSIM_FALLBACK_URL" help:"Where they ask when that fails."`
	StatusCallback string   `env:"TWILIOSIM_STATUS_CALLBACK" help:"Where the end of a call is reported."`
	CallsPerSecond float64  `default:"1" env:"TWILIOSIM_CALLS_PER_SECOND" help:"Calls that POST /Calls starts a second; negative: no limit."`
	Clock          string   `env:"TWILIOSIM_CLOCK" help:"FACTOR@UNIX_MILLISECONDS: simulated time that runs faster. Default: real time."`
	Verbose        bool     `short:"v" env:"TWILIOSIM_VERBOSE" help:"Log every event."`
}

// sim makes the simulator that the flags describe.
func (c *serveCmd) sim(logs *slog.Logger) (*twiliosim.Sim, error) {
	clk, err := clock.Parse(c.Clock)
	if err != nil {
		return nil, err
	}
	cfg := twiliosim.Config{AccountSid: c.AccountSid, AuthToken: c.AuthToken, APIKey: c.APIKey, APISecret: c.APISecret,
		AnyCredentials: c.AnyCredentials, Region: c.Region, CallsPerSecond: c.CallsPerSecond, Clock: clk, Logger: logs}
	for flag, address := range map[string]string{"--voice-url": c.VoiceURL, "--fallback-url": c.FallbackURL, "--status-callback": c.StatusCallback} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return nil, fmt.Errorf("%s %q: want an absolute address, such as https://hotline.example.com/integrations/int_1", flag, address)
		}
	}
	for _, n := range c.Number {
		cfg.Numbers = append(cfg.Numbers, twiliosim.Number{PhoneNumber: n, VoiceURL: c.VoiceURL, VoiceFallbackURL: c.FallbackURL, StatusCallback: c.StatusCallback})
	}
	// The page and the simulator need each other: the page is made first and attached afterwards.
	page := softphone.New(softphone.Config{})
	cfg.Page = page
	sim, err := twiliosim.New(cfg)
	if err == nil {
		page.Attach(sim)
	}
	return sim, err
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, env *environment) error {
	level := slog.LevelWarn
	if c.Verbose {
		level = slog.LevelDebug
	}
	sim, err := c.sim(slog.New(slog.NewTextHandler(env.out, &slog.HandlerOptions{Level: level})))
	if err != nil {
		return err
	}
	defer sim.Close()
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s (choose another by --listen): %w", c.Listen, err)
	}
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
	_, _ = fmt.Fprintf(env.out, "twiliosim listens on http://%s (account %s, numbers %v); telephones are shown there\n", listener.Addr(), c.AccountSid, c.Number)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	sim.Close() // first, so that event streams end: Shutdown waits for them
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		return err
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
