package launcher

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// TestAPluginOutlivesTheThreadsOfItsHost: Linux sends a death signal when the thread that started
// the process ends, and a host's threads come and go.
func TestAPluginOutlivesTheThreadsOfItsHost(t *testing.T) {
	dir := t.TempDir()
	started, fifo := filepath.Join(dir, "started"), filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	endIdleThreads(t) // the first one, which cannot end, is not used any more then
	c := script(t, fmt.Sprintf(": > %s; read -r line < %s; exit 5", started, fifo), true)

	// The goroutine that has started the process is held up where it notes the process's number:
	// its thread is free for others, unless it is kept.
	c.mu.Lock()
	result := make(chan error, 1)
	go func() { result <- c.Start(t.Context()) }()
	eventually(t, "the process runs", func() bool { _, err := os.Stat(started); return err == nil })
	endIdleThreads(t)
	c.mu.Unlock()
	if err := <-result; err != nil {
		t.Fatal(err)
	}

	// Opened for both, so that it is open though nobody reads.
	pipe, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if _, err := pipe.WriteString("go on\n"); err != nil {
		t.Fatal(err)
	}
	ends(t, "the end of the process", c.exited)
	if got := c.exit(); got != "exit status 5" {
		t.Errorf("the process ended with %q, want its own exit status 5", got)
	}
}

// endIdleThreads ends all threads of this process on which no goroutine is kept: a thread ends with
// the goroutine that was locked to it.
func endIdleThreads(t *testing.T) {
	t.Helper()
	before, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	var locked sync.WaitGroup
	end := make(chan struct{})
	threads := make([]int, len(before)+20) // more than can be idle: they take those first
	for i := range threads {
		locked.Add(1)
		go func() {
			runtime.LockOSThread()
			threads[i] = syscall.Gettid()
			locked.Done()
			<-end
		}()
	}
	locked.Wait()
	close(end)
	for _, id := range threads {
		if id == os.Getpid() {
			continue // the first thread stays until the process ends
		}
		eventually(t, "a thread ends", func() bool {
			_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", id))
			return os.IsNotExist(err)
		})
	}
}
