package transport

import (
	"io"
	"log/slog"
	"os"
	"strings"
)

// PluginLogger is the logger of a plugin process. It writes one JSON object a line to standard
// error with go-plugin's own keys for level, message and time, so that the host sees level and
// fields as they were. Make it before [Serve]: afterwards os.Stderr is another file.
func PluginLogger() *slog.Logger { return newPluginLogger(os.Stderr) }

// timeLayout is the one that hosts built on go-plugin parse; another makes them print the line as
// plain text.
const timeLayout = "2006-01-02T15:04:05.000000Z07:00"

func newPluginLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug, // the host filters
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return a
			}
			switch a.Key {
			case slog.TimeKey:
				if a.Value.Kind() == slog.KindTime {
					return slog.String("@timestamp", a.Value.Time().Format(timeLayout))
				}
			case slog.LevelKey:
				if level, ok := a.Value.Any().(slog.Level); ok {
					return slog.String("@level", levelWord(level))
				}
			case slog.MessageKey:
				return slog.Attr{Key: "@message", Value: a.Value}
			}
			return a
		},
	}))
}

// levelWord names the level at or below, in go-plugin's words.
func levelWord(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return strings.ToLower(slog.LevelError.String())
	case level >= slog.LevelWarn:
		return strings.ToLower(slog.LevelWarn.String())
	case level >= slog.LevelInfo:
		return strings.ToLower(slog.LevelInfo.String())
	default:
		return strings.ToLower(slog.LevelDebug.String())
	}
}
