package main

import (
	"fmt"
	"strconv"
	"strings"
)

// behaviour is a line of behaviours.txt.
type behaviour struct {
	number  int
	chapter string
	verdict string
	text    string
}

var verdicts = []string{"kept", "fixed", "improved"}

// parse reads behaviours.txt. Numbers must follow one another.
func parse(text string) ([]behaviour, error) {
	var out []behaviour
	chapter := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "## "):
			chapter = line[3:]
			continue
		case line == "", strings.HasPrefix(line, "#"):
			continue
		}
		parts := strings.SplitN(line, " | ", 3)
		if len(parts) != 3 {
			return nil, fmt.Errorf("behaviours.txt:%d: want number | verdict | text", i+1)
		}
		n, err := strconv.Atoi(parts[0])
		if err != nil || n != len(out)+1 || len(parts[0]) != 2 {
			return nil, fmt.Errorf("behaviours.txt:%d: number %q, want %02d", i+1, parts[0], len(out)+1)
		}
		if chapter == "" || parts[1] != verdicts[0] && parts[1] != verdicts[1] && parts[1] != verdicts[2] {
			return nil, fmt.Errorf("behaviours.txt:%d: verdict %q, want %s, below a chapter", i+1, parts[1], strings.Join(verdicts, ", "))
		}
		out = append(out, behaviour{n, chapter, parts[1], parts[2]})
	}
	return out, nil
}

// count says how many have each verdict.
func count(list []behaviour) map[string]int {
	out := map[string]int{}
	for _, b := range list {
		out[b.verdict]++
	}
	return out
}

// render writes the page.
func render(list []behaviour, tests map[int][]proof) string {
	var b strings.Builder
	n := count(list)
	fmt.Fprintf(&b, `<!-- Written by go generate ./integration-tests from behaviours.txt and test names; do not edit. -->

# Behaviours and their tests

Live call routing existed before this plugin, and callers, responders and administrators know how it
behaves. This page lists %d observable behaviours and what this plugin does: **kept** (%d) means the
same behaviour, **fixed** (%d) means that it replaces a defect, **improved** (%d) means that it
works as before and serves people better. The numbers, such as PT-01 (PT for *parity test*), also
appear in the names of the tests beside them. Most behaviours are tested with tables and golden
documents at the lowest layer that shows them, and with scripted calls through the real programs
(`+"`integration-tests`"+`). A test fails if a number has no test or if this page is out of date.
`, len(list), n["kept"], n["fixed"], n["improved"])
	chapter := ""
	for _, x := range list {
		if x.chapter != chapter {
			chapter = x.chapter
			fmt.Fprintf(&b, "\n## %s\n\n| number | behaviour | verdict | tests |\n|---|---|---|---|\n", chapter)
		}
		var names []string
		for _, p := range tests[x.number] {
			names = append(names, "`"+p.dir+" "+strings.ReplaceAll(p.test, "|", "\\|")+"`")
		}
		fmt.Fprintf(&b, "| PT-%02d | %s | %s | %s |\n", x.number, strings.ReplaceAll(x.text, "|", "\\|"), x.verdict, strings.Join(names, "<br>"))
	}
	return b.String()
}
