package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU times in /proc: 100 a second on every Linux that Go runs on (proc(5)).
const clockTick = 10 * time.Millisecond

// cpu is the CPU time that processes and all that they have started have used so far (Linux). What has
// ended counts with whoever waited for it.
func cpu(pids ...int) time.Duration {
	parents, used := map[int]int{}, map[int]time.Duration{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has just ended
		}
		// The name in brackets may hold blanks: fields are counted from behind it, the state being the
		// first, the parent the second, and four CPU times from the twelfth on (proc(5)).
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 15 {
			continue
		}
		parents[pid], _ = strconv.Atoi(fields[1])
		for _, f := range fields[11:15] {
			n, _ := strconv.Atoi(f)
			used[pid] += time.Duration(n) * clockTick
		}
	}
	total := time.Duration(0)
	for pid := range used {
		for up := pid; up > 1; up = parents[up] {
			if contains(pids, up) {
				total += used[pid]
				break
			}
		}
	}
	return total
}

func contains(pids []int, pid int) bool {
	for _, p := range pids {
		if p == pid {
			return true
		}
	}
	return false
}
