package integrationform

import (
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
)

// A form whose upload takes too long is refused with what to do.
func TestAFormThatComesTooSlowly(t *testing.T) {
	const part = "--x\r\nContent-Disposition: form-data; name=a.upload; filename=a.wav\r\n\r\nRIFF"
	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader(part), iotest.ErrReader(os.ErrDeadlineExceeded)))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	var own *httpkit.Refusal
	if _, err := Read(httptest.NewRecorder(), r); !errors.As(err, &own) || own.Status != http.StatusRequestTimeout {
		t.Errorf("it is answered by %v", err)
	}
}

// posted is the digest of a submission with one field and one file.
func posted(id, text string, data string) [sha256.Size]byte {
	return Submission{url.Values{"name": {text}}, map[string]file{"sound": {name: "a.wav", data: []byte(data)}}}.sum(id)
}

func TestAFormIsActedOnOnce(t *testing.T) {
	t.Parallel()
	o, nonce, acted := newOnce(clock.System()), newNonce(), 0
	post := func(nonce string, content [sha256.Size]byte, err error) any {
		result, _ := o.do(nonce, content, func() (any, error) {
			acted++
			return acted, err
		})
		return result
	}
	post(nonce, posted("a", "text", "sound"), errors.New("refused")) // may be posted again
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := post(nonce, posted("a", "text", "sound"), nil); got != 2 {
				t.Errorf("a second click has the result %v, want that of the first", got)
			}
		})
	}
	all.Wait()
	if o.result(nonce) != 2 || o.result(newNonce()) != nil {
		t.Errorf("remembered: %v and %v", o.result(nonce), o.result(newNonce()))
	}
	for _, other := range [][sha256.Size]byte{posted("b", "text", "sound"), posted("a", "other text", "sound"), posted("a", "text", "other sound")} {
		nonce, before := newNonce(), acted
		post(nonce, posted("a", "text", "sound"), nil)
		if post(nonce, other, nil); acted != before+2 {
			t.Errorf("another content was taken for a second click")
		}
	}
	before := acted
	for range 2 {
		post("", posted("a", "text", "sound"), nil)
	}
	if acted != before+2 {
		t.Errorf("without a number it was acted %d times, want 2", acted-before)
	}
}
