package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// boots is a script that makes a copy of this machine whose changes are gone afterwards, with
// devices and control groups of its own, and makes systemd its first process. systemd starts one
// unit, which runs /probe, and then ends. Nothing that this machine starts by itself is started
// there.
const boots = `set -e
mount -t tmpfs tmpfs "$DIR" && cd "$DIR" && mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
cd root
mkdir release out && mount --bind "$RELEASE" release && mount --bind "$OUT" out
mount -t proc proc proc && mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run && mount -t tmpfs -o mode=1777 tmpfs tmp
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
	mount -t cgroup2 cgroup2 sys/fs/cgroup
else
	mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup && mkdir sys/fs/cgroup/systemd
	mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
	: >dev/$device && mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm && mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx && ln -s /proc/self/fd dev/fd
rm -rf etc/systemd/system/*.wants etc/fstab
: >etc/machine-id
printf %s "$PROBE" >probe
cat >etc/systemd/system/probe.service <<'UNIT'
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/sh /probe
ExecStopPost=/bin/systemctl --no-block exit
StandardOutput=file:/out/said
StandardError=file:/out/said
UNIT
pivot_root . mnt && umount -l /mnt
exec env -i container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=probe.service
`

// lives is a script that takes the service of the package through its life, as the page on
// installing says and as init says at its end.
const lives = `set -e
trap '[ $? = 0 ] || { systemctl status --no-pager switchboard; journalctl --no-pager -u switchboard | tail -n 60; }' EXIT
cd /tmp
ready() {
	for try in $(seq 300); do
		(set -a; . /etc/livecall/environment; exec runuser -u livecall -- switchboard status --ready) >/dev/null 2>&1 && return
		sleep 0.2
	done
	echo "the service is not ready: $1"; return 1
}
main() { systemctl show -P MainPID switchboard; }
another() { # another PID: waits until the service has another process
	for try in $(seq 300); do
		now=$(main)
		[ "$now" != 0 ] && [ "$now" != "$1" ] && return
		sleep 0.2
	done
	echo "the service has still the process $1"; return 1
}

dpkg -i /release/*.deb >/dev/null
systemctl start switchboard
[ "$(systemctl is-active switchboard)" = inactive ] # there is nothing to serve yet
runuser -u livecall -- switchboard init --config /var/lib/livecall/switchboard.yaml --yes --person 'Alice Example' --phone +12025550143 >/tmp/said
cat /tmp/said
sed -n 's/^  [0-9]\. .*:  sudo //p' /tmp/said >/tmp/steps
[ "$(wc -l </tmp/steps)" = 3 ]
sh -ec "$(sed -n 1p /tmp/steps)"
sh -ec "$(sed -n 2p /tmp/steps)"
ready 'after its start'
sh -ec "$(sed -n 3p /tmp/steps)" | tee /tmp/doctor
grep -q 'ok: the settings can be used' /tmp/doctor
[ "$(systemctl is-enabled switchboard)" = enabled ]

first=$(main)
[ "$(stat -c %U /proc/$first)" = livecall ]
grep -Eq '^CapEff:.0+$' /proc/$first/status
grep -Eq '^NoNewPrivs:.1$' /proc/$first/status
grep -Eq '^Seccomp:.2$' /proc/$first/status
nsenter -t $first -m -- touch /var/lib/livecall/probe && rm /var/lib/livecall/probe
for place in /usr /etc /opt; do
	if nsenter -t $first -m -- touch $place/probe 2>/dev/null; then echo "the service may write to $place"; exit 1; fi
done

kill -KILL $first
another $first
ready 'after its process was killed'
[ "$(systemctl show -P NRestarts switchboard)" = 1 ]

second=$(main)
dpkg-deb -R /release/*.deb /tmp/newer
sed -i 's/^Version: .*/Version: 9.9.9/' /tmp/newer/DEBIAN/control
dpkg-deb -Znone -b /tmp/newer /tmp/newer.deb >/dev/null
dpkg -i /tmp/newer.deb >/dev/null
another $second
ready 'after an upgrade of the package'

began=$(date +%s%N)
systemctl stop switchboard
echo "stopped after $((($(date +%s%N) - began) / 1000000)) ms"
[ "$(systemctl is-active switchboard)" = inactive ]
[ "$(systemctl show -P Result switchboard)" = success ]
if ps -o args= -u livecall; then echo "a process was left"; exit 1; fi
systemd-analyze security --no-pager switchboard | tail -n 1

systemctl start switchboard
ready 'after it was started again'
dpkg -P livecall >/dev/null
if ps -o args= -u livecall; then echo "the service goes on without its package"; exit 1; fi
[ ! -e /etc/systemd/system/multi-user.target.wants/switchboard.service ]
[ -e /var/lib/livecall/switchboard-data/switchboard.db ]
echo whole
`

// serviceLives runs the package's service by systemd itself.
func serviceLives(t *testing.T, release string) {
	if os.Geteuid() != 0 {
		missing(t, "the right to mount")
	}
	if _, err := os.Stat("/lib/systemd/systemd"); err != nil {
		missing(t, "systemd")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out := t.TempDir()
	// The control groups of systemd are below one that is removed afterwards.
	groups := "/sys/fs/cgroup"
	if _, err := os.Stat(groups + "/cgroup.controllers"); err != nil {
		groups += "/systemd"
	}
	group := filepath.Join(groups, fmt.Sprintf("livecall-test-%d", os.Getpid()))
	if err := os.Mkdir(group, 0o755); err != nil {
		missing(t, "the right to make control groups: "+err.Error())
	}
	t.Cleanup(func() {
		if said, err := exec.Command("find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";").CombinedOutput(); err != nil {
			t.Errorf("control groups are left: %v\n%s", err, said)
		}
	})
	cmd := exec.CommandContext(ctx, "sh", "-c", `echo $$ >"$0/cgroup.procs" && exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup sh -c "$BOOTS"`, group)
	cmd.Env = append(os.Environ(), "BOOTS="+boots, "PROBE="+lives, "RELEASE="+release, "OUT="+out, "DIR="+t.TempDir())
	booted, err := cmd.CombinedOutput()
	said, _ := os.ReadFile(filepath.Join(out, "said")) // shown in any case
	if !strings.HasSuffix(string(said), "whole\n") {
		t.Fatalf("the script has ended early, systemd with %v:\n%s\n%s", err, said, booted)
	}
	for _, figure := range regexp.MustCompile(`(?m)^(stopped after|→ Overall).*$`).FindAllString(string(said), -1) {
		t.Log(figure)
	}
}
