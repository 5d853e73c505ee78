package docs_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/internal/freeport"
)

// A tutorial's blocks name their terminal in a comment: "terminal 1, keeps running" before a
// command that goes on in the background, "terminal 1" before one that ends, "terminal 1 prints"
// before what it shows.
var terminalNote = regexp.MustCompile(`^terminal (\d)(, keeps running| prints|)$`)

// patience is the outer deadline of one step, on a machine that is busy with much else.
const patience = 4 * time.Minute

// TestTutorialWithTheSimulator does what docs/tutorial-simulator.md says, in its order: it runs
// each command in its terminal and waits for what the page shows. Then each button that the page
// names must be there.
func TestTutorialWithTheSimulator(t *testing.T) {
	t.Parallel()
	page := read(t, "tutorial-simulator.md")
	r := &reader{t: t, terminals: map[string]*terminal{}, sim: freeport.Address(t), host: freeport.Address(t)}
	t.Cleanup(r.leave)
	steps := 0
	for _, b := range blocksOf(page) {
		note := terminalNote.FindStringSubmatch(b.note)
		if note == nil {
			t.Fatalf("line %d: the block names no terminal: %q", b.line, b.note)
		}
		started := time.Now()
		switch {
		case b.language == "sh" && note[2] == ", keeps running":
			r.start(note[1], b)
		case b.language == "sh":
			r.runs(note[1], b)
		default:
			if strings.Contains(b.text, "stopping …") {
				r.buttons(page)
				r.ends(note[1], syscall.SIGINT)
			}
			r.sees(note[1], b)
		}
		steps++
		t.Logf("line %d, %s: %.1f s", b.line, b.note, time.Since(started).Seconds())
	}
	if steps < 10 {
		t.Errorf("only %d blocks: the tutorial is not tried", steps)
	}
	r.closesItsTerminal(blocksOf(page)[0])
}

// closesItsTerminal runs the first command of a page once more, with a temporary folder of its own,
// and closes its terminal: nothing goes on, and nothing is left.
func (r *reader) closesItsTerminal(first block) {
	r.t.Helper()
	// Tests that run under nohup ignore SIGHUP, and with them what they start. A signal that is
	// caught has its default again in what is started.
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP)
	r.t.Cleanup(func() { signal.Stop(hangUps) })
	temp, err := os.MkdirTemp("", "t-") // sockets need short paths
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = os.RemoveAll(temp) })
	first.text = "export TMPDIR='" + temp + "'\n" + first.text
	r.start("closed", first)
	r.sees("closed", block{line: first.line, text: "The hotline is up."})
	r.ends("closed", syscall.SIGHUP)
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		r.t.Errorf("a closed terminal leaves %v (%v)", left, err)
	}
	for _, address := range []string{r.host, r.sim} {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			r.t.Errorf("something still listens at %s", address)
		}
	}
}

// reader follows a page with several terminals.
type reader struct {
	t         *testing.T
	terminals map[string]*terminal
	sim, host string // the addresses in place of the page's, which may be taken
	token     string // of the API, as the first terminal shows it
	person    string // the number of whoever is on call
}

// terminal is one, with what it has printed since its last command.
type terminal struct {
	cmd  *exec.Cmd
	done chan error
	mu   sync.Mutex
	said bytes.Buffer
}

// Write implements io.Writer.
func (s *terminal) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(p)
}

func (s *terminal) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}

// asHere puts what differs on this machine and in this week in place of what the page says.
func (r *reader) asHere(text string) string {
	pairs := []string{"127.0.0.1:8080", r.host, "127.0.0.1:8090", r.sim, "the-token", r.token}
	if r.person != "" {
		pairs = append(pairs, "+12025550143", r.person)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func (r *reader) start(name string, b block) {
	r.t.Helper()
	s := &terminal{done: make(chan error, 1)}
	s.cmd = exec.Command("bash", "-euo", "pipefail", "-c", r.asHere(b.text))
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = "..", s, s
	s.cmd.Env = append(os.Environ(), "DEMO_LISTEN="+r.host, "DEMO_SIM_LISTEN="+r.sim, "TWILIOSIM_URL=http://"+r.sim)
	// Ctrl-C reaches every process of a terminal.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.terminals[name] = s
	go func() { s.done <- s.cmd.Wait() }()
}

func (r *reader) runs(name string, b block) {
	r.t.Helper()
	r.start(name, b)
	s := r.terminals[name]
	select {
	case err := <-s.done:
		s.done <- err
		if err != nil {
			r.t.Fatalf("line %d: %v:\n%s", b.line, err, s.text())
		}
	case <-time.After(patience):
		r.t.Fatalf("line %d does not end:\n%s", b.line, s.text())
	}
}

// sees waits until a terminal has printed the lines of a block, in their order. "…" stands for
// anything.
func (r *reader) sees(name string, b block) {
	r.t.Helper()
	s := r.terminals[name]
	var pattern strings.Builder
	pattern.WriteString("(?s)")
	for line := range strings.Lines(r.asHere(b.text)) {
		if line = strings.TrimSpace(line); line != "" {
			pattern.WriteString(`.*?` + strings.ReplaceAll(regexp.QuoteMeta(line), "…", `[^\n]*?`))
		}
	}
	want := regexp.MustCompile(pattern.String())
	for deadline := time.Now().Add(patience); !want.MatchString(s.text()); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("line %d: terminal %s does not print\n%s\nbut\n%s", b.line, name, r.asHere(b.text), s.text())
		}
	}
	if m := regexp.MustCompile(`token ([0-9a-f]{16,})`).FindStringSubmatch(s.text()); m != nil && r.token == "" {
		r.token = m[1]
		r.knowsThePerson(s)
	}
}

// knowsThePerson reads whose number the printed commands have: people take weekly turns.
func (r *reader) knowsThePerson(s *terminal) {
	r.t.Helper()
	number := regexp.MustCompile(`answer (\+\d+)`)
	for deadline := time.Now().Add(patience); r.person == ""; time.Sleep(20 * time.Millisecond) {
		if m := number.FindStringSubmatch(s.text()); m != nil {
			r.person = m[1]
		} else if time.Now().After(deadline) {
			r.t.Fatalf("the first terminal says no number:\n%s", s.text())
		}
	}
}

// ends sends a signal to all processes of a terminal, whose program must then end by itself: Ctrl-C
// sends SIGINT, and a terminal that is closed SIGHUP.
func (r *reader) ends(name string, by syscall.Signal) {
	r.t.Helper()
	s := r.terminals[name]
	_ = syscall.Kill(-s.cmd.Process.Pid, by)
	select {
	case err := <-s.done:
		s.done <- err
	case <-time.After(patience):
		r.t.Fatalf("terminal %s does not end:\n%s", name, s.text())
	}
}

// leave ends what a test that failed has left running.
func (r *reader) leave() {
	for _, s := range r.terminals {
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM)
		<-s.done
	}
}

var emphasised = regexp.MustCompile(`\*([^*\n]+)\*`)

// buttons looks on the telephones' and switchboard's pages for each word that the page sets in
// italics.
func (r *reader) buttons(page string) {
	r.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	login, err := client.PostForm("http://"+r.host+"/login", url.Values{"token": {r.token}})
	if err != nil {
		r.t.Fatal(err)
	}
	_ = login.Body.Close()
	seen := ""
	for _, address := range []string{r.host + "/alerts", r.host + "/oncall", r.host + "/calls", r.sim + "/", r.sim + "/softphone/assets/words.js", r.sim + "/softphone/assets/phone.js"} {
		seen += get(r.t, client, "http://"+address)
	}
	n := 0
	for _, m := range emphasised.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		n++
		if !strings.Contains(seen, ">"+m[1]+"<") && !strings.Contains(seen, "'"+m[1]+"'") {
			r.t.Errorf("the tutorial names *%s*, which is on none of the pages", m[1])
		}
	}
	if n < 10 {
		r.t.Errorf("only %d names of buttons and pages", n)
	}
	// Twilio processes a recording after the call.
	for deadline := time.Now().Add(patience); !strings.Contains(get(r.t, client, "http://"+r.host+"/alerts"), "<audio"); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatal("*Alerts* plays no message")
		}
	}
}

// TestTheTutorialNamesWhatIsThere looks for each name of a field, button or page in
// docs/tutorial-twilio.md, docs/responder.md and docs/coming-from-elsewhere.md among the options,
// the plugin's actions and the pages. Names of other products are bold, or in the first column.
func TestTheTutorialNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	known := ""
	for _, pattern := range []string{"../schema/options.schema.json", "../plugin/internal/actions/*.go", "../host-sdk/cmd/switchboard/internal/pages/*/templates/*.tmpl",
		"../host-sdk/cmd/switchboard/internal/pages/*/*.go", "../host-sdk/form/*.go", "../host-sdk/cmd/switchboard/internal/pages/templates/*.tmpl"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			known += read(t, file)
		}
	}
	for page, least := range map[string]int{"tutorial-twilio.md": 12, "coming-from-elsewhere.md": 10, "responder.md": 4} {
		n := 0
		for _, m := range regexp.MustCompile(`(?m)(?:^|[^*])\*([A-Z][^*\n]+)\*(?:[^*]|$)`).FindAllStringSubmatch(fenced.ReplaceAllString(read(t, page), ""), -1) {
			n++
			if !strings.Contains(known, ">"+m[1]+"<") && !strings.Contains(known, `"`+m[1]+`"`) {
				t.Errorf("%s names *%s*, which is no option, action or page", page, m[1])
			}
		}
		if n < least {
			t.Errorf("%s: only %d names", page, n)
		}
	}
}

func get(t *testing.T, client *http.Client, address string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", address, resp.Status, err)
	}
	return string(text)
}
