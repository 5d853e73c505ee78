package browser_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/integration-tests/browser"
)

const page = `<!doctype html><html lang="en"><title>Page</title>
<style>:root { color-scheme: light dark } @media (prefers-color-scheme: dark) { #scheme::before { content: "night" } }</style>
<main><h1>Sample</h1>
<input id="name" value="before" onchange="left.innerText = this.value">
<p id="left"></p><p id="late" hidden>Here I am</p><p id="scheme">scheme</p>
<select id="team"><option value="1">DevOps</option><option value="2">Support</option></select>
<input id="file" type="file">
<button>Other</button> <button onclick="later()">Show</button>
</main><script>
  function later() { setTimeout(() => { late.hidden = false; left.innerText = "" }, 50) }
</script></html>`

func serve(t *testing.T, policy string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		if policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		_, _ = fmt.Fprint(w, page)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestWhatAPersonDoesAndSees(t *testing.T) {
	t.Parallel()
	p := browser.Open(t)
	p.Go(serve(t, ""))
	p.Type("#name", "Alice Example")
	p.Press("\t")
	p.WaitText("#left", "Alice Example")
	p.Paste("#name", "Bob Example")
	p.Press("\t")
	p.Wait(`left.innerText === "Bob Example"`)
	p.Select("#team", "Support")
	var team, file string
	if p.Eval("team.value", &team); team != "2" {
		t.Errorf("the team is %q", team)
	}
	path := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(path, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Upload("#file", path)
	if p.Eval("file.files[0].text()", &file); file != "a" {
		t.Errorf("the file holds %q", file)
	}
	p.WaitGone("#late")
	p.ClickText("button", "Show")
	p.WaitFor("#late")
	p.Type("#name", "")
	p.Wait(`document.querySelector("#name").value === ""`)
	if got := p.Text("h1"); got != "Sample" {
		t.Errorf("the heading is %q", got)
	}
	other := p.NewTab()
	other.Go(serve(t, ""))
	other.WaitText("h1", "Sample")
	if got := append(p.Problems(), other.Problems()...); len(got) > 0 {
		t.Errorf("problems of a good page: %q", got)
	}
}

func TestLooks(t *testing.T) {
	t.Parallel()
	p := browser.Open(t)
	p.Go(serve(t, ""))
	for _, tc := range []struct {
		width  int
		scheme string
		dark   bool
	}{{390, "dark", true}, {1280, "light", false}} {
		p.Look(tc.width, 700, tc.scheme)
		var dark bool
		if p.Eval(`matchMedia("(prefers-color-scheme: dark)").matches`, &dark); dark != tc.dark {
			t.Errorf("%s: dark is %v", tc.scheme, dark)
		}
		img, err := png.Decode(bytes.NewReader(p.Screenshot()))
		if err != nil {
			t.Fatal(err)
		}
		if got := img.Bounds().Dx(); got != tc.width {
			t.Errorf("the picture is %d wide, not %d", got, tc.width)
		}
		// The corner is background: the scheme reaches what is painted.
		if r, _, _, _ := img.At(1, 1).RGBA(); (r < 0x8000) != tc.dark {
			t.Errorf("%s: the background's red is %d", tc.scheme, r)
		}
	}
}

func TestComplaintsAreHeard(t *testing.T) {
	t.Parallel()
	p := browser.Open(t)
	for _, tc := range []struct{ name, policy, script, want string }{
		{"blocked by policy", "script-src 'self'", "", "script-src 'self'"},
		{"console error", "", `console.error("no %s", "luck")`, "no luck"},
		{"exception", "", `setTimeout(() => { throw new Error("thrown later") })`, "thrown later"},
		{"rejection", "", `void Promise.reject(new Error("broken promise"))`, "broken promise"},
		{"missing resource", "", `fetch("/missing").then(() => {})`, "/missing"},
	} {
		p.Go(serve(t, tc.policy))
		if tc.script != "" {
			p.Eval(tc.script, nil)
			p.Eval("new Promise(done => setTimeout(done, 10))", nil) // after the page's own timers
		}
		// The browser's version decides how often it complains and in which words.
		got := p.Problems()
		if len(got) == 0 || slices.ContainsFunc(got, func(line string) bool { return !strings.Contains(line, tc.want) }) {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
	p.Ignore("expected here")
	p.Eval(`console.error("expected here"); console.warn("only a warning")`, nil)
	if got := p.Problems(); len(got) != 0 {
		t.Errorf("ignored, and yet: %q", got)
	}
}

func TestExpectedFailuresAreIgnored(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		case "/cut":
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/":
			_, _ = fmt.Fprint(w, page)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	p := browser.Open(t)
	p.Go(s.URL)
	complaints := func() []string {
		p.Eval(`Promise.allSettled(["/missing", "/forbidden", "/cut"].map(path => fetch(path).then(r => r.text()))).then(() => {})`, nil)
		return p.Problems()
	}
	for _, step := range []struct {
		ignore func()
		left   []string
	}{
		{func() {}, []string{"/missing", "/forbidden", "/cut"}},
		{func() { p.IgnoreStatus(http.StatusForbidden) }, []string{"/missing", "/cut"}},
		{p.IgnoreLostConnections, []string{"/missing"}},
		{func() { p.IgnoreStatus(http.StatusNotFound, http.StatusConflict) }, nil},
	} {
		step.ignore()
		got := complaints()
		for _, path := range []string{"/missing", "/forbidden", "/cut"} {
			complained := slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, s.URL+path) })
			if want := slices.Contains(step.left, path); complained != want {
				t.Errorf("%s is heard: %v, want %v, in %q", path, complained, want, got)
			}
		}
	}
}

func TestAccessibilityReadsItsReport(t *testing.T) {
	t.Parallel()
	p := browser.Open(t)
	p.Go(serve(t, "script-src 'none'")) // a policy of the page does not bind the test
	got := p.Accessibility(`globalThis.axe = {run: async () => ({violations: [{id: "label", help: "Inputs have labels",
		nodes: [{target: ["#" + document.querySelector("input").id]}, {target: [["#frame", "b"]]}]}]})}`)
	if want := []string{`label: Inputs have labels: "#name" ["#frame","b"]`}; !cmp.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
