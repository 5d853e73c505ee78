package schedule

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time as people write it in the file: 90s, 5m, 1h30m, 2d, 1w. A day is 24
// hours, a week 7 days. A day is not one of the wall clock: twice a year the two differ, which only
// rotations care about, and they count on the wall clock.
type Duration time.Duration

// ParseDuration reads "5m", "1h30m", "1w". It refuses signs, fractions, zero and more than ten
// years. Sums such as 1h30m are read from left to right, in any order of units.
func ParseDuration(text string) (time.Duration, error) {
	const limit = 10 * 365 * 24 * time.Hour
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	var total time.Duration
	for rest := text; rest != ""; {
		i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if i <= 0 {
			return 0, fmt.Errorf("duration %q: want a number with s, m, h, d or w, such as 5m or 1w", text)
		}
		n, err := strconv.ParseInt(rest[:i], 10, 32)
		unit := units[rest[i]]
		if err != nil || unit == 0 {
			return 0, fmt.Errorf("duration %q: want a number with s, m, h, d or w, such as 5m or 1w", text)
		}
		// Before the multiplication, which could overflow.
		if n > int64(limit/unit) {
			return 0, fmt.Errorf("duration %q: more than ten years", text)
		}
		if total += time.Duration(n) * unit; total > limit {
			return 0, fmt.Errorf("duration %q: more than ten years", text)
		}
		rest = rest[i+1:]
	}
	if total <= 0 {
		return 0, fmt.Errorf("duration %q: want more than nothing", text)
	}
	return total, nil
}

// UnmarshalJSON reads the text form.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := ParseDuration(text)
	if err != nil {
		*d = 0
		return nil //nolint:nilerr // reported with its place by the checks
	}
	*d = Duration(parsed)
	return nil
}

// Spoken writes a duration as people say it: "5 minutes", "1 hour 30 minutes". What is less than a
// second is left out.
func Spoken(d time.Duration) string {
	var parts []string
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if n := int64(d / u.size); n > 0 {
			d %= u.size
			s := fmt.Sprintf("%d %s", n, u.name)
			if n > 1 {
				s += "s"
			}
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}
