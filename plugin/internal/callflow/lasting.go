package callflow

import (
	"fmt"
	"time"
)

// lasting spells how long something was, in whole seconds, as pages do: "25 s", "1 min 5 s", "1 h 2
// min".
func lasting(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	two := func(n int, unit string, rest int, small string) string {
		if rest == 0 {
			return fmt.Sprintf("%d %s", n, unit)
		}
		return fmt.Sprintf("%d %s %d %s", n, unit, rest, small)
	}
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return two(s/60, "min", s%60, "s")
	}
	return two(s/3600, "h", s%3600/60, "min")
}
