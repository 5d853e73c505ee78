// Package moment writes times and reads times of day by the format tokens of moment.js, in English
// (moment docs: Format).
//
//	format.go    formats, and writing by them
//	timeofday.go moment's lenient reading of a time of day
package moment

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Format is a format that has been split into tokens and text. It is made once for a rule and used
// for each call, by many goroutines.
type Format []part

// part is a token that stands for a part of the time, or text.
type part struct {
	text  string
	token bool
}

// localFormats are the tokens that stand for whole formats, in English (moment docs: Localized
// formats). Other languages would have other formats; rules are written by people for themselves,
// in English.
var localFormats = map[string]string{
	"LTS": "h:mm:ss A", "LT": "h:mm A", "L": "MM/DD/YYYY", "LL": "MMMM D, YYYY", "LLL": "MMMM D, YYYY h:mm A",
	"LLLL": "dddd, MMMM D, YYYY h:mm A", "l": "M/D/YYYY", "ll": "MMM D, YYYY", "lll": "MMM D, YYYY h:mm A",
	"llll": "ddd, MMM D, YYYY h:mm A",
}

// formatters write the tokens (moment docs: Format). A token that is not listed here is text, as in
// moment; locales other than English do not exist.
var formatters = func() map[string]func(time.Time) string {
	out := map[string]func(time.Time) string{
		"dd":     func(t time.Time) string { return t.Format("Mon")[:2] },
		"Y":      func(t time.Time) string { return plus(t.Year()) + fmt.Sprintf("%04d", t.Year()) },
		"YYYYYY": func(t time.Time) string { return fmt.Sprintf("%+07d", t.Year()) },
		"X":      func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) },
		"x":      func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) },
	}
	for token, layout := range map[string]string{"MMM": "Jan", "MMMM": "January", "ddd": "Mon", "dddd": "Monday", "z": "MST",
		"zz": "MST", "Z": "-07:00", "ZZ": "-0700", "a": "pm", "A": "PM"} {
		out[token] = func(t time.Time) string { return t.Format(layout) }
	}
	for token, era := range map[string]string{"N": "AD", "NN": "AD", "NNN": "AD", "NNNN": "Anno Domini", "NNNNN": "AD"} {
		out[token] = func(time.Time) string { return era }
	}
	for _, row := range numberTokens {
		for token := range strings.FieldsSeq(row.tokens) {
			out[token] = func(t time.Time) string { return padded(row.number(t), token) }
		}
	}
	for digits := 1; digits <= 9; digits++ { // milliseconds, then zeros
		out[strings.Repeat("S", digits)] = func(t time.Time) string {
			return fmt.Sprintf("%03d000000", t.Nanosecond()/1e6)[:digits]
		}
	}
	for token, parts := range map[string][]string{"hmm": {"h", "mm"}, "hmmss": {"h", "mm", "ss"}, "Hmm": {"H", "mm"}, "Hmmss": {"H", "mm", "ss"}} {
		out[token] = func(t time.Time) string {
			var b strings.Builder
			for _, p := range parts {
				b.WriteString(out[p](t))
			}
			return b.String()
		}
	}
	return out
}()

// numberTokens are written with as many digits as they have letters, or as an ordinal when they end
// in o. They follow moment where it differs from the calendar of Go: w counts weeks from Sunday, W
// those of ISO 8601, and k hours from 1 to 24.
var numberTokens = []struct {
	tokens string
	number func(time.Time) int
}{
	{"M MM Mo", func(t time.Time) int { return int(t.Month()) }},
	{"Q Qo", func(t time.Time) int { return (int(t.Month()) + 2) / 3 }},
	{"D DD Do", time.Time.Day},
	{"DDD DDDD DDDo", time.Time.YearDay},
	{"d e do", func(t time.Time) int { return int(t.Weekday()) }},
	{"E", ISOWeekday},
	{"w ww wo", func(t time.Time) int { _, week := localWeek(t); return week }},
	{"W WW Wo", func(t time.Time) int { _, week := t.ISOWeek(); return week }},
	{"YYYY YYYYY y yy yyy yyyy yo", time.Time.Year},
	{"YY", func(t time.Time) int { return t.Year() % 100 }},
	{"gggg ggggg", func(t time.Time) int { year, _ := localWeek(t); return year }},
	{"gg", func(t time.Time) int { year, _ := localWeek(t); return year % 100 }},
	{"GGGG GGGGG", func(t time.Time) int { year, _ := t.ISOWeek(); return year }},
	{"GG", func(t time.Time) int { year, _ := t.ISOWeek(); return year % 100 }},
	{"H HH", time.Time.Hour},
	{"h hh", func(t time.Time) int { return (t.Hour()+11)%12 + 1 }},
	{"k kk", func(t time.Time) int { return (t.Hour()+23)%24 + 1 }},
	{"m mm", time.Time.Minute},
	{"s ss", time.Time.Second},
}

// tokensByLength are all tokens, the longest first so that the longest is found.
var tokensByLength = func() []string {
	var tokens []string
	for t := range formatters {
		tokens = append(tokens, t)
	}
	for t := range localFormats {
		tokens = append(tokens, t)
	}
	slices.SortFunc(tokens, func(a, b string) int { return len(b) - len(a) })
	return tokens
}()

// Parse splits a format. Text in brackets and what follows a backslash is text; so is everything
// that is no token. Every text is a format, so there is no error: what somebody mistyped appears in
// the result.
func Parse(format string) Format {
	var out Format
	for rest := format; rest != ""; {
		if rest[0] == '[' {
			if end := strings.IndexByte(rest, ']'); end > 0 && !strings.Contains(rest[1:end], "[") {
				out = append(out, part{text: rest[1:end]})
				rest = rest[end+1:]
				continue
			}
		}
		escaped := rest[0] == '\\' && len(rest) > 1
		if escaped {
			rest = rest[1:]
		}
		_, size := utf8.DecodeRuneInString(rest)
		piece := part{text: rest[:size]}
		if i := slices.IndexFunc(tokensByLength, func(t string) bool { return strings.HasPrefix(rest, t) }); i >= 0 {
			piece = part{text: tokensByLength[i], token: !escaped}
		}
		rest = rest[len(piece.text):]
		if local := localFormats[piece.text]; local != "" && piece.token {
			out = append(out, Parse(local)...)
			continue
		}
		out = append(out, piece)
	}
	return out
}

// Write returns t, in its own zone, as the format has it. The caller chooses the zone by t.
func (f Format) Write(t time.Time) string {
	var b strings.Builder
	for _, p := range f {
		if p.token {
			b.WriteString(formatters[p.text](t))
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// plus is the sign of years of more than four digits, without which they would look like other
// numbers.
func plus(year int) string {
	if year > 9999 {
		return "+"
	}
	return ""
}

// padded writes a number by the length of its token, or as an ordinal. A number that is longer than
// its token is written whole.
func padded(n int, token string) string {
	width := len(token)
	switch {
	case strings.HasSuffix(token, "o"):
		return ordinal(n)
	case token == "DDD", token == "DDDD": // the day of the year: as it is, and with three digits
		width = map[string]int{"DDD": 1, "DDDD": 3}[token]
	}
	return fmt.Sprintf("%0*d", width, n)
}

// ordinal writes 1st, 2nd, 3rd, 4th, but 11th, 12th, 13th.
func ordinal(n int) string {
	suffix := "th"
	if tens := n % 100 / 10; tens != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// ISOWeekday returns 1 for Monday to 7 for Sunday.
func ISOWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

// localWeek counts weeks as in the United States: they begin on Sunday, and the first holds 1
// January. At the end of December the week may be the first of the next year, so the year is
// returned with it (gggg).
func localWeek(t time.Time) (year, week int) {
	// A date alone, in UTC: some zones have days that do not begin at midnight.
	saturday := time.Date(t.Year(), t.Month(), t.Day()+6-int(t.Weekday()), 12, 0, 0, 0, time.UTC)
	if saturday.Year() > t.Year() {
		return saturday.Year(), 1
	}
	return t.Year(), (saturday.YearDay()-1)/7 + 1
}
