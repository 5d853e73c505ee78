package softphone

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"
)

func TestShell(t *testing.T) {
	t.Parallel()
	s := newStage(t, Config{Links: []Link{{"Alerts <b>", "http://127.0.0.1:8080/alerts"}, {"Bad", "javascript:alert(1)"}}}, documents(nil))
	got := s.get("/")
	if got.code != http.StatusOK || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("HTTP %d, %s", got.code, got.header)
	}
	for _, want := range []string{`value="+12025550100"`, `<option value="+12025550100">`, `href="http://127.0.0.1:8080/alerts"`, "Alerts &lt;b&gt;",
		`data-testid="call"`, `data-testid="key-pound"`, `<noscript>`, `lang="en"`} {
		if !strings.Contains(got.body, strings.ReplaceAll(want, "+", "&#43;")) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(got.body, "javascript:") {
		t.Error("the page has a link that is a script")
	}
}

// TestPolicy: the page loads nothing from elsewhere, and has nothing inline that the policy would
// forbid.
func TestPolicy(t *testing.T) {
	t.Parallel()
	s := newStage(t, Config{}, documents(nil))
	for _, p := range []string{"/", "/softphone/assets/main.js", "/tts?text=hello", "/nothing", "/softphone/state"} {
		h := s.get(p).header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %s", p, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || strings.Contains(csp, "http") {
			t.Errorf("%s: policy %q is loose", p, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", p, h)
		}
	}
	body := s.get("/").body
	for name, forbidden := range map[string]*regexp.Regexp{
		"inline script":   regexp.MustCompile(`(?s)<script[^>]*>[^<]`),
		"inline style":    regexp.MustCompile(`<style|\sstyle=`),
		"event attribute": regexp.MustCompile(`\son[a-z]+=`),
		"foreign source":  regexp.MustCompile(`(src|href)="(https?:)?//`),
	} {
		if found := forbidden.FindString(body); found != "" {
			t.Errorf("the page has an %s: %q", name, found)
		}
	}
	scripts, err := fs.Glob(files, "assets/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, script := range scripts {
		text, _ := fs.ReadFile(files, script)
		if found := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://`).FindString(string(text)); found != "" {
			t.Errorf("%s has %q", script, found)
		}
	}
}

// TestScriptsFindTheirParts: modules, elements by id, and elements by data-testid or class that
// scripts look for exist.
func TestScriptsFindTheirParts(t *testing.T) {
	t.Parallel()
	html, err := fs.ReadFile(files, "assets/page.html")
	if err != nil {
		t.Fatal(err)
	}
	scripts, _ := fs.Glob(files, "assets/*.js")
	for _, script := range scripts {
		text, _ := fs.ReadFile(files, script)
		for _, m := range regexp.MustCompile(`from '\./([a-z]+\.js)'`).FindAllStringSubmatch(string(text), -1) {
			if _, err := fs.Stat(files, path.Join("assets", m[1])); err != nil {
				t.Errorf("%s imports %s: %v", script, m[1], err)
			}
		}
		for _, m := range regexp.MustCompile(`(?:\$|getElementById)\('([a-z-]+)'\)`).FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(string(html), `id="`+m[1]+`"`) {
				t.Errorf("%s looks for #%s, which the page lacks", script, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`find\('\.([a-z-]+)'\)`).FindAllStringSubmatch(string(text), -1) {
			if !regexp.MustCompile(`class="[^"]*\b` + m[1] + `\b`).Match(html) {
				t.Errorf("%s looks for .%s, which the page lacks", script, m[1])
			}
		}
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(string(html), -1) {
		if ids[m[1]] {
			t.Errorf("id %s stands twice", m[1])
		}
		ids[m[1]] = true
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	s := newStage(t, Config{}, documents(nil))
	for name, kind := range map[string]string{"main.js": "text/javascript; charset=utf-8", "style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"} {
		got := s.get("/softphone/assets/" + name)
		if got.code != http.StatusOK || got.header.Get("Content-Type") != kind {
			t.Errorf("%s: HTTP %d, %s", name, got.code, got.header.Get("Content-Type"))
		}
		if again := s.ask(http.MethodGet, "/softphone/assets/"+name, "", "If-None-Match", got.header.Get("ETag")); again.code != http.StatusNotModified {
			t.Errorf("%s: HTTP %d the second time, want 304", name, again.code)
		}
	}
	for _, p := range []string{"/softphone/assets/page.html", "/softphone/assets/nothing.js", "/softphone/assets/..%2Fshell.go", "/softphone/assets/", "/nothing"} {
		if got := s.get(p); got.code != http.StatusNotFound {
			t.Errorf("%s: HTTP %d, want 404", p, got.code)
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	people := []Person{{Name: "Alice Example", Number: "+12025550143"}}
	s := newStage(t, Config{People: people}, documents(nil))
	var state struct {
		Instance, Now, Voice, Sample string
		People                       []Person
	}
	if err := json.Unmarshal([]byte(s.get("/softphone/state").body), &state); err != nil {
		t.Fatal(err)
	}
	if state.Instance == "" || state.Now == "" || state.Voice != "fake" || state.Sample != Sample || len(state.People) != 1 || state.People[0] != people[0] {
		t.Errorf("state %+v", state)
	}
	if other := New(Config{Voice: newVoice()}); other.instance == state.Instance {
		t.Error("two simulators cannot be told apart")
	}
	bare := newStage(t, Config{}, documents(nil))
	if got := bare.get("/softphone/state").body; !strings.Contains(got, `"people":[]`) {
		t.Errorf("nobody is null: %s", got)
	}
}
