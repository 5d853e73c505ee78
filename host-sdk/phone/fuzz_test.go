package phone

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzNumbers holds for any text: what is read as a number is one, and stays the same when it is
// read again; so does an entry of a ban list; and a caller is exactly one of the three kinds.
func FuzzNumbers(f *testing.F) {
	for _, text := range []string{"+1 (202) 555-0143", "tel:+12025550143", "07700 900123", "+1900*", "Anonymous", "sip:unknown@example.com", "+266696687", "１２０２５５５０１４３", "+1;ext=1", "\xff\x00", " 12025550199"} {
		f.Add(text, "US")
		f.Add(text, "")
	}
	f.Fuzz(func(t *testing.T, text, country string) {
		if number, err := Read(text, country); err == nil {
			if again, err := Read(number, ""); err != nil || again != number {
				t.Fatalf("%q is read as %q, and that as %q, %v", text, number, again, err)
			}
			_, _ = Display(number), Doubtful(number)
		} else if len(err.Error()) > 200 {
			t.Fatalf("a message of %d bytes", len(err.Error()))
		}
		if entry, err := ReadBan(text, country); err == nil {
			if again, err := ReadBan(entry, ""); err != nil || again != entry {
				t.Fatalf("the ban %q is read as %q, and that as %q, %v", text, entry, again, err)
			}
		}
		c := ReadCaller(text, country)
		kinds := 0
		for _, is := range []bool{c.Number != "", c.Address != "", c.Withheld} {
			if is {
				kinds++
			}
		}
		if kinds != 1 || !utf8.ValidString(c.Address) || len(c.Address) > 4*maxAddress {
			t.Fatalf("%q is the caller %+v", text, c)
		}
		for _, r := range c.Address {
			if unicode.IsControl(r) {
				t.Fatalf("%q is the address %q", text, c.Address)
			}
		}
		_ = Banned([]string{Anonymous, "+1*", c.Address}, c)
	})
}
