package router

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What moment looks for in a text, by token, when it reads leniently: digits and letters anywhere behind what was read before.
var (
	oneOrTwoDigits  = regexp.MustCompile(`\d\d?`)
	threeFourDigits = regexp.MustCompile(`\d{3}\d?`)
	fiveSixDigits   = regexp.MustCompile(`\d{5}\d?`)
	fractionDigits  = regexp.MustCompile(`\d{1,3}`)
	anyDigits       = regexp.MustCompile(`\d+`)
	halfOfDay       = regexp.MustCompile(`(?i)[ap]\.?m?\.?`)
)

func timePattern(token string) *regexp.Regexp {
	switch token {
	case "h", "hh", "H", "HH", "k", "kk", "m", "mm", "s", "ss":
		return oneOrTwoDigits
	case "hmm", "Hmm":
		return threeFourDigits
	case "hmmss", "Hmmss":
		return fiveSixDigits
	case "S", "SS", "SSS":
		return fractionDigits
	case "a", "A":
		return halfOfDay
	}
	if token[0] == 'S' {
		return anyDigits
	}
	return nil
}

// timeTokens splits a format for times of day, and refuses one that is about dates or zones, or has no hour.
func timeTokens(format string) ([]formatToken, error) {
	tokens, hour := tokenize(format), false
	for _, t := range tokens {
		if !t.token {
			continue
		}
		if timePattern(t.text) == nil {
			return nil, fmt.Errorf("%q is no part of a time of day: use hh, HH, mm, ss and a, such as hh:mm a", t.text)
		}
		hour = hour || strings.ContainsAny(t.text[:1], "hHk")
	}
	if !hour {
		return nil, errors.New("has no hour: use hh:mm a or HH:mm")
	}
	return tokens, nil
}

// parseTime reads a time of day as leniently as moment: parts that are not found are left out, what lies between is skipped,
// 5pm and 17:00 pm are understood. It refuses text without a part, and hours and minutes that no day has; 24:00 is midnight.
func parseTime(text string, tokens []formatToken) (time.Duration, bool) {
	var hour, minute, second, milli int
	found := false
	meridiem := ""
	for _, t := range tokens {
		var part string
		if t.token {
			part = timePattern(t.text).FindString(text)
		} else if strings.Contains(text, t.text) {
			part = t.text
		}
		if part == "" {
			continue
		}
		text = text[strings.Index(text, part)+len(part):]
		if !t.token {
			continue
		}
		if t.text == "a" || t.text == "A" {
			meridiem = strings.ToLower(part)
			continue
		}
		found = true
		switch t.text[0] {
		case 'h', 'H':
			if len(t.text) <= 2 {
				hour = digits(part)
				break
			}
			if len(t.text) == 5 {
				part, second = part[:len(part)-2], digits(part[len(part)-2:])
			}
			hour, minute = digits(part[:len(part)-2]), digits(part[len(part)-2:])
		case 'k':
			hour = digits(part) % 24
			if digits(part) > 24 {
				hour = digits(part)
			}
		case 'm':
			minute = digits(part)
		case 's':
			second = digits(part)
		case 'S':
			milli = digits((part + "000")[:3])
		}
	}
	switch {
	case strings.HasPrefix(meridiem, "p") && hour < 12:
		hour += 12
	case strings.HasPrefix(meridiem, "a") && hour == 12:
		hour = 0
	}
	if !found || hour > 24 || hour == 24 && (minute > 0 || second > 0 || milli > 0) || minute > 59 || second > 59 {
		return 0, false
	}
	return time.Duration(hour%24)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second +
		time.Duration(milli)*time.Millisecond, true
}

// digits reads a few digits that a pattern has found.
func digits(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
