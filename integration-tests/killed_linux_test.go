package integrationtests

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/internal/tied"
)

// killedRunVariable makes the test binary a run of tests that has a hotline and does not end: its
// value is the path of switchboard.
const killedRunVariable = "LIVECALL_KILLED_RUN"

func init() {
	path := os.Getenv(killedRunVariable)
	if path == "" {
		return
	}
	stack, err := demo.Start(context.Background(), demo.Config{Switchboard: path, File: "testdata/hotline.yaml"})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(stack.Process.Process.Pid)
	select {}
}

func TestAKilledRunLeavesNoProgramBehind(t *testing.T) {
	t.Parallel()
	run := exec.CommandContext(t.Context(), os.Args[0])
	run.Env = append(os.Environ(), killedRunVariable+"="+binaries+"/switchboard")
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tied.Start(run); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	host, bad := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || bad != nil {
		t.Fatalf("%q: %v", line, err)
	}
	programs := append(children(t, host), host)
	if len(programs) != 2 {
		t.Errorf("switchboard has the programs %v, want one plugin", programs)
	}
	if err := run.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	h := &hotline{t: t}
	for _, pid := range programs {
		h.eventually(fmt.Sprintf("process %d has ended", pid), func() bool {
			state, _ := status(pid)
			return state == 0 || state == 'Z'
		})
	}
}

// children are the processes that a process has started and that run.
func children(t *testing.T, parent int) []int {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, dir := range all {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if state, of := status(pid); of == parent && state != 'Z' {
			found = append(found, pid)
		}
	}
	return found
}

// status is a process's state, as in proc(5), and its parent; 0: there is no such process.
func status(pid int) (state byte, parent int) {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	_, _ = fmt.Sscanf(string(rest), "%c %d", &state, &parent)
	return state, parent
}
