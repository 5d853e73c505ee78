package logging

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
)

// New writes text or JSON lines to w, without the settings' secrets, each text cut to a length for
// people, and not more lines of one message than anybody would read. Callers pass what they like;
// nothing of it has to be cleaned first.
func New(w io.Writer, s settings.Settings) *slog.Logger {
	// Nothing is meant to log a secret; this is for libraries that do.
	redact := wording.Redactor(s)
	options := &slog.HandlerOptions{Level: s.LogLevel, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Value.Kind() {
		case slog.KindString:
			most := maxLogText
			if a.Key == "stack" {
				most = maxLogStack
			}
			a.Value = slog.StringValue(cut(redact.Replace(a.Value.String()), most))
		// What was not changed stays a value, which JSON writes as such.
		case slog.KindAny: // errors, lists, and whatever else is printed by its own rules
			text := fmt.Sprint(a.Value.Any())
			if shown := cut(redact.Replace(text), maxLogText); shown != text {
				a.Value = slog.StringValue(shown)
			}
		case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindTime, slog.KindUint64, slog.KindGroup, slog.KindLogValuer:
		}
		return a
	}}
	if s.LogFormat == "json" {
		return slog.New(newLimited(slog.NewJSONHandler(w, options)))
	}
	return slog.New(newLimited(slog.NewTextHandler(w, options)))
}
