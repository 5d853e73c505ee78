package phone

import "testing"

// A number is replaced however software spells it, and a longer number or an id that contains it
// stays.
func TestReplaceFindsEachSpellingAndNoLongerNumber(t *testing.T) {
	t.Parallel()
	const number = "+49301234567"
	for text, want := range map[string]string{
		"call back +49301234567.":                "call back X.",
		"+49301234567+49301234567":               "XX",
		`{"value":"+49301234567"}`:               `{"value":"X"}`,
		"?From=%2B49301234567&To=1":              "?From=X&To=1",
		"sip:49301234567@example.com":            "sip:X@example.com",
		"said +49 30 1234567":                    "said X",
		"+493012345678 and 1493012345670":        "+493012345678 and 1493012345670",
		"media:a49301234567, +49 30 12345678, x": "media:a49301234567, +49 30 12345678, x",
		"":                                       "",
	} {
		if got, _ := Replace(text, number, "X"); got != want {
			t.Errorf("Replace(%q) = %q, want %q", text, got, want)
		}
	}
	if _, n := Replace("+49301234567 +49 30 1234567 +493012345678", number, "X"); n != 2 {
		t.Errorf("%d are replaced, want 2", n)
	}
}
