package platformcheck

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
)

// The suite speaks to Go programmers. inWords says the same in the words of the protocol. It
// changes what the suite says, and not what it finds.
func inWords(text string) string {
	text = command.ReplaceAllString(text, "the command $1")
	text = wasMember.ReplaceAllStringFunc(text, snake)
	return goName.ReplaceAllStringFunc(text, snake)
}

var (
	command   = regexp.MustCompile(`\bApply\(([a-z_]+)\)`)
	wasMember = regexp.MustCompile(`\b(Key|ID|URL|Status|Teams|Layer|Round|Acknowledgements|Declined|Unpaged) was\b`)
	goName    = regexp.MustCompile(`\b(UnroutedAlerts|Reopen|Escalate|AcknowledgeAs|AcknowledgedByUser|Annotations|Routers|Audiences|LastCommand)\b`)
	inner     = regexp.MustCompile(`([a-z])([A-Z])`)
)

// snake writes a name as on the wire.
func snake(name string) string { return strings.ToLower(inner.ReplaceAllString(name, "${1}_$2")) }

// few is how many messages of one test are shown: the first say what is wrong.
const few = 4

// shorten takes out what a check says twice, and all but the first few.
func shorten(c *result.Check) {
	var out []string
	for _, text := range c.Says {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	if more := len(out) - few; more > 1 {
		out = append(out[:few:few], fmt.Sprintf("… and %d more faults.", more))
	}
	c.Says = out
}
