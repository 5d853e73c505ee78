package soundcheck

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/livecallrouting/livecall/plugin/internal/options"
)

// Level says how bad a result is. Actions use the same words for their lines.
type Level string

// The levels. A warning may be of the moment: the file may be there when Twilio asks for it.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Error   Level = "error"
)

// Result is what is known of one field's file. A field without an address has none.
type Result struct {
	Field string // option key
	Level Level
	Text  string // a sentence for people, beginning with the field's label, with the remedy
}

// Checker fetches sound files. The zero value reaches public addresses alone. It keeps nothing
// between checks, so it may be used by many goroutines.
type Checker struct {
	// Loopback allows this machine's own addresses too: for tests, and beside a simulator.
	Loopback bool
	// Roots are the certificate authorities trusted; nil: the system's.
	Roots *x509.CertPool
}

const (
	maxSound = 16 << 20 // bytes; a quarter of an hour of MP3, and more than a caller hears out
	peek     = 512      // bytes read of a file, to see that there are any
)

// playable are the media types that Twilio plays (Twilio docs: voice/twiml/play).
var playable = []string{
	"audio/mpeg", "audio/wav", "audio/wave", "audio/x-wav", "audio/aiff", "audio/x-aifc", "audio/x-aiff", "audio/x-gsm", "audio/gsm", "audio/ulaw",
}

// Fields checks the file of each field that holds an address, in the order of their keys. It takes
// 5 seconds at most.
func (c Checker) Fields(ctx context.Context, fields map[string]options.Source) []Result {
	// The list is made before any goroutine starts; each then writes to its own entry only, so no
	// lock is needed and the order does not depend on which server answers first.
	var results []Result
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if fields[key].URL != "" {
			results = append(results, Result{Field: key})
		}
	}
	// One client for all: each request has its own connection.
	guarded := client(c.Loopback, c.Roots)
	var wait sync.WaitGroup
	for i := range results {
		wait.Add(1)
		go func() {
			defer wait.Done()
			r := &results[i]
			level, text := check(ctx, guarded, fields[r.Field].URL)
			r.Level, r.Text = level, options.Title(r.Field)+": "+text
		}()
	}
	wait.Wait()
	return results
}

// check fetches one file. That Twilio may not play its media type is only a doubt: it is said when
// nothing else is wrong. Only its beginning is read: a file may be large, and its end tells nothing
// more.
func check(ctx context.Context, guarded *http.Client, address string) (Level, string) {
	const remedy = " Correct the address, or upload the file."
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Error, "the address cannot be read." + remedy
	}
	res, err := guarded.Do(req)
	if err != nil {
		level, why := explain(err)
		return level, why + remedy
	}
	defer func() { _ = res.Body.Close() }()
	switch {
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests:
		return Warning, fmt.Sprintf("the address answers %d now; callers hear our own sound while it does.", res.StatusCode) + remedy
	case res.StatusCode != http.StatusOK:
		return Error, fmt.Sprintf("the address answers %d, so Twilio cannot play it.", res.StatusCode) + remedy
	case res.ContentLength > maxSound:
		return Error, fmt.Sprintf("the file has %d MB; at most %d MB are played.", res.ContentLength>>20, maxSound>>20) + remedy
	}
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return Error, "the address does not say what it serves (Content-Type), so Twilio cannot play it." + remedy
	case !strings.HasPrefix(kind, "audio/"):
		return Error, "the address serves " + kind + " instead of a sound file." + remedy
	}
	if n, err := io.ReadFull(res.Body, make([]byte, peek)); n == 0 {
		if errors.Is(err, io.EOF) {
			return Error, "the file is empty." + remedy
		}
		return Warning, "the file could not be read." + remedy
	}
	if !slices.Contains(playable, kind) {
		return Warning, "the address serves " + kind + ", which Twilio does not promise to play: use MP3 (audio/mpeg) or WAV (audio/wav)."
	}
	return OK, "the file can be fetched."
}

// explain puts a failed request into words. What is certainly wrong is an error; what may be of the
// moment, or of this machine's network, a warning.
func explain(err error) (Level, string) {
	var certificate *tls.CertificateVerificationError
	var timedOut interface{ Timeout() bool }
	switch {
	case errors.Is(err, errNotPublic):
		return Error, "the address leads into a private network, where Twilio cannot fetch the file."
	case errors.Is(err, errNotHTTPS):
		return Error, errNotHTTPS.Error() + "."
	case errors.Is(err, errRedirected):
		return Error, errRedirected.Error() + "."
	case errors.As(err, &certificate):
		return Error, "the certificate of the address is not valid, so Twilio does not fetch the file."
	case errors.As(err, &timedOut) && timedOut.Timeout():
		return Warning, fmt.Sprintf("the address did not answer within %s.", timeout)
	}
	return Warning, "the address cannot be reached from here."
}
