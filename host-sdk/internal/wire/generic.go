package wire

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// each converts a slice; empty becomes nil, as protocol buffers do not distinguish the two. The
// host and the plugin must therefore never tell an empty list from none.
func each[A, B any](xs []A, f func(A) B) []B {
	if len(xs) == 0 {
		return nil
	}
	ys := make([]B, len(xs))
	for i, x := range xs {
		ys[i] = f(x)
	}
	return ys
}

// opt converts what a pointer points to; nil stays nil.
func opt[A, B any](x *A, f func(A) *B) *B {
	if x == nil {
		return nil
	}
	return f(*x)
}

// optFrom converts a message into a pointer; nil stays nil.
func optFrom[A, B any](x *A, f func(*A) B) *B {
	if x == nil {
		return nil
	}
	y := f(x)
	return &y
}

// timeToPB converts a time; the zero time is absent: as a number it would be in the year 1, which a
// plugin in another language would take for a time.
func timeToPB(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// timeFromPB converts a time stamp into UTC; absent is the zero time.
func timeFromPB(ts *timestamppb.Timestamp) time.Time {
	if ts == nil {
		return time.Time{}
	}
	return ts.AsTime()
}

// durationToPB converts a duration; zero is absent. Where a duration of zero means a default of the
// receiver's, absent and zero are the same.
func durationToPB(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

// durationFromPB converts a duration; absent is zero.
func durationFromPB(d *durationpb.Duration) time.Duration { return d.AsDuration() }
