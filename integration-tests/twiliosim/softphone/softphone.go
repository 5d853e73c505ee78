package softphone

import (
	"crypto/rand"
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// Person is somebody whose telephone stands on the page from the beginning. Telephones that ring
// and belong to nobody known appear by themselves.
type Person struct {
	Name   string `json:"name"`
	Number string `json:"number"` // +E.164
}

// Link leads to another program of the same demonstration.
type Link struct {
	Title, URL string
}

// Config of a Page. The zero value works.
type Config struct {
	People []Person
	Links  []Link
	// Voice makes sound of words; nil: espeak-ng where it is installed, else a soft murmur.
	Voice Voice
	// Transport fetches the sound files that calls play; nil: one of its own, without a proxy.
	Transport http.RoundTripper
}

// Page is the page, an http.Handler for twiliosim.Config.Page. Attach it before it serves.
type Page struct {
	cfg      Config
	sim      *twiliosim.Sim
	mux      *http.ServeMux
	guard    *http.CrossOriginProtection
	instance string // by which a browser notices that the simulator has been started again
	speech   speechCache
	played   playedURLs
}

// New makes a page without a simulator.
func New(cfg Config) *Page {
	if cfg.Voice == nil {
		cfg.Voice = FindVoice()
	}
	if cfg.Transport == nil {
		cfg.Transport = &http.Transport{Proxy: nil, ResponseHeaderTimeout: mediaTime, MaxIdleConns: 4, IdleConnTimeout: time.Minute}
	}
	p := &Page{cfg: cfg, instance: rand.Text(), mux: http.NewServeMux(), guard: http.NewCrossOriginProtection()}
	p.mux.HandleFunc("GET /{$}", p.shell)
	p.mux.HandleFunc("GET /softphone/state", p.state)
	p.mux.HandleFunc("GET /softphone/assets/{name}", p.asset)
	p.mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/softphone/assets/icon.svg", http.StatusMovedPermanently)
	})
	p.mux.HandleFunc("GET /tts", p.textToSpeech)
	p.mux.HandleFunc("POST /softphone/calls/{call}/say", p.say)
	p.mux.HandleFunc("GET /media", p.media)
	p.mux.HandleFunc("GET /softphone/recordings/{recording}", p.recording)
	return p
}

// Attach gives the page its simulator.
func (p *Page) Attach(sim *twiliosim.Sim) { p.sim = sim }

// policy lets a browser load nothing that is not ours. Sounds of the microphone are blobs of the
// page itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self' blob:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP implements http.Handler.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if err := p.guard.Check(r); err != nil {
		http.Error(w, "a page of another origin may not control the simulator", http.StatusForbidden)
		return
	}
	p.mux.ServeHTTP(w, r)
}
