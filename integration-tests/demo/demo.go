// Package demo starts the whole hotline on one machine: a simulated Twilio, switchboard with the
// plugin, an integration and its number, ready to be called. It is what `make run` shows, and what
// end-to-end tests and benchmarks start.
//
//	demo.go    Start, Stack
//	people.go  whose telephones are shown
//	story.go   what is printed for people
//	host.go    the process of switchboard
package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/softphone"
	"github.com/livecallrouting/livecall/internal/freeport"
	"github.com/livecallrouting/livecall/internal/tempdir"
)

// Number is the hotline's number in the simulated account.
const Number = "+12025550100"

// Config says what to start. Zero values have the stated meaning.
type Config struct {
	Switchboard string // path of the binary
	PluginDir   string // "": plugins beside the binary
	File        string // switchboard file; "": the sample
	DataDir     string // "": a temporary one, removed at the end
	Listen      string // switchboard's address; "": a free port of 127.0.0.1
	PublicURL   string // what is in front of switchboard; "": nothing
	SimListen   string // the simulator's address; "": a free port of 127.0.0.1
	Clock       string // for both, see clock.Parse; "": the machine's
	Sim         twiliosim.Config
	// Around the simulator's HTTP interface, such as a checker.
	WrapSim func(http.Handler) http.Handler
	Options map[string]any // of the integration, besides credentials
	// Destinations; nil: devops and support, or else the first teams that the file has.
	Teams   []string
	Env     []string  // more environment for switchboard
	Log     io.Writer // switchboard's log; nil: discarded
	NoSetUp bool      // make no integration
}

// Stack is a running demonstration.
type Stack struct {
	Sim       *twiliosim.Sim
	SimURL    string
	URL       string // of switchboard: the public one
	Token     string // of its API
	ID        string // of the integration
	Endpoint  string // of the integration
	*Host            // the first switchboard
	Clock     clock.Clock
	cfg       Config
	simServer *http.Server
	temp      *tempdir.Dir
	file      string             // of switchboard
	people    []softphone.Person // in it
	teams     []team             // that callers hear, in this order; nil: Config.Teams says which
}

// tempPrefix begins the names of the folders that Start makes for the time until Stop.
const tempPrefix = "livecall-demo-"

// Start starts everything and returns when the hotline can be called.
func Start(ctx context.Context, cfg Config) (s *Stack, err error) {
	s = &Stack{cfg: cfg, Host: &Host{log: cfg.Log}}
	s.Host.stack = s
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if err = s.prepare(ctx); err != nil {
		return s, err
	}
	if err = s.startSim(); err != nil {
		return s, err
	}
	if err = s.StartSwitchboard(ctx); err != nil {
		return s, err
	}
	if cfg.NoSetUp {
		return s, nil
	}
	return s, s.SetUp(ctx)
}

// prepare makes what both programs need to know before they start: clock, folder, token, people and
// switchboard's address.
func (s *Stack) prepare(ctx context.Context) (err error) {
	if s.Clock, err = clock.Parse(s.cfg.Clock); err != nil {
		return err
	}
	if s.DataDir = s.cfg.DataDir; s.DataDir == "" {
		tempdir.Sweep("", tempPrefix) // what killed demonstrations have left
		if s.temp, err = tempdir.New("", tempPrefix); err != nil {
			return err
		}
		s.DataDir = filepath.Join(s.temp.Path, "data")
	}
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // never fails, see crypto/rand
	s.Token = fmt.Sprintf("%x", secret)

	if s.file, err = s.switchboardFile(ctx); err != nil {
		return err
	}
	if s.people, err = readPeople(s.file); err != nil {
		return err
	}
	if s.Addr = s.cfg.Listen; s.Addr == "" {
		if s.Addr, err = freeport.Take(); err != nil {
			return err
		}
	} else if err = free(s.Addr); err != nil {
		return err
	}
	if s.URL = s.cfg.PublicURL; s.URL == "" {
		s.URL = "http://" + s.Addr
	}
	return nil
}

// startSim starts the simulator, with the telephones of all people on its page.
func (s *Stack) startSim() (err error) {
	sim := s.cfg.Sim
	sim.Clock = s.Clock
	phones := softphone.New(softphone.Config{People: s.people, Links: []softphone.Link{
		{Title: "Alerts", URL: s.URL + "/alerts"}, {Title: "Calls", URL: s.URL + "/calls"}, {Title: "On call", URL: s.URL + "/oncall"}}})
	sim.Page = phones
	if s.Sim, err = twiliosim.New(sim); err != nil {
		return err
	}
	phones.Attach(s.Sim)
	var handler http.Handler = s.Sim
	if s.cfg.WrapSim != nil {
		handler = s.cfg.WrapSim(handler)
	}
	l, err := listen(s.cfg.SimListen)
	if err != nil {
		return err
	}
	s.SimURL = "http://" + l.Addr().String()
	s.simServer = &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.simServer.Serve(l) }()
	return nil
}

// listen binds an address, "" a free port. The error says what a person can do about it.
func listen(address string) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("address %s cannot be used: %w: stop what uses it, or choose another", address, err)
	}
	return l, nil
}

// free reports why an address cannot be used. Without it, what listens there already would pass for
// the switchboard that could not begin.
func free(address string) error {
	l, err := listen(address)
	if err != nil {
		return err
	}
	return l.Close()
}

// switchboardFile is the path of the file that is wanted, or of the sample, written for the
// purpose.
func (s *Stack) switchboardFile(ctx context.Context) (string, error) {
	if s.cfg.File != "" {
		return s.cfg.File, nil
	}
	file := filepath.Join(filepath.Dir(s.DataDir), "switchboard.yaml")
	sample, err := exec.CommandContext(ctx, s.cfg.Switchboard, "config", "sample").Output()
	if err != nil {
		return "", fmt.Errorf("%s config sample: %w", s.cfg.Switchboard, err)
	}
	return file, os.WriteFile(file, sample, 0o600)
}

// StartSwitchboard starts the switchboard process (again) and waits until it is ready.
func (s *Stack) StartSwitchboard(ctx context.Context) error { return s.Host.Start(ctx) }

// KillSwitchboard ends the process as a crash would, with what it has started left to itself.
func (s *Stack) KillSwitchboard() error { return s.Host.Kill() }

// StopSwitchboard asks the process to stop, and kills it after stopWithin.
func (s *Stack) StopSwitchboard() error { return s.Host.Stop() }

// AddHost starts a further switchboard of the same stack, with a data folder and an address of its
// own. It is one that shares a database: Config.Env names it. Its environment is that of the first,
// and env.
func (s *Stack) AddHost(ctx context.Context, dataDir string, log io.Writer, env ...string) (*Host, error) {
	h, err := s.NewHost(dataDir, log, env...)
	if err != nil {
		return nil, err
	}
	return h, h.Start(ctx)
}

// NewHost is AddHost for one that is started later, such as one of another program.
func (s *Stack) NewHost(dataDir string, log io.Writer, env ...string) (*Host, error) {
	addr, err := freeport.Take()
	return &Host{Addr: addr, DataDir: dataDir, stack: s, log: log, env: env}, err
}

// orDiscard makes the zero value of Config.Log usable.
func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// errOrEnded gives an end without an error a text: a process that should run and has ended is wrong
// either way.
func errOrEnded(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// SetUp makes the integration and points the number to it; Start does so, unless Config.NoSetUp.
func (s *Stack) SetUp(ctx context.Context) error {
	teams := s.cfg.Teams
	var err error
	if teams == nil {
		if s.teams, err = s.chooseTeams(ctx); err != nil {
			return err
		}
		for _, t := range s.teams {
			teams = append(teams, t.ID)
		}
	}
	s.ID, s.Endpoint, err = s.AddHotline(ctx, Number, teams, s.cfg.Options)
	return err
}

// AddHotline makes an integration and points a new number of the account to it, as a person would
// in Twilio's console. Destinations are ids of teams, or kind:id; options come without credentials.
func (s *Stack) AddHotline(ctx context.Context, number string, teams []string, more map[string]any) (id, endpoint string, err error) {
	c := s.cfg.Sim
	def := func(v, d string) string {
		if v == "" {
			return d
		}
		return v
	}
	options := map[string]any{
		"account_sid": def(c.AccountSid, twiliosim.DefaultAccountSid), "api_key": def(c.APIKey, twiliosim.DefaultAPIKey),
		"api_secret": def(c.APISecret, twiliosim.DefaultAPISecret), "auth_token": def(c.AuthToken, twiliosim.DefaultAuthToken),
	}
	for k, v := range more {
		options[k] = v
	}
	var destinations []map[string]string
	for _, t := range teams {
		kind, id, ok := strings.Cut(t, ":")
		if !ok {
			kind, id = "team", t
		}
		destinations = append(destinations, map[string]string{"kind": kind, "id": id})
	}
	var made struct {
		ID       string `json:"id"`
		Endpoint string `json:"endpoint_url"`
	}
	err = s.API(ctx, "POST", "/api/v1/integrations", map[string]any{
		"plugin": "livecall", "name": "Sample hotline", "enabled": true, "destinations": destinations, "options": options,
	}, &made)
	if err != nil {
		return "", "", err
	}
	_, err = s.Sim.AddNumber(twiliosim.Number{
		PhoneNumber: number, FriendlyName: "Sample hotline", VoiceURL: made.Endpoint, StatusCallback: made.Endpoint + "/status"})
	return made.ID, made.Endpoint, err
}

// API makes a request of switchboard's JSON API. Answers beyond 299 are errors with their body.
func (s *Stack) API(ctx context.Context, method, path string, body, into any) error {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, r)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.Token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode > 299 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, b)
	}
	if into == nil || len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, into)
}

// Stop ends everything and removes what was temporary.
func (s *Stack) Stop() {
	// The simulator ends after switchboard, whose last requests go to it.
	if err := s.Host.Stop(); err != nil {
		slog.Debug("switchboard ended", "error", err)
	}
	if s.simServer != nil {
		_ = s.simServer.Close()
	}
	if s.Sim != nil {
		s.Sim.Close()
	}
	if s.temp != nil {
		_ = s.temp.Remove()
	}
}
