package settings

import "log/slog"

// Secret is a value that must never be printed: every way of formatting it says only whether there
// is one. Reveal gives the value to the code that needs it. It is no more than a guard against
// carelessness: string(s) gives the value, too.
type Secret string

// Reveal is the value itself.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer without telling the value.
func (s Secret) String() string {
	if s == "" {
		return "(not set)"
	}
	return "(set)"
}

// GoString implements fmt.GoStringer without telling the value.
func (s Secret) GoString() string { return s.String() }

// MarshalText keeps the value out of JSON, YAML and text encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue implements slog.LogValuer without telling the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
