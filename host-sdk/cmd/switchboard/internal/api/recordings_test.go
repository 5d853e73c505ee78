package api_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

// A recording is behind the token, comes in parts, and names itself.
func TestRecording(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	alert := call(t, h, in, "CA01")
	attachment := alert["attachments"].([]any)[0].(object)
	wantFields(t, attachment, object{"label": "Voicemail", "duration": 2.0})
	audio := hosttest.WAV(2 * time.Second)
	path := strings.TrimPrefix(attachment["url"].(string), h.URL)
	whole := h.Want(200, "GET", path, nil)
	if diff := cmp.Diff(audio, whole.Body); diff != "" {
		t.Fatalf("whole.Body (-want +got):\n%s", diff)
	}
	if got := whole.Header.Get("Content-Type"); got != "audio/wav" {
		t.Fatalf(`whole.Header.Get("Content-Type") = %q, want %q`, got, "audio/wav")
	}
	if got := whole.Header.Get("Content-Disposition"); got != `inline; filename=voicemail.wav` {
		t.Fatalf(`whole.Header.Get("Content-Disposition") = %q, want %q`, got, `inline; filename=voicemail.wav`)
	}
	if got := whole.Header.Get("Cache-Control"); !strings.Contains(got, "private") {
		t.Fatalf("whole.Header.Get(Cache-Control) does not contain %q:\n%s", "private", got)
	}
	if got := h.Want(200, "GET", path+"?download=true", nil).Header.Get("Content-Disposition"); got != `attachment; filename=voicemail.wav` {
		t.Fatalf(`h.Want(200, "GET", path+"?download=true", nil).Header.Get("Content-Disposition") = %q, want %q`, got, `attachment; filename=voicemail.wav`)
	}
	h.Want(404, "GET", "/api/v1/media/media:"+strings.Repeat("0", 64), nil)
	h.Want(404, "GET", "/api/v1/media/elsewhere", nil)

	// A recording is never public, whatever its token.
	medium, err := h.Store.Medium(t.Context(), attachment["ref"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if medium.Public {
		t.Fatal("medium.Public is true")
	}
	if got := h.Do("GET", "/media/"+medium.Token+"/voicemail.wav", nil).Status; got != 404 {
		t.Fatalf(`h.Do("GET", "/media/"+medium.Token+"/voicemail.wav", nil).Status = %v, want %v`, got, 404)
	}
}

func TestPartsOfARecording(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	alert := call(t, h, create(t, h), "CA01")
	path := strings.TrimPrefix(alert["attachments"].([]any)[0].(object)["url"].(string), h.URL)
	whole := h.Want(200, "GET", path, nil)
	for name, c := range map[string]struct {
		header, value string
		status        int
	}{
		"a part":           {"Range", "bytes=4-7", 206},
		"behind the end":   {"Range", "bytes=99999999-", 416},
		"has it already":   {"If-None-Match", whole.Header.Get("ETag"), 304},
		"without a token":  {"Authorization", "", 401},
		"with a wrong one": {"Authorization", "Bearer wrong", 401},
	} {
		req := h.Request("GET", path, nil)
		req.Header.Set(c.header, c.value)
		got := h.Send(req)
		if got.Status != c.status {
			t.Errorf("%s: status %d, want %d", name, got.Status, c.status)
		}
		if want := whole.Body[4:8]; c.status == 206 && !bytes.Equal(got.Body, want) {
			t.Errorf("%s: %q, want %q", name, got.Body, want)
		}
	}
}
