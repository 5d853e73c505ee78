package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

func key(t testing.TB, text string) seal.Key {
	t.Helper()
	k, err := seal.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var place = seal.Place{Table: "integrations", ID: "i1", Field: "options"}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	k := key(t, seal.NewKey())
	for _, plain := range [][]byte{nil, {}, []byte("x"), bytes.Repeat([]byte("long "), 10000)} {
		a, err := k.Seal(place, plain)
		if err != nil {
			t.Fatal(err)
		}
		b, err := k.Seal(place, plain)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(a, b) {
			t.Error("sealing twice gives the same value")
		}
		if len(a) != len(plain)+seal.Overhead {
			t.Errorf("%d bytes became %d, want %d more", len(plain), len(a), seal.Overhead)
		}
		if len(plain) > 1 && bytes.Contains(a, plain[:5]) {
			t.Error("the sealed value holds its text")
		}
		if got, err := k.Open(place, a); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("Open: %d bytes, want %d (%v)", len(got), len(plain), err)
		}
	}
}

func TestOpenElsewhereOrDamaged(t *testing.T) {
	t.Parallel()
	k := key(t, seal.NewKey())
	sealed, err := k.Seal(place, []byte("s3cr3t-token"))
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []seal.Place{
		{Table: "settings", ID: "i1", Field: "options"},
		{Table: "integrations", ID: "i2", Field: "options"},
		{Table: "integrations", ID: "i1", Field: "token_key"},
		{Table: "integrationsi", ID: "1", Field: "options"}, // the same letters, cut elsewhere
		{Table: "integrations", ID: "i1o", Field: "ptions"},
		{},
	} {
		if got, err := k.Open(other, sealed); err == nil {
			t.Errorf("opened at %v: %q", other, got)
		} else if integration.KindOf(err) != integration.KindInternal || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("opened at %v: %v", other, err)
		}
	}
	for i := range sealed { // a flipped bit anywhere
		bad := bytes.Clone(sealed)
		bad[i] ^= 0x40
		if _, err := k.Open(place, bad); err == nil {
			t.Errorf("a flipped bit in byte %d is not noticed", i)
		}
	}
	for n := range sealed {
		if _, err := k.Open(place, sealed[:n]); err == nil {
			t.Errorf("cut off after %d bytes and not noticed", n)
		}
	}
	if _, err := k.Open(place, append([]byte{9}, sealed[1:]...)); integration.KindOf(err) != integration.KindUnsupported {
		t.Errorf("a newer format: %v", err)
	}
}

func TestAnotherKeyIsToldAtOnce(t *testing.T) {
	t.Parallel()
	mine, other := key(t, seal.NewKey()), key(t, seal.NewKey())
	sealed, err := mine.Seal(place, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	_, openErr := other.Open(place, sealed)
	for what, err := range map[string]error{"Open": openErr, "Verify": other.Verify(mine.Check())} {
		if integration.KindOf(err) != integration.KindInvalid || !strings.Contains(fmt.Sprint(err), "written with another SWITCHBOARD_SECRET_KEY") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := mine.Verify(mine.Check()); err != nil {
		t.Errorf("its own check: %v", err)
	}
	for _, bad := range []string{"", "?", "AAAA"} {
		if err := mine.Verify(bad); integration.KindOf(err) != integration.KindInternal {
			t.Errorf("Verify(%q): %v", bad, err)
		}
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	secret := []byte("\xfb\xff\xfe0123456789abcdefghijklmnopq\xfb\xff")
	same := map[string]bool{}
	for _, text := range []string{
		hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)),
		base64.StdEncoding.EncodeToString(secret), base64.RawStdEncoding.EncodeToString(secret),
		base64.URLEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret),
		" " + hex.EncodeToString(secret) + "\r\n",
	} {
		same[key(t, text).ID()] = true
	}
	if len(same) != 1 {
		t.Errorf("one key in %d forms has ids %v", 7, same)
	}
	for _, bad := range []string{
		"", "s3cr3t", "change-me", strings.Repeat("ab", 31), strings.Repeat("ab", 33), strings.Repeat("x!", 32),
		base64.StdEncoding.EncodeToString(secret[:31]), strings.Repeat("00", 32), base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)),
	} {
		_, err := seal.ParseKey(bad)
		if integration.KindOf(err) != integration.KindInvalid || !strings.Contains(fmt.Sprint(err), seal.Setting) {
			t.Errorf("ParseKey(%q): %v", bad, err)
		}
		if bad != "" && strings.Contains(fmt.Sprint(err), bad) {
			t.Errorf("the error repeats the text %q: %v", bad, err)
		}
	}
	if first, second := seal.NewKey(), seal.NewKey(); first == second {
		t.Error("two new keys are the same")
	}
}

func TestAKeyPrintsAsItsIDOnly(t *testing.T) {
	t.Parallel()
	k := key(t, strings.Repeat("0123456789abcdef", 4))
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k)
	for _, s := range []string{fmt.Sprintf("%v|%+v|%#v|%s|%x|%d", k, k, k, k, k, k), fmt.Sprintf("%+v", struct{ K seal.Key }{k}), log.String()} {
		if rest := strings.ReplaceAll(s, "seal.Key("+k.ID()+")", ""); len(rest) > 80 || !strings.Contains(s, k.ID()) {
			t.Errorf("printed as %s", s)
		}
	}
}

func TestTheZeroKeyDoesNothing(t *testing.T) {
	t.Parallel()
	var k seal.Key
	if _, err := k.Seal(place, []byte("x")); integration.KindOf(err) != integration.KindInvalid {
		t.Errorf("Seal: %v", err)
	}
	if _, err := k.Open(place, make([]byte, 100)); integration.KindOf(err) != integration.KindInvalid {
		t.Errorf("Open: %v", err)
	}
	if k.Check() != "" {
		t.Error("it has a check value")
	}
}
