package softphone

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets
var files embed.FS

var page = template.Must(template.New("page.html").ParseFS(files, "assets/page.html"))

// assetTypes are the files that a browser may have.
var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// Sample is the voicemail that the page offers to people who have no microphone, or do not want to
// speak.
const Sample = "Hello, this is Alex Example. Our shop cannot take card payments since ten o'clock. Please call me back as soon as you can. Thank you."

// key is one key of a telephone.
type key struct{ Key, Letters, Name string }

var keys = []key{{"1", "", "1"}, {"2", "ABC", "2"}, {"3", "DEF", "3"}, {"4", "GHI", "4"}, {"5", "JKL", "5"}, {"6", "MNO", "6"},
	{"7", "PQRS", "7"}, {"8", "TUV", "8"}, {"9", "WXYZ", "9"}, {"*", "", "star"}, {"0", "+", "0"}, {"#", "", "pound"}}

// shell is the page as the server knows it; the scripts fill it.
func (p *Page) shell(w http.ResponseWriter, _ *http.Request) {
	var numbers []string
	for _, n := range p.sim.Numbers() {
		numbers = append(numbers, n.PhoneNumber)
	}
	var b bytes.Buffer
	err := page.Execute(&b, map[string]any{"Numbers": numbers, "Links": p.cfg.Links, "Keys": keys, "Account": p.sim.AccountSid()})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
}

// state is what the scripts need to know besides calls.
func (p *Page) state(w http.ResponseWriter, _ *http.Request) {
	people := p.cfg.People
	if people == nil {
		people = []Person{}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"instance": p.instance, "now": p.sim.Now().UTC().Format(time.RFC3339Nano), "people": people, "voice": p.cfg.Voice.Name(), "sample": Sample,
	})
}

// asset serves style sheet, scripts and icon. A browser asks each time whether they changed: they
// change with the program.
func (p *Page) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	kind, ok := assetTypes[path.Ext(name)]
	data, err := files.ReadFile("assets/" + name)
	if !ok || err != nil || strings.Contains(name, "/") {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(data)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}
