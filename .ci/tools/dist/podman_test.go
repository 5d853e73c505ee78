package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// contains is a script that loads the image, runs it by the command of the page on installing, and
// looks at its health as podman sees it: while it serves, while nothing can be written, and
// afterwards. podman's timers need systemd, so each look is asked for. crun takes no machine whose
// control groups are of both versions: only those of one are seen here.
const contains = `set -e
mount --bind "$DIR" /mnt # of this namespace alone: podman takes no long paths
DIR=/mnt
umount /sys/fs/cgroup/unified 2>/dev/null || true
export DISABLE_HC_SYSTEMD=true
podman() { command podman --root "$DIR/storage" --runroot "$DIR/run" --tmpdir "$DIR/tmp" --storage-driver vfs --runtime crun --cgroup-manager cgroupfs --events-backend none "$@"; }
trap '[ $? = 0 ] || podman logs hotline; podman rm -f -t 0 hotline >/dev/null' EXIT
cd "$DIR"
health() { podman inspect --format '{{.State.Health.Status}}' hotline; }
looks() { # looks WANTED: looks until the health is as wanted
	for try in $(seq 100); do
		podman healthcheck run hotline >/dev/null 2>&1 || true
		[ "$(health)" = "$1" ] && return
		sleep 0.3
	done
	echo "the health is $(health), and not $1"; return 1
}
eval "$COMMANDS"
[ "$(health)" = starting ]
looks healthy
podman exec hotline switchboard status --ready
process=$(podman inspect --format '{{.State.Pid}}' hotline)
[ "$process" -gt 1 ] && [ "$(stat -c %u:%g /proc/$process)" = 65532:65532 ]
grep -Eq '^CapEff:.0+$' /proc/$process/status
if touch /proc/$process/root/usr/probe 2>/dev/null; then echo "the root can be written"; exit 1; fi
data=$DIR/storage/volumes/hotline/_data
[ "$(stat -c %u:%a "$data")" = 65532:700 ]
chown 0 "$data"; chmod 555 "$data"
looks unhealthy
chown 65532 "$data"; chmod 700 "$data"
looks healthy
podman stop -t 45 hotline >/dev/null
[ "$(podman inspect --format '{{.State.ExitCode}}' hotline)" = 0 ]
echo whole
`

// imageIsHealthy runs the commands of docs/install.md with podman.
func imageIsHealthy(t *testing.T, folder string) {
	if _, err := exec.LookPath("podman"); err != nil {
		missing(t, "podman")
	}
	if os.Geteuid() != 0 {
		missing(t, "the right to make control groups")
	}
	dir := t.TempDir()
	output(t, "cp", only(t, folder, "*_image.oci.tar"), dir)
	if err := os.WriteFile(filepath.Join(dir, "switchboard.yaml"), []byte(firstFile), 0o644); err != nil { //nolint:gosec // the image's user reads it
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(repository, "docs/install.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```text\n(podman load.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("docs/install.md says no command of podman")
	}
	// A port, control groups and high limits need rights that not every machine of CI gives.
	commands := strings.Replace(string(block[1]), "-p 127.0.0.1:8080:8080", "--network none --cgroups disabled --ulimit nofile=4096:4096 --ulimit nproc=4096:4096", 1)
	if commands == string(block[1]) {
		t.Fatalf("docs/install.md shows no port:\n%s", commands)
	}
	cmd := exec.Command("unshare", "--mount", "bash", "-c", contains)
	cmd.Env = append(os.Environ(), "DIR="+dir, "COMMANDS="+commands)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.HasSuffix(string(out), "whole\n") {
		t.Errorf("the script has ended early: %v\n%s", err, out)
	}
}
