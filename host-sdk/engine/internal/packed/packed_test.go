package packed_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/packed"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// fill gives every part of v a value of its own, so that one that is left out or taken for another
// is noticed.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("Ärger %d", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n) * -1_000_003)
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			*at = time.Date(2026, 3, 4, 5, 6, *n, 123_456_789, time.UTC)
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic(v.Kind().String())
	}
}

// holds tries a type: everything that its values consist of comes back.
func holds[T any](t *testing.T) {
	t.Helper()
	var empty, full T
	n := 0
	fill(reflect.ValueOf(&full).Elem(), &n)
	for _, want := range []T{empty, full} {
		piece := packed.Pack(&want)
		if d := cmp.Diff(want, piece.Unpack()); d != "" {
			t.Errorf("%T (-packed +unpacked):\n%s", want, d)
		}
		if piece == "" {
			t.Errorf("%T: a value is no value", want)
		}
	}
	if packed.Pack(&empty) == packed.Pack(&full) {
		t.Errorf("%T: different values are the same piece", full)
	}
}

func TestAValueIsUnpackedAsItWasPacked(t *testing.T) {
	t.Parallel()
	holds[store.Session](t)
	holds[integration.AlertSnapshot](t)
	holds[string](t)
	holds[[]byte](t)
	holds[struct {
		At  *time.Time
		All []struct{ Names []string }
	}](t)
}

func TestLargeAndSmallNumbers(t *testing.T) {
	t.Parallel()
	for _, want := range []int64{0, 1, -1, 63, 64, -65, 1<<63 - 1, -1 << 63} {
		if got := packed.Pack(&want).Unpack(); got != want {
			t.Errorf("%d is unpacked as %d", want, got)
		}
	}
}

// Pieces are compared in place of values.
func TestEqualValuesAreEqualPieces(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	one := integration.AlertSnapshot{Key: "k", Teams: []string{"devops"}, ReadAt: at}
	other := integration.AlertSnapshot{Key: "k", Teams: []string{"devops"}, Declined: []string{}, ReadAt: at.In(time.FixedZone("CET", 3600))}
	if packed.Pack(&one) != packed.Pack(&other) {
		t.Error("equal snapshots are different pieces")
	}
	other.Teams[0] = "support"
	if packed.Pack(&one) == packed.Pack(&other) {
		t.Error("different snapshots are equal pieces")
	}
}

func TestWhatCannotBePackedPanics(t *testing.T) {
	t.Parallel()
	for want, pack := range map[string]func(){
		"packed: cannot keep a map[string]string":              func() { packed.Pack(&map[string]string{}) },
		"packed: struct { hidden int }.hidden is not exported": func() { packed.Pack(&struct{ hidden int }{}) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panics with %v, want %q", got, want)
				}
			}()
			pack()
		}()
	}
}

// What is kept costs each request of a call on hold little to read.
func TestUnpackingAllocatesLittle(t *testing.T) {
	var full store.Session
	n := 0
	fill(reflect.ValueOf(&full).Elem(), &n)
	full.State = nil
	piece := packed.Pack(&full)
	// The session, three pointers and five slices; no string.
	if got := testing.AllocsPerRun(100, func() { _ = piece.Unpack() }); got > 10 {
		t.Errorf("unpacking allocates %v objects, want at most 10", got)
	}
}

func BenchmarkUnpack(b *testing.B) {
	var full store.Session
	n := 0
	fill(reflect.ValueOf(&full).Elem(), &n)
	full.State = nil
	piece := packed.Pack(&full)
	b.ReportAllocs()
	for b.Loop() {
		_ = piece.Unpack()
	}
}
