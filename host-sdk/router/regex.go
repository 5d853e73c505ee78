package router

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

	"github.com/dlclark/regexp2"
)

// compileRegex compiles an ECMAScript pattern. The engine speaks .NET's dialect, and its ECMAScript mode covers the classes only:
// so the pattern is rewritten, construct by construct, in the part that both languages read alike.
func compileRegex(pattern, flags string) (*regexp2.Regexp, error) {
	if utf8.RuneCountInString(pattern) > MaxPattern {
		return nil, fmt.Errorf("the pattern has more than %d characters", MaxPattern)
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
	t := translator{
		in:        []rune(pattern),
		multiline: strings.ContainsRune(flags, 'm'),
		dotAll:    strings.ContainsRune(flags, 's'),
		unicode:   strings.ContainsRune(flags, 'u'),
	}
	text, err := t.translate()
	if err != nil {
		return nil, err
	}
	if strings.ContainsRune(flags, 'y') {
		text = `\A(?:` + text + `)`
	}
	options := regexp2.RegexOptions(regexp2.ECMAScript)
	if strings.ContainsRune(flags, 'i') {
		options |= regexp2.IgnoreCase
	}
	re, err := regexp2.Compile(text, options)
	if err != nil {
		return nil, fmt.Errorf("the pattern is wrong: %s", plainRegexError(err, pattern))
	}
	re.MatchTimeout = matchTimeout
	return re, nil
}

// plainRegexError drops the rewritten pattern, which the writer of the rules has never seen.
func plainRegexError(err error, pattern string) string {
	text := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	if i := strings.Index(text, " in `"); i >= 0 {
		text = text[:i]
	}
	return fmt.Sprintf("%s in %s", text, strconv.Quote(pattern))
}

// Line terminators of ECMAScript, in a class.
const lineEnds = `\n\r\u2028\u2029`

type translator struct {
	in                         []rune
	at                         int
	out                        strings.Builder
	multiline, dotAll, unicode bool
	groups                     int      // captures in the whole pattern
	names                      []string // of the captures, by number from 1; "" = no name
}

func (t *translator) translate() (string, error) {
	if err := t.countGroups(); err != nil {
		return "", err
	}
	for t.at < len(t.in) {
		r := t.in[t.at]
		t.at++
		var err error
		switch r {
		case '\\':
			var atom string
			atom, err = t.escape(false)
			t.out.WriteString(atom)
		case '[':
			err = t.class()
		case '(':
			err = t.group()
		case '^':
			t.out.WriteString(choose(t.multiline, `(?<![^`+lineEnds+`])`, `\A`))
		case '$':
			t.out.WriteString(choose(t.multiline, `(?![^`+lineEnds+`])`, `\z`))
		case '.':
			t.out.WriteString(choose(t.dotAll, `[\s\S]`, `[^`+lineEnds+`]`))
		case '{':
			err = t.brace()
		case ')', '|', '*', '+', '?':
			t.out.WriteRune(r)
		default:
			t.out.WriteString(literal(r))
		}
		if err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

func choose(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// literal writes a character so that no dialect sees more in it.
func literal(r rune) string {
	switch {
	case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
		return string(r)
	case r <= 0xFFFF:
		return fmt.Sprintf(`\u%04X`, r)
	}
	return string(r)
}

// countGroups numbers the captures from left to right. ECMAScript numbers named ones among the others, the engine behind
// them: they lose their names.
func (t *translator) countGroups() error {
	inClass := false
	t.names = []string{""}
	for i := 0; i < len(t.in); i++ {
		switch r := t.in[i]; {
		case r == '\\':
			i++
		case inClass:
			inClass = r != ']'
		case r == '[':
			inClass = true
		case r == '(':
			name, captures := "", true
			if rest := string(t.in[i+1 : min(len(t.in), i+80)]); strings.HasPrefix(rest, "?") {
				m := groupName.FindStringSubmatch(rest)
				if captures = m != nil; captures {
					name = m[1]
				}
			}
			if !captures {
				continue
			}
			if name != "" && slices.Contains(t.names, name) {
				return fmt.Errorf("two groups are named %q", name)
			}
			t.groups++
			t.names = append(t.names, name)
		}
	}
	return nil
}

var groupName = regexp.MustCompile(`^\?<([\pL$_][\pL\pN$_]*)>`)

func (t *translator) group() error {
	rest := string(t.in[t.at:min(len(t.in), t.at+80)])
	if !strings.HasPrefix(rest, "?") {
		t.out.WriteByte('(')
		return nil
	}
	for _, start := range []string{"?:", "?=", "?!", "?<=", "?<!"} {
		if strings.HasPrefix(rest, start) {
			t.out.WriteString("(" + start)
			t.at += len(start)
			return nil
		}
	}
	if m := groupName.FindString(rest); m != "" {
		t.out.WriteByte('(')
		t.at += utf8.RuneCountInString(m)
		return nil
	}
	if inlineFlags.MatchString(rest) {
		return errors.New("flags inside a pattern, such as (?i), are not ECMAScript: write them beside it, $options: i")
	}
	return fmt.Errorf("the group (%s… is not ECMAScript", string(t.in[t.at:min(len(t.in), t.at+3)]))
}

var inlineFlags = regexp.MustCompile(`^\?[a-zA-Z-]+[:)]`)

var quantifier = regexp.MustCompile(`^([0-9]+)(,([0-9]*))?\}`)

// brace is a quantifier, or else just a brace.
func (t *translator) brace() error {
	m := quantifier.FindStringSubmatch(string(t.in[t.at:min(len(t.in), t.at+40)]))
	if m == nil {
		if t.unicode {
			return errors.New("a single { must be written \\{ with flag u")
		}
		t.out.WriteString(literal('{'))
		return nil
	}
	low, err1 := strconv.Atoi(m[1])
	high, err2 := low, error(nil)
	if m[3] != "" {
		high, err2 = strconv.Atoi(m[3])
	}
	switch {
	case err1 != nil, err2 != nil, low > maxSubject, high > maxSubject:
		return fmt.Errorf("the repetition {%s is larger than %d", m[0], maxSubject)
	case high < low:
		return fmt.Errorf("the repetition {%s has its numbers out of order", m[0])
	}
	t.out.WriteString("{" + m[0])
	t.at += len(m[0])
	return nil
}

// escape translates what follows a backslash. In a class the result is an element of the class.
func (t *translator) escape(inClass bool) (string, error) {
	if t.at == len(t.in) {
		return "", errors.New("a single \\ at the end of the pattern")
	}
	r := t.in[t.at]
	t.at++
	switch r {
	case 'd', 'D', 'w', 'W', 's', 'S':
		return `\` + string(r), nil
	case 'b':
		return choose(inClass, literal('\b'), `\b`), nil
	case 'B':
		return choose(inClass, "B", `\B`), nil
	case 'f', 'n', 'r', 't', 'v':
		return literal(map[rune]rune{'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}[r]), nil
	case 'c':
		if t.at < len(t.in) && t.in[t.at] < utf8.RuneSelf && unicode.IsLetter(t.in[t.at]) {
			t.at++
			return literal(t.in[t.at-1] % 32), nil
		}
		t.at-- // the backslash stands for itself, and c follows
		return literal('\\'), nil
	case 'x':
		if n, ok := t.hex(2); ok {
			return literal(n), nil
		}
		return "x", nil
	case 'u':
		return t.unicodeEscape()
	case 'p', 'P':
		if t.unicode {
			return t.property(r)
		}
		return string(r), nil
	case 'k':
		return t.namedReference(inClass)
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		t.at--
		return t.digits(inClass)
	}
	return literal(r), nil
}

// hex reads exactly n hexadecimal digits, or nothing.
func (t *translator) hex(n int) (rune, bool) {
	if t.at+n > len(t.in) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(t.in[t.at:t.at+n]), 16, 32)
	if err != nil {
		return 0, false
	}
	t.at += n
	return rune(v), true
}

var bracedHex = regexp.MustCompile(`^\{([0-9a-fA-F]{1,6})\}`)

func (t *translator) unicodeEscape() (string, error) {
	if m := bracedHex.FindStringSubmatch(string(t.in[t.at:min(len(t.in), t.at+8)])); t.unicode && m != nil {
		v, err := strconv.ParseUint(m[1], 16, 32)
		if err != nil || v > unicode.MaxRune {
			return "", fmt.Errorf("\\u%s is no character", m[0])
		}
		t.at += len(m[0])
		return literal(rune(v)), nil
	}
	high, ok := t.hex(4)
	if !ok {
		return "u", nil
	}
	if !utf16.IsSurrogate(high) {
		return literal(high), nil
	}
	if t.at+2 <= len(t.in) && t.in[t.at] == '\\' && t.in[t.at+1] == 'u' {
		t.at += 2
		if low, ok := t.hex(4); ok {
			if r := utf16.DecodeRune(high, low); r != unicode.ReplacementChar {
				return literal(r), nil
			}
		}
	}
	return "", errors.New("\\u with half of a surrogate pair never matches a character: write the character itself")
}

var propertyName = regexp.MustCompile(`^\{(?:(?:Script|sc|General_Category|gc)=)?([A-Za-z_]+)\}`)

func (t *translator) property(r rune) (string, error) {
	m := propertyName.FindStringSubmatch(string(t.in[t.at:min(len(t.in), t.at+60)]))
	if m == nil {
		return "", errors.New("\\p takes a name in braces, such as \\p{L} or \\p{Script=Greek}")
	}
	t.at += len(m[0])
	name := m[1]
	if short, ok := longCategories[name]; ok {
		name = short
	}
	if unicode.Categories[name] == nil && unicode.Scripts[name] == nil {
		return "", fmt.Errorf("the property \\%c%s is not known here: use a category such as L, Lu, Nd or a script such as Greek", r, m[0])
	}
	return `\` + string(r) + "{" + name + "}", nil
}

var longCategories = map[string]string{
	"Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Mark": "M", "Number": "N", "Decimal_Number": "Nd",
	"Punctuation": "P", "Symbol": "S", "Separator": "Z", "Space_Separator": "Zs",
}

var reference = regexp.MustCompile(`^<([^>]+)>`)

func (t *translator) namedReference(inClass bool) (string, error) {
	named := t.unicode || slices.ContainsFunc(t.names, func(n string) bool { return n != "" })
	if inClass || !named {
		return "k", nil
	}
	m := reference.FindStringSubmatch(string(t.in[t.at:min(len(t.in), t.at+80)]))
	if m == nil || slices.Index(t.names, m[1]) < 1 {
		return "", errors.New("\\k takes the name of a group, such as \\k<name>")
	}
	t.at += utf8.RuneCountInString(m[0])
	return backReference(slices.Index(t.names, m[1])), nil
}

func backReference(n int) string { return fmt.Sprintf(`(?:\%d)`, n) }

// digits is a reference to a group that exists, or else a character by its octal number.
func (t *translator) digits(inClass bool) (string, error) {
	end := t.at
	for end < len(t.in) && end < t.at+4 && t.in[end] >= '0' && t.in[end] <= '9' {
		end++
	}
	text := string(t.in[t.at:end])
	if n, err := strconv.Atoi(text); text[0] != '0' && err == nil && n <= t.groups && !inClass {
		t.at = end
		return backReference(n), nil
	}
	if t.unicode && text != "0" {
		return "", fmt.Errorf("\\%s is no group of the pattern", text)
	}
	if text[0] >= '8' {
		t.at++
		return text[:1], nil
	}
	n := 0
	for i := 0; i < len(text) && i < 3 && text[i] < '8' && n*8+int(text[i]-'0') <= 0o377; i++ {
		n = n*8 + int(text[i]-'0')
		t.at++
	}
	return literal(rune(n)), nil
}

// class translates [...]. Its elements are written one by one, so that neither a subtraction nor an odd hyphen is left.
func (t *translator) class() error {
	negated := t.at < len(t.in) && t.in[t.at] == '^'
	if negated {
		t.at++
	}
	var items strings.Builder
	for {
		if t.at == len(t.in) {
			return errors.New("a [ is not closed by ]")
		}
		if t.in[t.at] == ']' {
			t.at++
			break
		}
		low, lowRune, err := t.element()
		if err != nil {
			return err
		}
		if t.at+1 < len(t.in) && t.in[t.at] == '-' && t.in[t.at+1] != ']' {
			t.at++
			high, highRune, err := t.element()
			switch {
			case err != nil:
				return err
			case lowRune >= 0 && highRune >= 0 && lowRune > highRune:
				return errors.New("a range in [ ] is out of order")
			case lowRune >= 0 && highRune >= 0:
				items.WriteString(low + "-" + high)
			default: // a hyphen beside a class of characters is a hyphen
				items.WriteString(low + literal('-') + high)
			}
			continue
		}
		items.WriteString(low)
	}
	switch {
	case items.Len() > 0:
		t.out.WriteString(choose(negated, "[^", "[") + items.String() + "]")
	case negated:
		t.out.WriteString(`[\s\S]`)
	default:
		t.out.WriteString(`(?!)`)
	}
	return nil
}

// element reads one element of a class; the rune is -1 when it stands for several characters.
func (t *translator) element() (string, rune, error) {
	r := t.in[t.at]
	t.at++
	if r != '\\' {
		return literal(r), r, nil
	}
	text, err := t.escape(true)
	if err != nil {
		return "", 0, err
	}
	if n := len(text); n == 6 && strings.HasPrefix(text, `\u`) {
		v, err := strconv.ParseUint(text[2:], 16, 32)
		return text, rune(v), err
	}
	if single := []rune(text); len(single) == 1 {
		return text, single[0], nil
	}
	return text, -1, nil
}
