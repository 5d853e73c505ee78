package ecmascript

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// What ECMAScript has and Go has not, or has otherwise, as members of a class in brackets.
const (
	lineEnds  = `\n\r\x{2028}\x{2029}`
	spaces    = `\t-\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}`
	nonSpaces = `\x00-\x08\x0E-\x1F!-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}\x{202A}-\x{202E}` +
		`\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{FEFE}\x{FF00}-\x{10FFFF}`
)

// The pieces of a pattern that are longer than one character.
var (
	groupStart    = regexp.MustCompile(`(?s)\\.|\[(?:\\.|[^\]\\])*\]|\(\?<([\pL$_][\pL\pN$_]*)>|\(\??`)
	groupName     = regexp.MustCompile(`^\?<[\pL$_][\pL\pN$_]*>`)
	lookAround    = regexp.MustCompile(`^\?<?[=!]`)
	inlineFlags   = regexp.MustCompile(`^\?[a-zA-Z-]+[:)]`)
	quantifier    = regexp.MustCompile(`^([0-9]+)(?:,([0-9]*))?\}`)
	control       = regexp.MustCompile(`^[a-zA-Z]`)
	hexTwo        = regexp.MustCompile(`^[0-9a-fA-F]{2}`)
	hexFour       = regexp.MustCompile(`^[0-9a-fA-F]{4}`)
	hexBraced     = regexp.MustCompile(`^\{([0-9a-fA-F]{1,6})\}`)
	hexPairEnd    = regexp.MustCompile(`^\\u([dD][c-fC-F][0-9a-fA-F]{2})`)
	propertyName  = regexp.MustCompile(`^\{(?:(?:Script|sc|General_Category|gc)=)?([A-Za-z_]+)\}`)
	namedGroup    = regexp.MustCompile(`^<([^>]+)>`)
	decimalDigits = regexp.MustCompile(`^[0-9]{1,4}`)
	octalDigits   = regexp.MustCompile(`^(?:[0-3][0-7]{0,2}|[4-7][0-7]?)`)
)

// translator walks over a pattern from left to right. It is used for one pattern. It writes nothing
// that Go's parser could read in another way than it was meant: each character is escaped by its
// number.
type translator struct {
	rest                       string // not yet translated
	out                        strings.Builder
	multiline, dotAll, unicode bool
	groups                     int      // captures in the whole pattern
	names                      []string // of the captures that have one
}

// take consumes what re finds at the start of the rest; nil when it finds nothing. It returns the
// whole find and its groups.
func (t *translator) take(re *regexp.Regexp) []string {
	m := re.FindStringSubmatch(t.rest)
	if m != nil {
		t.rest = t.rest[len(m[0]):]
	}
	return m
}

// next consumes one character.
func (t *translator) next() rune {
	r, size := utf8.DecodeRuneInString(t.rest)
	t.rest = t.rest[size:]
	return r
}

// translate counts the groups first: whether \1 is a reference or a character depends on how many
// there are, also behind it. groupStart skips escapes and classes, in which a parenthesis is none.
func (t *translator) translate() error {
	for _, m := range groupStart.FindAllStringSubmatch(t.rest, -1) {
		switch {
		case m[1] != "" && slices.Contains(t.names, m[1]):
			return fmt.Errorf("two groups are named %q", m[1])
		case m[1] != "":
			t.names = append(t.names, m[1])
			t.groups++
		case m[0] == "(":
			t.groups++
		}
	}
	for t.rest != "" {
		if err := t.piece(); err != nil {
			return err
		}
	}
	return nil
}

// piece translates what stands next. Characters that mean the same in both languages are passed on
// as they are.
func (t *translator) piece() error {
	switch r := t.next(); r {
	case '\\':
		text, char, err := t.escape(false)
		if err != nil {
			return err
		}
		t.out.WriteString(text)
		if text == "" {
			t.out.WriteString(literal(char))
		}
	case '[':
		return t.class()
	case '(':
		return t.group()
	case '^':
		t.out.WriteString(choose(t.multiline, `(?m:^)`, `\A`))
	case '$':
		t.out.WriteString(choose(t.multiline, `(?m:$)`, `\z`))
	case '.':
		t.out.WriteString(choose(t.dotAll, `(?s:.)`, `[^`+lineEnds+`]`))
	case '{':
		return t.brace()
	case ')', '|', '*', '+', '?':
		t.out.WriteRune(r)
	default:
		t.out.WriteString(literal(r))
	}
	return nil
}

// choose saves a branch at each flag.
func choose(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// literal writes a character so that no more is seen in it. Everything but ASCII letters and digits
// is escaped, so that no list of special characters must be kept.
func literal(r rune) string {
	if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
		return string(r)
	}
	return fmt.Sprintf(`\x{%X}`, r)
}

// group translates what follows an opening parenthesis. What is left to this function's end is no
// group that both languages have.
func (t *translator) group() error {
	switch {
	case !strings.HasPrefix(t.rest, "?"), t.take(groupName) != nil:
		// Names are for references, which Go has not.
		t.out.WriteByte('(')
		return nil
	case strings.HasPrefix(t.rest, "?:"):
		t.rest = t.rest[2:]
		t.out.WriteString("(?:")
		return nil
	}
	if m := t.take(lookAround); m != nil {
		return UnsupportedError(choose(strings.Contains(m[0], "<"), "look-behind", "look-ahead") + " (" + m[0] + "…)")
	}
	if inlineFlags.MatchString(t.rest) {
		return errors.New("flags inside a pattern, such as (?i), are not ECMAScript: write them beside it, $options: i")
	}
	start := []rune(t.rest)
	return fmt.Errorf("the group (%s… is not ECMAScript", string(start[:min(len(start), 3)]))
}

// brace is a quantifier, or else just a brace. Go's own limit on repetitions is checked when the
// whole is compiled.
func (t *translator) brace() error {
	m := t.take(quantifier)
	if m == nil {
		if t.unicode {
			return errors.New("a single { must be written \\{ with flag u")
		}
		t.out.WriteString(literal('{'))
		return nil
	}
	low, err := strconv.Atoi(m[1])
	high, err2 := low, error(nil)
	if m[2] != "" {
		high, err2 = strconv.Atoi(m[2])
	}
	if err == nil && err2 == nil && high < low {
		return fmt.Errorf("the repetition {%s has its numbers out of order", m[0])
	}
	t.out.WriteString("{" + m[0])
	return nil
}

// escape translates what follows a backslash: into text that stands for a set of characters or a
// place (in a class: into members of the class), or with empty text into one character. A construct
// that Go has too is passed on; others are written out, or refused by name.
func (t *translator) escape(inClass bool) (text string, char rune, err error) {
	if t.rest == "" {
		return "", 0, errors.New("a single \\ at the end of the pattern")
	}
	r := t.next()
	switch r {
	case 'd', 'D', 'w', 'W':
		return `\` + string(r), 0, nil
	case 's':
		return choose(inClass, spaces, "["+spaces+"]"), 0, nil
	case 'S':
		return choose(inClass, nonSpaces, "["+nonSpaces+"]"), 0, nil
	// In a class it is a backspace (ECMAScript: ClassEscape).
	case 'b':
		return choose(inClass, "", `\b`), '\b', nil
	case 'B':
		return choose(inClass, "", `\B`), 'B', nil
	case 'p', 'P':
		if t.unicode {
			text, err = t.property(r)
			return text, 0, err
		}
		return "", r, nil
	case 'k':
		if inClass || !t.unicode && len(t.names) == 0 {
			return "", 'k', nil
		}
		if m := t.take(namedGroup); m != nil && slices.Contains(t.names, m[1]) {
			return "", 0, UnsupportedError(`the back-reference \k` + m[0])
		}
		return "", 0, errors.New("\\k takes the name of a group, such as \\k<name>")
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		t.rest = string(r) + t.rest
		char, err = t.digits(inClass)
		return "", char, err
	}
	char, err = t.character(r)
	return "", char, err
}

// character is what an escape that stands for one character means. An escape that means nothing is
// the character itself, such as \/.
func (t *translator) character(r rune) (rune, error) {
	switch r {
	case 'f', 'n', 'r', 't', 'v':
		return map[rune]rune{'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}[r], nil
	case 'c':
		if m := t.take(control); m != nil {
			return rune(m[0][0]) % 32, nil
		}
		t.rest = "c" + t.rest // the backslash stands for itself, and c follows
		return '\\', nil
	case 'x':
		if m := t.take(hexTwo); m != nil {
			return parseRune(m[0], 16), nil
		}
	case 'u':
		return t.codePoint()
	}
	return r, nil
}

// codePoint reads what follows \u. Without digits it is the letter u. With flag u also \u{…} of up
// to six digits. Half of a surrogate pair is an error, since texts have no halves.
func (t *translator) codePoint() (rune, error) {
	if t.unicode {
		if m := t.take(hexBraced); m != nil {
			r := parseRune(m[1], 16)
			if r > unicode.MaxRune {
				return 0, fmt.Errorf("\\u%s is no character", m[0])
			}
			return r, nil
		}
	}
	m := t.take(hexFour)
	if m == nil {
		return 'u', nil
	}
	r := parseRune(m[0], 16)
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if low := t.take(hexPairEnd); low != nil {
		if pair := utf16.DecodeRune(r, parseRune(low[1], 16)); pair != unicode.ReplacementChar {
			return pair, nil
		}
	}
	return 0, errors.New("\\u with half of a surrogate pair never matches a character: write the character itself")
}

// parseRune reads digits that a pattern has found, at most seven of them. What is too large for a
// rune becomes one that no text has.
func parseRune(text string, base int) rune {
	n, err := strconv.ParseInt(text, base, 32)
	if err != nil {
		return unicode.MaxRune + 1
	}
	return rune(n)
}

// property hands the name to Go, which knows categories and scripts; compiling fails for any other.
func (t *translator) property(r rune) (string, error) {
	m := t.take(propertyName)
	if m == nil {
		return "", errors.New("\\p takes a name in braces, such as \\p{L} or \\p{Script=Greek}")
	}
	return `\` + string(r) + "{" + m[1] + "}", nil
}

// digits is a reference to a group that exists, or else a character by its octal number
// (ECMAScript, Annex B). Only outside of a class can it be a reference; in one it is always a
// character.
func (t *translator) digits(inClass bool) (rune, error) {
	number := decimalDigits.FindString(t.rest)
	if n, err := strconv.Atoi(number); err == nil && number[0] != '0' && n <= t.groups && !inClass {
		return 0, UnsupportedError(`the back-reference \` + number)
	}
	if t.unicode && number != "0" {
		return 0, fmt.Errorf("\\%s is no group of the pattern", number)
	}
	if m := t.take(octalDigits); m != nil {
		return parseRune(m[0], 8), nil
	}
	return t.next(), nil // 8 or 9
}

// class translates [...] member by member, so that neither a nested bracket nor an odd hyphen is
// left. Go reads [[:alpha:]] and -- in a class otherwise than ECMAScript does, so members are
// escaped one by one.
func (t *translator) class() error {
	negated := strings.HasPrefix(t.rest, "^")
	t.rest = strings.TrimPrefix(t.rest, "^")
	var members strings.Builder
	for {
		switch {
		case t.rest == "":
			return errors.New("a [ is not closed by ]")
		case t.rest[0] == ']':
			t.rest = t.rest[1:]
			t.out.WriteString(finishClass(negated, members.String()))
			return nil
		}
		low, lowChar, err := t.member()
		if err != nil {
			return err
		}
		members.WriteString(low)
		if len(t.rest) < 2 || t.rest[0] != '-' || t.rest[1] == ']' {
			continue
		}
		t.rest = t.rest[1:]
		high, highChar, err := t.member()
		switch {
		case err != nil:
			return err
		case lowChar < 0 || highChar < 0: // a hyphen beside a set of characters is a hyphen
			members.WriteString(literal('-') + high)
		case lowChar > highChar:
			return errors.New("a range in [ ] is out of order")
		default:
			members.WriteString("-" + high)
		}
	}
}

// finishClass knows the empty class, which nothing matches, and its opposite. An empty class is an
// error in Go.
func finishClass(negated bool, members string) string {
	switch {
	case members != "":
		return choose(negated, "[^", "[") + members + "]"
	case negated:
		return `(?s:.)`
	}
	return `[^\x00-\x{10FFFF}]`
}

// member reads one member of a class; char is -1 when it stands for several characters. A set such
// as \d has text and no single character, so it cannot be the end of a range.
func (t *translator) member() (text string, char rune, err error) {
	if char = t.next(); char == '\\' {
		if text, char, err = t.escape(true); err != nil {
			return "", 0, err
		}
		if text != "" {
			return text, -1, nil
		}
	}
	return literal(char), char, nil
}
