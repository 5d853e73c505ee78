package wire

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// each converts a slice; empty becomes nil.
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

// stamp converts a time; the zero time is absent.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// moment converts a time stamp into UTC; absent is the zero time.
func moment(ts *timestamppb.Timestamp) time.Time {
	if ts == nil {
		return time.Time{}
	}
	return ts.AsTime()
}

// span converts a duration; zero is absent.
func span(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

// duration converts a span; absent is zero.
func duration(d *durationpb.Duration) time.Duration { return d.AsDuration() }
