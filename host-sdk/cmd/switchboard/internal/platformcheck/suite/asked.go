package suite

import (
	"context"
	"fmt"
	"log/slog"
)

// asked is a slog handler that writes which request the adapter has made, between the lines of the
// tests: a fault is shown with the requests before it. The adapter logs each try with its id, by
// which the recorder finds the exchange.
type asked struct{}

// Enabled implements slog.Handler.
func (asked) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (asked) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "try" {
			fmt.Println(AskedMark + a.Value.String())
		}
		return true
	})
	return nil
}

// WithAttrs implements slog.Handler.
func (h asked) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup implements slog.Handler.
func (h asked) WithGroup(string) slog.Handler { return h }
