// Package ecmascript runs regular expressions that are written as in ECMAScript with Go's engine,
// whose time is linear in the length of the text. What Go cannot run is reported by construct.
//
// Translated are \uXXXX (also in surrogate pairs), \u{X}, \xXX, \cX, octal and needless escapes
// such as \/, named groups, [] and [^], braces that are no repetition, \p{…} with flag u, the line
// ends that . excludes, the white space of \s, $ without flag m (the very end), and the flags i, m,
// s, u, y; g and d change nothing. Some meanings differ:
//
//   - a pattern sees characters, never half of a surrogate pair, as with flag u;
//
//   - flag i folds case as with flags iu: the Kelvin sign and the long s are k and s;
//
//   - with flag m a line ends with \n, not with a lone \r, U+2028 or U+2029;
//
//   - with flag u escapes that mean nothing are let through.
//
//     pattern.go   Pattern, Compile
//     translate.go one syntax into the other, from left to right
package ecmascript

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxLength bounds a pattern, in characters.
const MaxLength = 1000

// maxProgram bounds a compiled pattern, in instructions: repetitions can make a short pattern huge.
const maxProgram = 10_000

// MaxTogether bounds what all patterns of a [Budget] cost, in instructions of about 40 bytes each:
// a file may have tens of thousands of patterns.
const MaxTogether = 500_000

// Budget is what patterns that are in use together may still cost. The zero value is a whole
// budget; nil is no limit. It belongs to one goroutine. It is spent before work is done, also for
// patterns that are refused: reading them costs time as well.
type Budget struct{ spent int }

// errSpent is no UnsupportedError: each pattern for itself could be run.
var errSpent = errors.New("the patterns of all rules together are too large: use fewer or shorter ones, above all fewer repetitions and \\p{…}")

// spend takes part of the budget; an error when it is used up. What was spent is not given back: a
// file with many bad patterns costs as much to read.
func (b *Budget) spend(cost int) error {
	if b == nil {
		return nil
	}
	if b.spent += cost; b.spent > MaxTogether {
		return errSpent
	}
	return nil
}

// Costs of reading a pattern, in instructions of a compiled one that take as long.
const (
	perProperty = 500 // \p{…} is a table of hundreds of ranges, which are sorted for each pattern
	perRefused  = 500
)

// UnsupportedError names a construct that is right in ECMAScript but that Go's engine cannot run.
type UnsupportedError string

// Error is such as "look-ahead (?=…) is not supported".
func (e UnsupportedError) Error() string { return string(e) + " is not supported" }

// Pattern is a compiled pattern. It may be used by many goroutines. size is known from the compiled
// program, so that the cost of a match can be told before it is made.
type Pattern struct {
	re   *regexp.Regexp
	size int // instructions
}

// Match reports whether the pattern is found anywhere in a text.
func (p *Pattern) Match(text string) bool { return p.re.MatchString(text) }

// Cost is an upper bound of the work of matching a text: instructions times bytes.
func (p *Pattern) Cost(text string) int { return p.size * len(text) }

// String is the pattern in Go's syntax.
func (p *Pattern) String() string { return p.re.String() }

// Compile translates and compiles a pattern with its flags, such as "im". The error is an
// [UnsupportedError] when the pattern is right but Go cannot run it; otherwise it says what is
// wrong with the pattern or the flags, or that the budget is used up. The budget is charged three
// times: for reading the text, for what is refused, and for the program.
func Compile(pattern, flags string, budget *Budget) (*Pattern, error) {
	if utf8.RuneCountInString(pattern) > MaxLength {
		return nil, fmt.Errorf("the pattern has more than %d characters", MaxLength)
	}
	for i, f := range flags {
		switch {
		case f == 'v':
			return nil, errors.New("flag v is not supported: use u")
		case !strings.ContainsRune("dgimsuy", f):
			return nil, fmt.Errorf("unknown flag %q in $options: the flags are g, i, m, s, u and y", f)
		case strings.ContainsRune(flags[:i], f):
			return nil, fmt.Errorf("flag %q is given twice in $options", f)
		}
	}
	if err := budget.spend(len(pattern) + perProperty*strings.Count(strings.ToLower(pattern), `\p`)); err != nil {
		return nil, err
	}
	// Flags become part of the translation where Go's flag of the same name means something else,
	// as m, s and u do.
	t := translator{rest: pattern, multiline: strings.Contains(flags, "m"), dotAll: strings.Contains(flags, "s"), unicode: strings.Contains(flags, "u")}
	if err := t.translate(); err != nil {
		return nil, err
	}
	text := t.out.String()
	if strings.Contains(flags, "y") {
		// Each text is tried afresh, so that sticky means from its start.
		text = `\A(?:` + text + `)`
	}
	if strings.Contains(flags, "i") {
		text = `(?i:` + text + `)`
	}
	size, err := programSize(text, budget)
	if err != nil {
		return nil, plainSyntaxError(err, pattern)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, plainSyntaxError(err, pattern)
	}
	return &Pattern{re, size}, nil
}

// programSize counts instructions as regexp.Compile makes them. What is far too large is refused
// before it is made: Go allows programs of more than 100 MB. A pattern such as (a{1000}){1000} is
// short to write and would be a million instructions.
func programSize(text string, budget *Budget) (int, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0, cmp.Or(budget.spend(perRefused), err)
	}
	expected := instructions(parsed)
	if expected > 2*maxProgram {
		return 0, cmp.Or(budget.spend(perRefused), error(tooLarge))
	}
	if err := budget.spend(expected); err != nil {
		return 0, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, err
	}
	if len(program.Inst) > maxProgram {
		return 0, tooLarge
	}
	return len(program.Inst), nil
}

const tooLarge = UnsupportedError("so much repetition")

// instructions is about how many instructions a parsed pattern takes, without making them. Beyond
// 2*maxProgram it stops counting. It overestimates: Go simplifies before it compiles.
func instructions(re *syntax.Regexp) int {
	total := 1 + len(re.Rune)/8 // of a class; its table takes memory as well
	if re.Op == syntax.OpLiteral {
		total = len(re.Rune)
	}
	for _, sub := range re.Sub {
		if total += 1 + instructions(sub); total > 2*maxProgram {
			return total
		}
	}
	if re.Op == syntax.OpRepeat {
		total *= max(1, re.Min, re.Max)
	}
	return total
}

// plainSyntaxError drops the translated pattern, which the writer of the rules has never seen. Go's
// error quotes the pattern that it was given, which is the translation.
func plainSyntaxError(err error, pattern string) error {
	var wrong *syntax.Error
	if !errors.As(err, &wrong) {
		return err
	}
	switch wrong.Code {
	case syntax.ErrInvalidRepeatSize, syntax.ErrLarge, syntax.ErrNestingDepth:
		return UnsupportedError("so much repetition or nesting")
	case syntax.ErrInvalidCharRange:
		// The translator writes correct ranges: it is a name that Go does not know.
		return UnsupportedError("the property " + wrong.Expr)
	default:
	}
	return fmt.Errorf("the pattern is wrong: %s in %s", wrong.Code, strconv.Quote(pattern))
}
