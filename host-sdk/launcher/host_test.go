//go:build unix

package launcher

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/internal/tempdir"
)

// runHost is a host process: it launches a plugin, prints both numbers and waits to be killed.
func runHost() {
	p, err := Launch(context.Background(), Config{
		Dir:           os.Getenv("HOST_PLUGIN_DIR"),
		SocketDir:     os.Getenv("HOST_SOCKET_DIR"),
		Logger:        slog.New(slog.NewTextHandler(os.Stderr, nil)),
		ExtraEnv:      map[string]string{modeVariable: "good"},
		noDeathSignal: os.Getenv("HOST_NO_DEATH_SIGNAL") != "",
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(p.Status().PID)
	select {}
}

// TestNoOrphans: when the host is killed, its plugin ends too, by the system's signal or by its own
// watch over its parent; and the next host removes what is left.
func TestNoOrphans(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, noDeathSignal string
		freeze              bool
	}{
		{name: "death signal"},
		{name: "death signal to a frozen plugin", freeze: true},
		{name: "own watch", noDeathSignal: "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base := socketDir(t)
			host := exec.Command(self)
			host.Env = []string{
				modeVariable + "=host", "HOST_PLUGIN_DIR=" + sharedDir(t), "HOST_SOCKET_DIR=" + base,
				"HOST_NO_DEATH_SIGNAL=" + tt.noDeathSignal,
			}
			host.Stderr = os.Stderr
			stdout, err := host.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := host.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = host.Process.Kill(); _ = host.Wait() })
			line, err := bufio.NewReader(stdout).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			plugin, err := strconv.Atoi(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			if processGone(plugin) {
				t.Fatal("the process is gone")
			}
			if tt.freeze {
				stopProcess(t, plugin)
			}
			if err := host.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = host.Wait() // its files are closed, and so its lock is gone
			eventually(t, "the plugin ends", func() bool { return processGone(plugin) })

			entries, err := os.ReadDir(base)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if tt.noDeathSignal != "" {
					inside, err := os.ReadDir(base + "/" + e.Name())
					if err != nil {
						t.Fatal(err)
					}
					for _, file := range inside {
						if !file.IsDir() {
							t.Fatalf("the plugin has removed its socket, but %s is there", file.Name())
						}
					}
				}
			}
			tempdir.Sweep(base, dirPrefix)
			entries, err = os.ReadDir(base)
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) != 0 {
				t.Fatalf("entries is %v, want it empty", entries)
			}
		})
	}
}
