package tied_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/internal/tied"
)

// parentVariable makes the test binary the parent of a sleeping program.
const parentVariable = "TIED_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) == "" {
		os.Exit(m.Run())
	}
	child := exec.Command("sleep", "600")
	if err := tied.Start(child); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(child.Process.Pid)
	_ = child.Wait()
}

func TestAProgramEndsWhenTheOneThatStartedItIsKilled(t *testing.T) {
	t.Parallel()
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), parentVariable+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tied.Start(parent); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, bad := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || bad != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if !runs(pid) {
		t.Fatal("the program does not run")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	for deadline := time.Now().Add(time.Minute); runs(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d runs on", pid)
		}
	}
}

func TestAProgramRunsAsLongAsItLikes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"true", "false"} {
		cmd := exec.CommandContext(t.Context(), name)
		if err := tied.Start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); (err == nil) != (name == "true") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := tied.Start(exec.CommandContext(t.Context(), "/nonexistent")); err == nil {
		t.Error("a program that does not exist was started")
	}
}

// runs is false for a process that has ended, even if nobody has asked for its status.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return err == nil && len(rest) > 0 && rest[0] != 'Z' && rest[0] != 'X'
}
