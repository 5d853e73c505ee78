package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var mediaChecks = []check{
	{"Media/whole", mediaWhole},
	{"Media/same content once", mediaOnce},
	{"Media/size", mediaSize},
}

// tokenForm is 128 random bits in hexadecimal digits: a token stands in public addresses, and
// whoever guessed it could listen.
var tokenForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// medium is a sound file with this content.
func medium(data string, public bool) store.Medium {
	return store.Medium{MediaRef: integration.MediaRef{Name: "greeting.mp3", ContentType: "audio/mpeg", Duration: 1500 * time.Millisecond}, Public: public, Data: []byte(data)}
}

// Reference, size and token are the store's to set. The reference is the SHA-256 of the content.
func mediaWhole(r *run) {
	data := "ID3\x00\xff audio"
	sum := sha256.Sum256([]byte(data))
	ref := "media:" + hex.EncodeToString(sum[:])
	_, err := r.Medium(r.ctx, ref)
	r.kind("unknown", err, integration.KindNotFound)
	_, err = r.MediumInfo(r.ctx, ref)
	r.kind("unknown", err, integration.KindNotFound)
	in := medium(data, true)
	in.Ref, in.Bytes, in.Token = "media:bad", 1, "bad" // the store's to set
	got, err := r.PutMedium(r.ctx, in)
	r.ok(err)
	if !tokenForm.MatchString(got.Token) {
		r.Errorf("the token is %q", got.Token)
	}
	want := medium(data, true)
	want.Ref, want.Bytes, want.Token, want.Data = ref, int64(len(data)), got.Token, nil
	r.same("as put", got, want)
	r.again()
	info, err := r.MediumInfo(r.ctx, ref)
	r.ok(err)
	r.same("info", info, want)
	want.Data = []byte(data)
	full, err := r.Medium(r.ctx, ref)
	r.ok(err)
	r.same("whole", full, want)
	full, err = r.MediumByToken(r.ctx, got.Token)
	r.ok(err)
	r.same("by token", full, want)
	for _, token := range []string{"", "00000000000000000000000000000000", ref} {
		_, err = r.MediumByToken(r.ctx, token)
		r.kind("an unknown token", err, integration.KindNotFound)
	}
}

// Content is stored once. The first name and type stay. What was once public stays so, since
// addresses with its token may have been handed out; a recording that never was public cannot be
// had by its token.
func mediaOnce(r *run) {
	first, err := r.PutMedium(r.ctx, medium("x", false))
	r.ok(err)
	_, err = r.MediumByToken(r.ctx, first.Token)
	r.kind("a recording by its token", err, integration.KindNotFound)
	other := medium("x", true)
	other.Name, other.ContentType = "other.wav", "audio/wav"
	second, err := r.PutMedium(r.ctx, other)
	r.ok(err)
	want := first
	want.Public = true
	r.same("the same content, now public", second, want)
	third, err := r.PutMedium(r.ctx, medium("x", false))
	r.ok(err)
	r.same("public stays", third, want)
	_, err = r.MediumByToken(r.ctx, first.Token)
	r.ok(err)
	different, err := r.PutMedium(r.ctx, medium("y", false))
	r.ok(err)
	if different.Ref == first.Ref || different.Token == first.Token {
		r.Error("different content has the same reference or token")
	}
}

// 16 MiB is the limit of a message between host and plugin ([integration.MaxMessageBytes]).
func mediaSize(r *run) {
	m := medium("", false)
	m.Data = bytes.Repeat([]byte{7}, 16<<20)
	stored, err := r.PutMedium(r.ctx, m)
	r.ok(err)
	full, err := r.Medium(r.ctx, stored.Ref)
	r.ok(err)
	if stored.Bytes != 16<<20 || !bytes.Equal(full.Data, m.Data) {
		r.Errorf("16 MiB came back as %d bytes", len(full.Data))
	}
	m.Data = append(m.Data, 8)
	_, err = r.PutMedium(r.ctx, m)
	r.kind("more than 16 MiB", err, integration.KindInvalid)
}
