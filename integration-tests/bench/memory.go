package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/integration-tests/demo"
)

// heapFigures are the figures of the runtime at the end of a heap profile's text form, in bytes.
var heapFigures = regexp.MustCompile(`(?m)^# (\w+) = ([0-9]+)`)

// reportMemory says what the resident memory of host and plugin consists of. The host must have
// profiling switched on.
func reportMemory(s *demo.Stack) error {
	for _, of := range []struct {
		name, profiles string
		pid            int
	}{{"host", hostProfiles, s.Process.Process.Pid}, {"plugin", pluginProfiles, childOf(s.Process.Process.Pid)}} {
		text, err := getText(s.URL+of.profiles+"heap?debug=1", s.Token)
		if err != nil {
			return err
		}
		heap := map[string]float64{}
		for _, m := range heapFigures.FindAllStringSubmatch(text, -1) {
			n, _ := strconv.ParseFloat(m[2], 64)
			heap[m[1]] = n / (1 << 20)
		}
		fmt.Printf("%s, MiB: heap in use %.1f, of it objects %.1f (%.0f of them; collected at %.1f), free and not returned %.1f; stacks %.1f, the runtime's own %.1f\n", of.name,
			heap["HeapInuse"], heap["HeapAlloc"], (heap["Mallocs"]-heap["Frees"])*(1<<20), heap["NextGC"], heap["HeapIdle"]-heap["HeapReleased"], heap["Stack"],
			heap["MSpan"]+heap["MCache"]+heap["BuckHashSys"]+heap["GCSys"]+heap["OtherSys"])
		kinds, err := mapped(of.pid)
		if err != nil {
			return err
		}
		fmt.Printf("%s, MiB resident:", of.name)
		for _, k := range slices.SortedFunc(maps.Keys(kinds), func(a, b string) int { return cmp.Compare(kinds[b], kinds[a]) }) {
			fmt.Printf(" %s %.1f", k, float64(kinds[k])/1024)
		}
		fmt.Println()
	}
	return nil
}

// mapped is the resident memory of a process by file, in KiB (proc(5), smaps). "memory" is of none:
// Go's heap, stacks and the runtime's own, and what SQLite keeps.
func mapped(pid int) (map[string]int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return nil, err
	}
	kinds, kind := map[string]int64{}, ""
	for line := range bytes.Lines(text) {
		words := strings.Fields(string(line))
		if len(words) > 4 { // the head of a mapping: addresses, modes, offset, device, inode, name
			kind = "memory"
			if len(words) > 5 && strings.HasPrefix(words[5], "/") {
				kind = words[5][strings.LastIndexByte(words[5], '/')+1:]
			}
			continue
		}
		if words[0] == "Rss:" {
			n, _ := strconv.ParseInt(words[1], 10, 64)
			kinds[kind] += n
		}
	}
	return kinds, nil
}

// keepHeaps writes heap profiles of both processes to a folder, which it makes.
func keepHeaps(s *demo.Stack, folder, name string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for of, profiles := range map[string]string{"host": hostProfiles, "plugin": pluginProfiles} {
		data, err := getText(s.URL+profiles+"heap", s.Token)
		if err != nil {
			return err
		}
		if err := os.WriteFile(fmt.Sprintf("%s/%s-%s-heap.pb.gz", folder, name, of), []byte(data), 0o600); err != nil {
			return err
		}
	}
	return nil
}
