package phone

import (
	"errors"
	"strings"
)

// Anonymous is the word in a ban list that stands for withheld numbers.
const Anonymous = "anonymous"

// ReadBan reads an entry of a ban list and returns the form that [Banned] compares: a number in
// E.164 form, the beginning of numbers followed by "*" ("+1900*"), or the word anonymous. The error
// is one as [Read] returns it.
func ReadBan(text, country string) (string, error) {
	text = strings.TrimSpace(text)
	if strings.EqualFold(text, Anonymous) {
		return Anonymous, nil
	}
	beginning, isBeginning := strings.CutSuffix(text, "*")
	if !isBeginning {
		return Read(text, country)
	}
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./()", r) {
			return -1
		}
		return r
	}, beginning)
	rest, plus := strings.CutPrefix(digits, "+")
	if !plus || rest == "" || len(rest) > 15 || strings.Trim(rest, "0123456789") != "" || rest[0] == '0' {
		return "", errors.New("is not the beginning of a number: write it as +1900*, with + and the country code")
	}
	return digits + "*", nil
}

// Banned reports whether a list of entries, each as [ReadBan] returns it, bans a caller. An address
// that is no number is banned only by the same address in the list.
func Banned(list []string, c Caller) bool {
	for _, entry := range list {
		beginning, isBeginning := strings.CutSuffix(entry, "*")
		switch {
		case c.Withheld:
			if entry == Anonymous {
				return true
			}
		case c.Number != "":
			if entry == c.Number || isBeginning && strings.HasPrefix(c.Number, beginning) {
				return true
			}
		case c.Address != "" && entry == c.Address:
			return true
		}
	}
	return false
}
