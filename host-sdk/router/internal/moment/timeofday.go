package moment

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// timePatterns are what moment looks for when it reads leniently, by token: digits and letters
// anywhere behind what was read before (executed with moment-timezone, see
// router/testdata/make.mjs). A token that is not listed is about dates or zones, and refused for a
// time of day.
var timePatterns = func() map[string]*regexp.Regexp {
	out := map[string]*regexp.Regexp{}
	for tokens, pattern := range map[string]string{
		"h hh H HH k kk m mm s ss": `\d\d?`, "hmm Hmm": `\d{3}\d?`, "hmmss Hmmss": `\d{5}\d?`,
		"S SS SSS": `\d{1,3}`, "SSSS SSSSS SSSSSS SSSSSSS SSSSSSSS SSSSSSSSS": `\d+`, "a A": `(?i)[ap]\.?m?\.?`,
	} {
		re := regexp.MustCompile(pattern)
		for token := range strings.FieldsSeq(tokens) {
			out[token] = re
		}
	}
	return out
}()

// CheckTimeOfDay returns an error for a format that is about dates or zones, or has no hour. It is
// asked once, when rules are read, so that a call never meets such a format.
func (f Format) CheckTimeOfDay() error {
	hour := false
	for _, p := range f {
		if !p.token {
			continue
		}
		if timePatterns[p.text] == nil {
			return fmt.Errorf("%q is no part of a time of day: use hh, HH, mm, ss and a, such as hh:mm a", p.text)
		}
		hour = hour || strings.ContainsAny(p.text[:1], "hHk")
	}
	if !hour {
		return errors.New("has no hour: use hh:mm a or HH:mm")
	}
	return nil
}

// timeOfDay is a wall-clock time while it is being read. Parts that were not found stay 0.
type timeOfDay struct {
	hour, minute, second, milli int
	half                        string // am, pm or a part of them
}

// ParseTimeOfDay reads a time of day as leniently as moment, as the time since midnight: parts that
// are not found are left out, what lies between is skipped, 5pm and 17:00 pm are understood. It
// refuses text without a number, and hours and minutes that no day has; 24:00 is midnight. The
// format must have passed [Format.CheckTimeOfDay]. False says that a rule was written wrong; it is
// asked only when rules are read.
func (f Format) ParseTimeOfDay(text string) (sinceMidnight time.Duration, ok bool) {
	var t timeOfDay
	for _, p := range f {
		found := p.text
		if p.token {
			found = timePatterns[p.text].FindString(text)
		}
		// Whatever stands before the find is skipped, as moment does when it is not strict.
		_, after, there := strings.Cut(text, found)
		if found == "" || !there {
			continue
		}
		text = after
		if p.token {
			t.set(p.text, found)
			// An am or pm alone is no time.
			ok = ok || p.text != "a" && p.text != "A"
		}
	}
	switch {
	// 17:00 pm stays 17:00, and 12 am is midnight.
	case strings.HasPrefix(t.half, "p") && t.hour < 12:
		t.hour += 12
	case strings.HasPrefix(t.half, "a") && t.hour == 12:
		t.hour = 0
	}
	if !ok || t.hour > 24 || t.hour == 24 && (t.minute > 0 || t.second > 0 || t.milli > 0) || t.minute > 59 || t.second > 59 {
		return 0, false
	}
	return time.Duration(t.hour%24)*time.Hour + time.Duration(t.minute)*time.Minute +
		time.Duration(t.second)*time.Second + time.Duration(t.milli)*time.Millisecond, true
}

// set takes over what was found for a token. part is never empty, and has as many digits as the
// token's pattern allows.
func (t *timeOfDay) set(token, part string) {
	switch token {
	case "a", "A":
		t.half = strings.ToLower(part)
	case "hmmss", "Hmmss": // 93045
		end := len(part)
		t.hour, t.minute, t.second = number(part[:end-4]), number(part[end-4:end-2]), number(part[end-2:])
	case "hmm", "Hmm": // 930
		end := len(part)
		t.hour, t.minute = number(part[:end-2]), number(part[end-2:])
	case "k", "kk": // 1 to 24
		if t.hour = number(part); t.hour == 24 {
			t.hour = 0
		}
	case "h", "hh", "H", "HH":
		t.hour = number(part)
	case "m", "mm":
		t.minute = number(part)
	case "s", "ss":
		t.second = number(part)
	default:
		t.milli = number((part + "000")[:3])
	}
}

// number reads a few digits that a pattern has found. 0 for none, so a part that is not there
// counts as midnight's.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}
