package prompts

import "strings"

// SpokenNumber writes an E.164 number as it is to be read aloud: digit by digit, with a pause
// between groups. Voices would read it as one large number otherwise. North American numbers are
// grouped as people there say them, others by threes. plus is the word for the plus sign. An
// extension or a short code is read in the same way, without the plus sign. Anything but digits is
// returned unchanged.
func SpokenNumber(plus, number string) string {
	digits, international := strings.CutPrefix(number, "+")
	if strings.Trim(digits, "0123456789") != "" || digits == "" {
		return number
	}
	var groups []string
	if len(digits) == 11 && digits[0] == '1' {
		groups = []string{digits[:1], digits[1:4], digits[4:7], digits[7:]}
	} else {
		for rest := digits; rest != ""; {
			n := 3
			if len(rest) <= 4 {
				n = len(rest)
			}
			groups = append(groups, rest[:n])
			rest = rest[n:]
		}
	}
	for i, g := range groups {
		groups[i] = strings.Join(strings.Split(g, ""), " ")
	}
	if !international {
		plus = ""
	}
	return strings.TrimSpace(plus + " " + strings.Join(groups, ", "))
}
