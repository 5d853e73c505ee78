package phone

import (
	"strings"
	"testing"
)

func TestReadTakesNumbersAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, country, want string }{
		{"+12025550143", "", "+12025550143"},
		{"+1 202 555 0143", "", "+12025550143"},
		{"+1 (202) 555-0143", "", "+12025550143"},
		{" +1-202-555-0143 ", "", "+12025550143"},
		{"tel:+12025550143", "", "+12025550143"},
		{"(202) 555-0143", "US", "+12025550143"},
		{"12025550143", "us", "+12025550143"},
		{"07700 900123", "GB", "+447700900123"},
		{"+44 0 7700 900123", "", "+447700900123"},
		{"+44 (0)20 7946 0123", "", "+442079460123"},
		{"+4402079460123", "", "+442079460123"},
	} {
		if got, err := Read(c.text, c.country); err != nil || got != c.want {
			t.Errorf("Read(%q, %q) = %q, %v; want %q", c.text, c.country, got, err, c.want)
		}
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, country, say string }{
		{"", "", "empty"},
		{"+1202555014", "", "too short"},
		{"+120255501434", "", "too long"},
		{"12025550143", "", "no country code"},
		{"555-0143", "US", "area code"},
		{"+999 12345678", "", "does not exist"},
		{"alice", "", "not a telephone number"},
		{"+12025550143;ext=12", "", "extension"},
		{strings.Repeat("1", 80), "", "too long"},
	} {
		if got, err := Read(c.text, c.country); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("Read(%q, %q) = %q, %v; the error should say %q", c.text, c.country, got, err, c.say)
		}
	}
}

func TestACallerIsWithheldOnlyByTheNetworksWords(t *testing.T) {
	t.Parallel()
	withheld := Caller{Withheld: true}
	for raw, want := range map[string]Caller{
		"": withheld, "Anonymous": withheld, "unknown": withheld, "RESTRICTED": withheld,
		"+266696687": withheld, "+17378742833": withheld, "sip:anonymous@anonymous.invalid": withheld,
		"+12025550199":                 {Number: "+12025550199"},
		" 12025550199":                 {Number: "+12025550199"},
		"tel:+12025550199":             {Number: "+12025550199"},
		"12025550199":                  {Address: "12025550199"},
		"2025550199":                   {Address: "2025550199"},
		"07700900123":                  {Address: "07700900123"},
		"88888":                        {Address: "88888"},
		"201":                          {Address: "201"},
		"+12025550199;ext=12":          {Address: "+12025550199;ext=12"},
		"sip:alice@example.com":        {Address: "sip:alice@example.com"},
		"sip:+12025550199@example.com": {Address: "sip:+12025550199@example.com"},
		"client:alice":                 {Address: "client:alice"},
	} {
		if got := ReadCaller(raw, ""); got != want {
			t.Errorf("ReadCaller(%q) = %+v, want %+v", raw, got, want)
		}
	}
	if got := ReadCaller("2025550199", "US"); got.Number != "+12025550199" {
		t.Errorf("with a default country: %+v", got)
	}
}

func TestABanMatchesEverySpellingOfItsNumber(t *testing.T) {
	t.Parallel()
	list := []string{}
	for _, text := range []string{"+44 0 7700 900123", "+1 900*", "Anonymous"} {
		entry, err := ReadBan(text, "")
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, entry)
	}
	for raw, want := range map[string]bool{
		"+447700900123": true, "+19005550100": true, "anonymous": true,
		"+12025550199": false, "sip:alice@example.com": false, "client:alice": false, "201": false, "88888": false,
	} {
		if got := Banned(list, ReadCaller(raw, "")); got != want {
			t.Errorf("%q banned: %v, want %v", raw, got, want)
		}
	}
	for _, text := range []string{"*", "1900*", "+*", "+19x*", "+0*", ""} {
		if entry, err := ReadBan(text, ""); err == nil {
			t.Errorf("ReadBan(%q) = %q, want an error", text, entry)
		}
	}
}

func TestDisplayGroupsDigitsAsTheCountryDoes(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"+12025550143": "+1 202-555-0143", "+442079460123": "+44 20 7946 0123", "sip:a@example.com": "sip:a@example.com", "": "",
	} {
		if got := Display(number); got != want {
			t.Errorf("Display(%q) = %q, want %q", number, got, want)
		}
	}
}

func TestNumbersInASentenceAreReadable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"From +12025550143 to +442079460000.": "From +1 202-555-0143 to +44 20 7946 0000.",
		"+1 is 1, +0123456789 is none":        "+1 is 1, +0123456789 is none",
	} {
		if got := DisplayIn(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}
