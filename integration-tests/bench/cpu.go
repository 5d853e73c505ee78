package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU times in /proc: 100 a second on every Linux that Go runs on
// (proc(5)).
const clockTick = 10 * time.Millisecond

// cpu is the CPU time that processes and all that they have started have used so far (Linux). What
// has ended counts with whoever waited for it.
func cpu(pids ...int) (total time.Duration) {
	for _, pid := range family(pids...) {
		total += cpuAlone(pid)
	}
	return total
}

// cpuAlone is the CPU time that a process has used without those that it has started.
func cpuAlone(pid int) (total time.Duration) {
	_, fields := stat(pid)
	for _, f := range fields {
		n, _ := strconv.Atoi(f)
		total += time.Duration(n) * clockTick
	}
	return total
}

// family are processes and all that they have started, and these have, as far as they run.
func family(pids ...int) (all []int) {
	parents := map[int]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			parents[pid], _ = stat(pid)
		}
	}
	for pid := range parents {
		for up := pid; up > 1; up = parents[up] {
			if slices.Contains(pids, up) {
				all = append(all, pid)
				break
			}
		}
	}
	return all
}

// stat is the parent of a process and the four CPU times of its own and of the children that it
// waited for; nothing of one that has ended.
func stat(pid int) (parent int, times []string) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, nil
	}
	// The name in brackets may hold blanks: fields are counted from behind it, the state being the
	// first, the parent the second, and four CPU times from the twelfth on (proc(5)).
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return 0, nil
	}
	parent, _ = strconv.Atoi(fields[1])
	return parent, fields[11:15]
}
