package api_test

import (
	"bytes"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

func form(t *testing.T, field, name string, content []byte) (contentType string, body []byte) {
	t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	part, err := w.CreateFormFile(field, name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = part.Write(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), buf.Bytes()
}

func TestUpload(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	audio := hosttest.WAV(1500 * time.Millisecond)
	post := func(query, contentType string, body []byte) hosttest.Answer {
		req := h.Request("POST", "/api/v1/media"+query, body)
		req.Header.Set("Content-Type", contentType)
		return h.Send(req)
	}
	contentType, body := form(t, "file", `C:\sounds\Wel come.wav`, audio)
	first := post("", contentType, body)
	if first.Status != 201 {
		t.Fatalf("%v: got %v, want %v", string(first.Body), first.Status, 201)
	}
	var medium object
	first.JSON(t, &medium)
	wantFields(t, medium, object{"name": "Wel-come.wav", "content_type": "audio/wav", "bytes": float64(len(audio))})
	if medium["duration"] != 1.5 {
		t.Fatalf("duration = %v, want 1.5", medium["duration"])
	}

	// The same content again, by another way, is the same medium.
	again := post("?name=other.mp3", "application/octet-stream", audio)
	if again.Status != 201 {
		t.Fatalf("again.Status = %v, want %v", again.Status, 201)
	}
	var same object
	again.JSON(t, &same)
	if diff := cmp.Diff(medium["ref"], same["ref"]); diff != "" {
		t.Fatalf("same[ref] (-want +got):\n%s", diff)
	}

	// It is served in public, at an address that nobody can guess, for ever.
	stored, err := h.Store.MediumInfo(t.Context(), medium["ref"].(string))
	if err != nil {
		t.Fatal(err)
	}
	req := h.Request("GET", "/media/"+stored.Token+"/"+stored.Name, nil)
	req.Header.Del("Authorization")
	public := h.Send(req)
	if public.Status != 200 {
		t.Fatalf("public.Status = %v, want %v", public.Status, 200)
	}
	if diff := cmp.Diff(audio, public.Body); diff != "" {
		t.Fatalf("public.Body (-want +got):\n%s", diff)
	}
	if got := public.Header.Get("Content-Type"); got != "audio/wav" {
		t.Fatalf(`public.Header.Get("Content-Type") = %q, want %q`, got, "audio/wav")
	}
	if got := public.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Fatalf(`public.Header.Get("Cache-Control") = %q, want %q`, got, "public, max-age=31536000, immutable")
	}
	if got := public.Header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Fatalf(`public.Header.Get("X-Content-Type-Options") = %q, want %q`, got, "nosniff")
	}
	if got := h.Do("GET", "/media/"+strings.Repeat("0", 32)+"/"+stored.Name, nil).Status; got != 404 {
		t.Fatalf(`h.Do("GET", "/media/"+strings.Repeat("0", 32)+"/"+stored.Name, nil).Status = %v, want %v`, got, 404)
	}
	if got := h.Log.String(); strings.Contains(got, stored.Token) {
		t.Fatalf("the address stays out of the log: contains %q:\n%s", stored.Token, got)
	}

	for _, c := range []struct {
		name   string
		body   []byte
		status int
		says   string
	}{
		{"empty", []byte{}, 400, "empty"},
		{"text", []byte("hello, this is no sound at all"), 415, "neither MP3 nor WAV"},
		{"page behind a tag", []byte("ID3\x03\x00\x00\x00\x00\x00\x00<html><script>alert(1)</script>"), 415, "neither MP3 nor WAV"},
		{"header alone", audio[:40], 400, "damaged"},
		{"too large", append(hosttest.WAV(time.Second), make([]byte, 16<<20)...), 413, "16 MiB"},
		{"far too large", make([]byte, 17<<20), 413, "16 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := post("?name=a.wav", "audio/wav", c.body)
			if diff := cmp.Diff(c.status, a.Status); diff != "" {
				t.Fatalf("%v (-want +got):\n%s", string(a.Body), diff)
			}
			_, message := errorOf(t, a)
			if !strings.Contains(message, c.says) {
				t.Fatalf("message does not contain %q:\n%s", c.says, message)
			}
		})
	}
	contentType, body = form(t, "sound", "a.wav", audio)
	_, message := errorOf(t, post("", contentType, body))
	if !strings.Contains(message, `no part "file"`) {
		t.Fatalf("message does not contain %q:\n%s", `no part "file"`, message)
	}
	if got := post("", "multipart/form-data", audio).Status; got != 400 {
		t.Fatalf("a form without a boundary: got %v, want %v", got, 400)
	}
}
