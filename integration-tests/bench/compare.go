package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// How much worse a figure may be than before until the comparison fails: what differs between two
// runs of the same programs, and a little more. Rates say the most about what else the machine
// does.
const (
	ratioNoise  = 0.15
	cpuNoise    = 0.15
	objectNoise = 0.03 // of requests that leave nothing to do; see laterNoise
	// Of objects and bytes where work is left to do, which is done at its own time.
	laterNoise = 0.10
)

// readReport reads the file of a run of the part ratios.
func readReport(name string) (r ratiosReport, err error) {
	text, err := os.ReadFile(name) // #nosec G304 -- named on the command line
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// compareFiles is compareReports for two files of the part ratios.
func compareFiles(before, after string) error {
	earlier, err := readReport(before)
	if err != nil {
		return err
	}
	now, err := readReport(after)
	if err != nil {
		return err
	}
	return compareReports(earlier, now)
}

// compareReports prints how two runs differ. The error names what has become worse than noise
// explains, each such figure being marked with "!". Ratios are compared, not rates, which say as
// much about the machine's other work as about ours.
func compareReports(before, after ratiosReport) error {
	type key struct {
		kind string
		n    int
	}
	earlier := map[key]figure{}
	for _, f := range before.Figures {
		earlier[key{f.Kind, f.AtATime}] = f
	}
	fmt.Printf("%s → %s, medians of %d and %d; ! is a loss beyond noise\n%-16s %18s %20s %22s %26s %22s %26s\n", before.Commit, after.Commit, before.Rounds, after.Rounds,
		"", "ratio to the echo", "CPU time", "host: objects", "bytes", "plugin: objects", "bytes")
	var losses []string
	for _, f := range after.Figures {
		old, known := earlier[key{f.Kind, f.AtATime}]
		if !known || f.Kind == kinds[0] {
			continue
		}
		allocated := laterNoise
		if f.Kind == kinds[1] {
			allocated = objectNoise
		}
		row := fmt.Sprintf("%-11s at %-2d", f.Kind, f.AtATime)
		for _, c := range []struct {
			what     string
			format   string
			old, now float64
			lost     bool
		}{
			{"ratio", "%7.2f → %6.2f", old.Ratio, f.Ratio, f.Ratio < old.Ratio*(1-ratioNoise)},
			{"CPU time", "%7.0f → %5.0f µs", old.HostCPU + old.PluginCPU, f.HostCPU + f.PluginCPU, more(old.HostCPU+old.PluginCPU, f.HostCPU+f.PluginCPU, cpuNoise)},
			{"objects of the host", "%9.0f → %8.0f", old.Objects, f.Objects, more(old.Objects, f.Objects, allocated)},
			{"bytes of the host", "%11.0f → %10.0f", old.Bytes, f.Bytes, more(old.Bytes, f.Bytes, allocated)},
			{"objects of the plugin", "%9.0f → %8.0f", old.PluginObjects, f.PluginObjects, more(old.PluginObjects, f.PluginObjects, allocated)},
			{"bytes of the plugin", "%11.0f → %10.0f", old.PluginBytes, f.PluginBytes, more(old.PluginBytes, f.PluginBytes, allocated)},
		} {
			mark := " "
			if c.lost {
				mark = "!"
				losses = append(losses, fmt.Sprintf("%s, %d at a time: %s", f.Kind, f.AtATime, c.what))
			}
			row += fmt.Sprintf("  "+c.format+"%s", c.old, c.now, mark)
		}
		fmt.Println(row)
	}
	if len(losses) > 0 {
		return errors.New("worse than before, beyond noise:\n  " + strings.Join(losses, "\n  "))
	}
	return nil
}

// more reports whether a cost has grown by more than noise. A cost of nothing was not measured.
func more(old, now, noise float64) bool { return old > 0 && now > old*(1+noise) }
