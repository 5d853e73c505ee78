//go:build unix

package tempdir_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/livecallrouting/livecall/internal/tempdir"
	"github.com/livecallrouting/livecall/internal/tied"
)

// ownerVariable makes the test binary a process that makes a directory below its value.
const ownerVariable = "TEMPDIR_OWNER"

func TestMain(m *testing.M) {
	base := os.Getenv(ownerVariable)
	if base == "" {
		os.Exit(m.Run())
	}
	d, err := tempdir.New(base, "own-")
	if err == nil {
		err = os.WriteFile(filepath.Join(d.Path, "data"), []byte("of the owner"), 0o600)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(d.Path)
	_, _ = os.Stdin.Read(make([]byte, 1)) // until it is killed
}

func TestADirectoryOfAKilledProcessIsRemovedByALaterOne(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	owner := exec.CommandContext(t.Context(), os.Args[0])
	owner.Env = append(os.Environ(), ownerVariable+"="+base)
	in, err := owner.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tied.Start(owner); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	path := strings.TrimSpace(line)
	if err != nil || !there(path) {
		t.Fatalf("%q: %v", line, err)
	}
	tempdir.Sweep(base, "own-")
	if !there(filepath.Join(path, "data")) {
		t.Error("what is in use was removed")
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	tempdir.Sweep(base, "own-")
	if there(path) {
		t.Error("what a killed process has left is still there")
	}
}

func TestASweepLeavesWhatIsInUseAndWhatHasAnotherName(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	inUse, err := tempdir.New(base, "own-")
	if err != nil {
		t.Fatal(err)
	}
	foreign := []string{filepath.Join(base, "other-1"), filepath.Join(base, "own-notes"), filepath.Join(base, "own-2")}
	for _, dir := range foreign[:2] {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(foreign[2], nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tempdir.Sweep(base, "own-")
	for _, path := range append(foreign, inUse.Path) {
		if !there(path) {
			t.Errorf("%s was removed", path)
		}
	}
	if err := inUse.Remove(); err != nil || there(inUse.Path) {
		t.Errorf("removed by its owner: %v", err)
	}
}

// A sweep may come between the making of a directory and its lock.
func TestDirectoriesAreMadeWhileOthersSweep(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	stop := make(chan struct{})
	var sweeps sync.WaitGroup
	for range 2 {
		sweeps.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					tempdir.Sweep(base, "own-")
				}
			}
		})
	}
	for range 100 {
		d, err := tempdir.New(base, "own-")
		if err != nil {
			t.Error(err)
			break
		}
		if !there(d.Path) {
			t.Errorf("%s was removed although it is in use", d.Path)
		}
		if err := d.Remove(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	sweeps.Wait()
}

func TestADirectoryThatCannotBeMadeIsAnError(t *testing.T) {
	t.Parallel()
	if d, err := tempdir.New(filepath.Join(t.TempDir(), "missing"), "own-"); err == nil {
		t.Errorf("made %s", d.Path)
	}
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
