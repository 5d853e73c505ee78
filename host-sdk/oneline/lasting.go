package oneline

import (
	"fmt"
	"math"
	"time"
)

// Lasting writes a duration the way one says it. Two units at most, and from two days on days
// alone. Negative lengths, from clocks that differ, are 0 s.
func Lasting(d time.Duration) string {
	s := int(math.Round(d.Seconds()))
	two := func(n int, unit string, rest int, small string) string {
		if rest == 0 {
			return fmt.Sprintf("%d %s", n, unit)
		}
		return fmt.Sprintf("%d %s %d %s", n, unit, rest, small)
	}
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", max(s, 0))
	case s < 3600:
		return two(s/60, "min", s%60, "s")
	case s < 48*3600:
		return two(s/3600, "h", s%3600/60, "min")
	}
	return fmt.Sprintf("%d days", s/86400)
}
