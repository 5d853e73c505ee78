package prompts

import (
	"embed"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Key names a text. The files in texts/ have these keys. A text that an option can replace has the
// option's key.
type Key string

// Keys of the plugin's fixed answers. The call flow names the others.
const (
	KeyNotInService Key = "not_in_service"
	KeyMoment       Key = "moment"
	KeyRefused      Key = "refused"
	KeyNoAnswer     Key = "no_answer"
	KeyTestRing     Key = "test_ring"
	KeyTestHeard    Key = "test_ring_heard"
)

// KeyWelcome has no text: without a configured welcome, callers hear none.
const KeyWelcome Key = "welcome"

// Args are the values that fill the places of a text, such as {team}.
type Args struct {
	Digit  int    // a key of the telephone, or two of them as a number
	Team   string // name in any script; cut after MaxTeamRunes; "" means "the team"
	Number string // E.164 of the caller; "" means withheld
	Called string // E.164 of the called number; "" means that it is not mentioned
	// Seconds and Count are the length of messages in all, and their number.
	Seconds, Count int
}

// MaxTeamRunes is the number of characters of a team's name that are spoken. A menu of long names
// would keep callers waiting.
const MaxTeamRunes = 100

//go:embed texts/*.json
var files embed.FS

// texts by file and key; the files are part of the binary, so a bad one is a defect that a test
// finds.
var texts = load()

func load() map[string]map[string]string {
	out := map[string]map[string]string{}
	entries, err := files.ReadDir("texts")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		data, err := files.ReadFile("texts/" + e.Name())
		if err != nil {
			panic(err)
		}
		m := map[string]string{}
		if err := json.Unmarshal(data, &m); err != nil {
			panic(e.Name() + ": " + err.Error())
		}
		out[strings.TrimSuffix(e.Name(), ".json")] = m
	}
	return out
}

// Text returns the words for a key in the language of the tag, or in [DefaultLanguage] if the tag
// is unknown. It returns "" for a key without words, such as [KeyWelcome].
func Text(tag string, key Key, a Args) string {
	lang, _ := LanguageByTag(tag)
	return fill(texts[lang.texts], key, a)
}

// fill looks up a text and fills its places. A withheld number needs other words, not an empty
// place, so a key may have a second text for that.
func fill(t map[string]string, key Key, a Args) string {
	name := string(key)
	if a.Number == "" {
		if _, ok := t[name+"_withheld"]; ok {
			name += "_withheld"
		}
	}
	text := t[name]
	if key == "ask" && a.Called != "" {
		text += " " + t["ask_called"]
	}
	if text == "" {
		return ""
	}
	if !strings.Contains(text, "{") {
		return text
	}
	team := strings.Join(strings.Fields(strings.ToValidUTF8(a.Team, "")), " ")
	if team == "" {
		team = t["a_team"]
	}
	if utf8.RuneCountInString(team) > MaxTeamRunes {
		team = string([]rune(team)[:MaxTeamRunes])
	}
	var out strings.Builder
	for {
		before, rest, more := strings.Cut(text, "{")
		out.WriteString(before)
		if !more {
			return out.String()
		}
		place, after, _ := strings.Cut(rest, "}")
		switch text = after; place {
		case "digit":
			out.WriteString(strconv.Itoa(a.Digit))
		case "team":
			out.WriteString(team)
		case "seconds":
			out.WriteString(strconv.Itoa(a.Seconds))
		case "count":
			out.WriteString(strconv.Itoa(a.Count))
		case "number":
			out.WriteString(SpokenNumber(t["plus"], a.Number))
		case "called":
			out.WriteString(SpokenNumber(t["plus"], a.Called))
		default:
			out.WriteString("{" + place + "}") // a test holds the texts to known places
		}
	}
}
