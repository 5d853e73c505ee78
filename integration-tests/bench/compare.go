package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// compareRuns prints how the CPU time, objects and bytes of a request differ between two files of the part
// "ratios". Rates are not compared: they say as much about the machine's other work as about ours.
func compareRuns(before, after string) error {
	var reports [2]ratiosReport
	for i, name := range []string{before, after} {
		text, err := os.ReadFile(name) // #nosec G304 -- named on the command line
		if err == nil {
			err = json.Unmarshal(text, &reports[i])
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	type key struct {
		kind string
		n    int
	}
	earlier := map[key]figure{}
	for _, f := range reports[0].Figures {
		earlier[key{f.Kind, f.AtATime}] = f
	}
	fmt.Printf("%s → %s\n%-22s %15s %15s %19s %19s\n", reports[0].Commit, reports[1].Commit, "", "ratio", "CPU time", "objects", "bytes")
	for _, f := range reports[1].Figures {
		old, known := earlier[key{f.Kind, f.AtATime}]
		if !known {
			continue
		}
		fmt.Printf("%-16s at %-2d %6.2f → %5.2f %5.0f → %4.0f µs %8.0f → %7.0f %8.0f → %7.0f\n", f.Kind, f.AtATime,
			old.Ratio, f.Ratio, old.HostCPU+old.PluginCPU, f.HostCPU+f.PluginCPU, old.Objects, f.Objects, old.Bytes, f.Bytes)
	}
	return nil
}
