package attacks

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/programs"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/testlog"
	"github.com/livecallrouting/livecall/internal/testmail"
	"github.com/livecallrouting/livecall/internal/testmain"
)

const (
	caller    = "+12025550199"
	secretKey = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=" // of the target's database
	mailUser  = "hotline"
	mailPass  = "canary-mail-password-4711"
	// patience is how long a row waits for what must come. It decides only when a failing test
	// gives up.
	patience = 2 * time.Minute
)

// binaries is the folder in which TestMain has built switchboard and plugins/livecall.
var binaries string

// target is the hotline that all rows attack.
var target *hotline

// TestMain builds the programs and starts the hotline once.
func TestMain(m *testing.M) {
	os.Exit(testmain.Run(testmain.Func(func() int {
		dir, err := os.MkdirTemp("", "livecall-attacks-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		binaries = dir
		slog.SetDefault(slog.New(slog.DiscardHandler))
		if err = programs.Build(context.Background(), "../..", dir); err == nil {
			target, err = start()
		}
		if target != nil {
			defer target.stop()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	})))
}

// hotline is a running stack with a mail server.
type hotline struct {
	*demo.Stack
	log       *testlog.Buffer
	mails     *testmail.Server
	elsewhere elsewhere
}

// start starts the hotline. Nobody answers their phone.
func start(change ...func(*demo.Config)) (*hotline, error) {
	mails, err := testmail.Start(testmail.Options{User: mailUser, Password: mailPass})
	if err != nil {
		return nil, err
	}
	h := &hotline{log: &testlog.Buffer{}, mails: mails}
	certificates, err := h.elsewhere.open()
	if err != nil {
		return h, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cfg := demo.Config{
		Switchboard: binaries + "/switchboard", File: "testdata/switchboard.yaml", Log: h.log, Options: map[string]any{"voicemail": true, "deliver_messages": "off", "transcribe": true, "voicemail_emails": []string{"on-call"}},
		Sim: twiliosim.Config{CallsPerSecond: -1, Lenient: true},
		Env: []string{
			"SWITCHBOARD_SECRET_KEY=" + secretKey, "SWITCHBOARD_LOG_LEVEL=debug", "SWITCHBOARD_TRUSTED_PROXIES=127.0.0.2",
			"SWITCHBOARD_SMTP_URL=" + mails.URL(),
			"SSL_CERT_FILE=" + certificates,
		},
	}
	for _, f := range change {
		f(&cfg)
	}
	h.Stack, err = demo.Start(ctx, cfg)
	return h, err
}

func (h *hotline) stop() {
	if h.Stack != nil {
		h.Stack.Stop()
	}
	_ = h.mails.Close()
	h.elsewhere.close()
}

// state is what an attack must not change.
type state struct {
	Alerts, Calls int
	Legs          int // calls that Twilio was asked to make
	Integrations  string
}

// look reads the state.
//
// That Twilio does not know who knocked is found when it was asked, some attacks later.
func (h *hotline) look(t *testing.T) state {
	t.Helper()
	var alerts, calls []json.RawMessage
	var integrations json.RawMessage
	h.get(t, "/api/v1/alerts?limit=1000", &alerts)
	h.get(t, "/api/v1/calls?limit=1000", &calls)
	h.get(t, "/api/v1/integrations", &integrations)
	s := state{Alerts: len(alerts), Calls: len(calls), Integrations: notFound.ReplaceAllString(string(integrations), "")}
	for _, e := range h.Sim.Events(0) {
		if isDial(e) {
			s.Legs++
		}
	}
	return s
}

func (h *hotline) get(t *testing.T, path string, into any) {
	t.Helper()
	if err := h.API(t.Context(), "GET", path, nil, into); err != nil {
		t.Fatal(err)
	}
}

var notFound = regexp.MustCompile(`\{"code":"calls-not-found"[^{}]*\},?`)

// eventually waits for what must come.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("did not come: %s", what)
}

// linesSince are the log's lines after the first n bytes.
func (h *hotline) linesSince(n int) []string {
	return strings.Split(strings.TrimSuffix(h.log.String()[n:], "\n"), "\n")
}
