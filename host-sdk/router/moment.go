package router

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// formatToken is a piece of a moment format: a token that stands for a part of the time, or text.
type formatToken struct {
	text  string
	token bool
}

// formatTokens are moment's, the longest first so that the longest is found (moment docs: Format).
var formatTokens = func() []string {
	tokens := strings.Fields(`
		Mo M MM MMM MMMM Q Qo D DD Do DDD DDDD DDDo d do dd ddd dddd e E w wo ww W Wo WW Y YY YYYY YYYYY YYYYYY y yo yy yyy yyyy
		N NN NNN NNNN NNNNN gg gggg ggggg GG GGGG GGGGG A a H HH h hh k kk hmm hmmss Hmm Hmmss m mm s ss
		S SS SSS SSSS SSSSS SSSSSS SSSSSSS SSSSSSSS SSSSSSSSS z zz Z ZZ X x L LL LLL LLLL l ll lll llll LT LTS`)
	slices.SortStableFunc(tokens, func(a, b string) int { return len(b) - len(a) })
	return tokens
}()

// localFormats are the abbreviations for whole formats, in English.
var localFormats = map[string]string{
	"LTS": "h:mm:ss A", "LT": "h:mm A", "L": "MM/DD/YYYY", "LL": "MMMM D, YYYY", "LLL": "MMMM D, YYYY h:mm A", "LLLL": "dddd, MMMM D, YYYY h:mm A",
	"l": "M/D/YYYY", "ll": "MMM D, YYYY", "lll": "MMM D, YYYY h:mm A", "llll": "ddd, MMM D, YYYY h:mm A",
}

// tokenize splits a format. Text in brackets and what follows a backslash is text.
func tokenize(format string) []formatToken {
	var out []formatToken
	for rest := format; rest != ""; {
		if rest[0] == '[' {
			if end := strings.IndexByte(rest, ']'); end > 0 && !strings.Contains(rest[1:end], "[") {
				out = append(out, formatToken{text: rest[1:end]})
				rest = rest[end+1:]
				continue
			}
		}
		escaped := rest[0] == '\\' && len(rest) > 1
		if escaped {
			rest = rest[1:]
		}
		i := slices.IndexFunc(formatTokens, func(t string) bool { return strings.HasPrefix(rest, t) })
		switch {
		case i < 0:
			_, size := firstRune(rest)
			out = append(out, formatToken{text: rest[:size]})
			rest = rest[size:]
			continue
		case escaped:
			out = append(out, formatToken{text: formatTokens[i]})
		case localFormats[formatTokens[i]] != "":
			out = append(out, tokenize(localFormats[formatTokens[i]])...)
		default:
			out = append(out, formatToken{text: formatTokens[i], token: true})
		}
		rest = rest[len(formatTokens[i]):]
	}
	return out
}

func firstRune(s string) (rune, int) {
	for i, r := range s {
		if i > 0 {
			return r, i
		}
	}
	return 0, len(s)
}

func formatMoment(at time.Time, format []formatToken) string {
	var b strings.Builder
	for _, f := range format {
		if f.token {
			b.WriteString(formatPart(at, f.text))
		} else {
			b.WriteString(f.text)
		}
	}
	return b.String()
}

func formatPart(at time.Time, token string) string {
	switch token[0] {
	case 'h', 'H', 'k', 'm', 's', 'S', 'a', 'A':
		return formatClock(at, token)
	case 'Y', 'y', 'N', 'g', 'G':
		return formatYear(at, token)
	}
	_, isoWeek := at.ISOWeek()
	_, week := localWeek(at)
	weekday := int(at.Weekday())
	switch token {
	case "M", "MM", "Mo":
		return padded(int(at.Month()), token)
	case "MMM":
		return at.Format("Jan")
	case "MMMM":
		return at.Format("January")
	case "Q", "Qo":
		return padded((int(at.Month())+2)/3, token)
	case "D", "DD", "Do":
		return padded(at.Day(), token)
	case "DDD", "DDDo":
		return padded(at.YearDay(), strings.Replace(token, "DDD", "D", 1))
	case "DDDD":
		return fmt.Sprintf("%03d", at.YearDay())
	case "d", "e", "do":
		return padded(weekday, token)
	case "dd":
		return at.Format("Mon")[:2]
	case "ddd":
		return at.Format("Mon")
	case "dddd":
		return at.Format("Monday")
	case "E":
		return strconv.Itoa(isoWeekday(at))
	case "w", "ww", "wo":
		return padded(week, token)
	case "W", "WW", "Wo":
		return padded(isoWeek, token)
	case "z", "zz":
		return at.Format("MST")
	case "Z":
		return at.Format("-07:00")
	case "ZZ":
		return at.Format("-0700")
	case "X":
		return strconv.FormatInt(at.Unix(), 10)
	default: // x
		return strconv.FormatInt(at.UnixMilli(), 10)
	}
}

func formatClock(at time.Time, token string) string {
	hour, minute, second := at.Clock()
	twelve := (hour+11)%12 + 1
	switch token {
	case "H", "HH":
		return padded(hour, token)
	case "h", "hh":
		return padded(twelve, token)
	case "k", "kk":
		return padded((hour+23)%24+1, token)
	case "hmm":
		return fmt.Sprintf("%d%02d", twelve, minute)
	case "hmmss":
		return fmt.Sprintf("%d%02d%02d", twelve, minute, second)
	case "Hmm":
		return fmt.Sprintf("%d%02d", hour, minute)
	case "Hmmss":
		return fmt.Sprintf("%d%02d%02d", hour, minute, second)
	case "m", "mm":
		return padded(minute, token)
	case "s", "ss":
		return padded(second, token)
	case "a":
		return at.Format("pm")
	case "A":
		return at.Format("PM")
	default: // fractions of a second: milliseconds, then zeros
		return fmt.Sprintf("%03d000000", at.Nanosecond()/1e6)[:len(token)]
	}
}

func formatYear(at time.Time, token string) string {
	year := at.Year()
	switch token[0] {
	case 'G':
		year, _ = at.ISOWeek()
	case 'g':
		year, _ = localWeek(at)
	case 'N':
		return choose(token == "NNNN", "Anno Domini", "AD")
	}
	switch token {
	case "Y":
		return choose(year > 9999, "+", "") + fmt.Sprintf("%04d", year)
	case "y", "yy", "yyy", "yyyy":
		return fmt.Sprintf("%0*d", len(token), year)
	case "yo":
		return ordinal(year)
	case "YY", "gg", "GG":
		return fmt.Sprintf("%02d", year%100)
	case "YYYYYY":
		return fmt.Sprintf("%+07d", year)
	default:
		return fmt.Sprintf("%0*d", len(token), year)
	}
}

// padded writes a number with two digits for a token of two letters, and as an ordinal for a token that ends in o.
func padded(n int, token string) string {
	switch {
	case strings.HasSuffix(token, "o"):
		return ordinal(n)
	case len(token) == 2:
		return fmt.Sprintf("%02d", n)
	}
	return strconv.Itoa(n)
}

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

func isoWeekday(at time.Time) int { return (int(at.Weekday())+6)%7 + 1 }

// localWeek counts weeks as in the United States: they begin on Sunday, and the first holds 1 January.
func localWeek(at time.Time) (year, week int) {
	// A date alone: some zones have days that do not begin at midnight.
	saturday := time.Date(at.Year(), at.Month(), at.Day()+6-int(at.Weekday()), 12, 0, 0, 0, time.UTC)
	if saturday.Year() > at.Year() {
		return saturday.Year(), 1
	}
	return at.Year(), (saturday.YearDay()-1)/7 + 1
}
