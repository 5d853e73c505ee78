package main

import (
	"os"
	"strings"
	"testing"
)

//go:generate go run . -json ../../docs/performance.json -svg ../../docs/performance.svg

func TestTheChartInTheDocsIsThatOfTheFigures(t *testing.T) {
	t.Parallel()
	r, err := readReport("../../docs/performance.json")
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := os.ReadFile("../../docs/performance.svg")
	if err != nil {
		t.Fatal(err)
	}
	if string(drawn) != r.chart() {
		t.Error("docs/performance.svg is not what docs/performance.json draws: run make generate")
	}
	if len(r.Figures) != len(kinds)*len(atATime) || strings.HasSuffix(r.Commit, "-dirty") {
		t.Errorf("docs/performance.json has %d figures, of the programs %s; want those of all kinds, of a commit", len(r.Figures), r.Commit)
	}
}

func TestALossBeyondNoiseIsAnError(t *testing.T) {
	t.Parallel()
	before := figure{Kind: "tick", AtATime: 16, Ratio: .5, HostCPU: 100, PluginCPU: 100, Objects: 200, Bytes: 20_000, PluginObjects: 250, PluginBytes: 25_000}
	for name, of := range map[string]struct {
		change func(*figure)
		want   string // in the error; "": none
	}{
		"the same":                    {func(*figure) {}, ""},
		"better":                      {func(f *figure) { f.Ratio, f.HostCPU, f.Objects = .8, 50, 100 }, ""},
		"noise":                       {func(f *figure) { f.Ratio, f.PluginCPU, f.Bytes = .45, 120, 20_400 }, ""},
		"a lower rate":                {func(f *figure) { f.Ratio = .4 }, "tick, 16 at a time: ratio"},
		"more CPU time":               {func(f *figure) { f.PluginCPU = 140 }, "tick, 16 at a time: CPU time"},
		"more objects in the host":    {func(f *figure) { f.Objects = 210 }, "objects of the host"},
		"more bytes in the plugin":    {func(f *figure) { f.PluginBytes = 26_000 }, "bytes of the plugin"},
		"a kind that was not there":   {func(f *figure) { f.Kind, f.Ratio = "arrival", .1 }, ""},
		"the echo is slower by noise": {func(f *figure) { f.Kind, f.Ratio = "echo", .1 }, ""},
	} {
		after := before
		of.change(&after)
		err := compareReports(ratiosReport{Figures: []figure{before, {Kind: "echo", AtATime: 16, Ratio: 1}}}, ratiosReport{Figures: []figure{after}})
		if (err == nil) != (of.want == "") || err != nil && !strings.Contains(err.Error(), of.want) {
			t.Errorf("%s: %v; want %q", name, err, of.want)
		}
	}
}
