package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"aead.dev/minisign"
	"github.com/compose-spec/compose-go/v2/cli"
)

var built = flag.String("built", "", "folder of a release of this platform that is looked at, in place of building one")

// repository is the checkout.
const repository = "../../.."

// output runs a command and returns all it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// missing skips a test whose component is missing, but not in CI.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what + " is missing")
	}
	t.Skip(what + " is missing")
}

// released is a release of this platform, signed with a new key, whose public part it returns.
func released(t *testing.T) (folder, key string) {
	t.Helper()
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if *built != "" {
		src, err := open(repository)
		if err != nil {
			t.Fatal(err)
		}
		folder = t.TempDir()
		if err := os.CopyFS(folder, os.DirFS(*built)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.RemoveAll(filepath.Join(folder, sumsName)), (&release{source: src, out: folder}).finish(&private)); err != nil {
			t.Fatal(err)
		}
		return folder, public.String()
	}
	encrypted, err := minisign.EncryptKey("a password", private)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(keyVariable, string(encrypted))
	t.Setenv(passwordVariable, "a password")
	folder = t.TempDir()
	if err := run(repository, folder, []string{hostPlatform()}); err != nil {
		t.Fatal(err)
	}
	return folder, public.String()
}

// only is the one file of a release with this ending.
func only(t *testing.T, folder, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found[0]
}

// TestARelease holds what make dist builds to what people do with it.
func TestARelease(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("packages and image are looked at on Linux")
	}
	folder, key := released(t)
	t.Run("minisign accepts every signature, and none of a changed file", func(t *testing.T) { signatures(t, folder, key) })
	t.Run("every link of an unpacked archive leads somewhere", func(t *testing.T) {
		dir := t.TempDir()
		output(t, "tar", "-xzf", only(t, folder, "livecall_*.tar.gz"), "-C", dir)
		linksLead(t, dir)
	})
	t.Run("every link of an unpacked package leads somewhere", func(t *testing.T) {
		dir := t.TempDir()
		output(t, "dpkg-deb", "-x", only(t, folder, "livecall_*.deb"), dir)
		linksLead(t, dir)
	})
	t.Run("packages name where they come from", func(t *testing.T) { origins(t, folder) })
	t.Run("switchboard installs the archive of the plugin", func(t *testing.T) { pluginInstalls(t, folder, key) })
	t.Run("dpkg installs the package, and it serves", func(t *testing.T) {
		inMachine(t, folder, "dpkg -i /release/*.deb >/dev/null", upgrades+"dpkg -P livecall >/dev/null 2>&1")
	})
	t.Run("rpm installs the package, and it serves", func(t *testing.T) {
		if _, err := exec.LookPath("rpm"); err != nil {
			missing(t, "rpm")
		}
		inMachine(t, folder, "rpm -i --nodeps /release/*.rpm >/dev/null", "rpm -e --nodeps livecall >/dev/null")
	})
	t.Run("systemd starts, restarts, upgrades and stops the service of the package", func(t *testing.T) { serviceLives(t, folder) })
	t.Run("the image serves as its user, without a writable root", func(t *testing.T) { imageServes(t, folder) })
	t.Run("podman runs the image, and sees whether it is healthy", func(t *testing.T) { imageIsHealthy(t, folder) })
}

func signatures(t *testing.T, folder, key string) {
	if _, err := exec.LookPath("minisign"); err != nil {
		missing(t, "minisign")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.minisig"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d signatures, %v", len(files), err)
	}
	for _, file := range files {
		output(t, "minisign", "-q", "-V", "-P", key, "-m", strings.TrimSuffix(file, ".minisig"))
	}
	list := filepath.Join(folder, sumsName)
	sums, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(t.TempDir(), sumsName)
	if err := os.WriteFile(changed, bytes.Replace(sums, []byte("0"), []byte("1"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("minisign", "-V", "-P", key, "-x", list+".minisig", "-m", changed).CombinedOutput(); err == nil {
		t.Errorf("minisign accepts a changed file:\n%s", out)
	}
	output(t, "sh", "-c", "cd "+folder+" && sha256sum -c --quiet "+sumsName)
}

// origins wants of each package the address of the project, and no address of mail, as nobody reads
// one.
func origins(t *testing.T, folder string) {
	deb := output(t, "dpkg-deb", "--field", only(t, folder, "livecall_*.deb"), "Package", "Version", "Maintainer", "Homepage", "Vendor", "License")
	rpm := ""
	if _, err := exec.LookPath("rpm"); err != nil {
		missing(t, "rpm")
	} else {
		rpm = output(t, "rpm", "-qp", "--qf", `%{NAME} %{VERSION} %{PACKAGER} %{VENDOR} %{URL} %{LICENSE} %{BUILDHOST}`, only(t, folder, "livecall_*.rpm"))
	}
	for _, said := range []string{deb, rpm} {
		if strings.Count(said, homepage) != 2 || strings.Contains(said, "@") || strings.Contains(said, "(none)") {
			t.Errorf("a package says %q: want %s as its home and its maintainers' place, and no mail address", said, homepage)
		}
	}
}

func pluginInstalls(t *testing.T, folder, key string) {
	dir := t.TempDir()
	output(t, "tar", "-xzf", only(t, folder, "livecall_*.tar.gz"), "-C", dir, "--strip-components=1")
	switchboard := func(args ...string) string {
		return output(t, filepath.Join(dir, "switchboard"), args...)
	}
	t.Setenv("SWITCHBOARD_DATA_DIR", filepath.Join(dir, "data"))
	t.Setenv("SWITCHBOARD_PLUGIN_DIR", filepath.Join(dir, "others"))
	if err := os.Mkdir(filepath.Join(dir, "others"), 0o755); err != nil {
		t.Fatal(err)
	}
	switchboard("plugin", "trust", key)
	if out := switchboard("plugin", "install", only(t, folder, "livecall-plugin_*.tar.gz")); !strings.Contains(out, "is installed, signed by") {
		t.Errorf("plugin install printed %q", out)
	}
}

// serves is a script that sets an installed switchboard up as its user, with the settings where the
// service reads them, starts it and waits until it is ready.
const serves = `
cd /tmp
as="setpriv --reuid livecall --regid livecall --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
$as switchboard plugin list | grep ' ok'
$as switchboard init --config /var/lib/livecall/switchboard.yaml --yes --person 'Alice Example' --phone +12025550143 >/tmp/said
cat /tmp/said
if grep -q 'Install the plugin' /tmp/said; then exit 1; fi
cat /var/lib/livecall/switchboard.env >>/etc/livecall/environment
set -a
SWITCHBOARD_CONFIG=/etc/livecall/switchboard.yaml SWITCHBOARD_DATA_DIR=/var/lib/livecall
. /etc/livecall/environment
SWITCHBOARD_LISTEN=127.0.0.1:0
set +a
$as switchboard serve >/tmp/log 2>&1 &
pid=$!
for try in $(seq 300); do
	$as switchboard status --ready 2>/dev/null && break
	kill -0 $pid || { cat /tmp/log; exit 1; }
	sleep 0.2
done
$as switchboard status --ready
kill $pid; wait $pid
`

// upgrades is a script that installs plugins of its own beside the package, and upgrades the
// package: neither writes over the other's.
const upgrades = `
if switchboard plugin install --unsigned /usr/lib/livecall/plugins/livecall 2>/tmp/refused; then
	echo "the package's own folder was changed"; exit 1
fi
grep -q 'it belongs to a package' /tmp/refused || { cat /tmp/refused; exit 1; }
mkdir -p /opt/livecall/plugins
export SWITCHBOARD_PLUGIN_DIR=/opt/livecall/plugins
switchboard plugin install --unsigned /usr/lib/livecall/plugins/livecall
$as switchboard plugin list | grep ' ok'
state() { find /opt/livecall -printf '%p %l %T@\n' | sort; sha256sum /opt/livecall/plugins/livecall/livecall; cat /etc/livecall/environment; }
state >/tmp/before
dpkg-deb -R /release/*.deb /tmp/newer
sed -i 's/^Version: .*/Version: 9.9.9/' /tmp/newer/DEBIAN/control
echo newer >>/tmp/newer/usr/lib/livecall/plugins/livecall/livecall
dpkg-deb -Znone -b /tmp/newer /tmp/newer.deb >/dev/null
dpkg -i /tmp/newer.deb >/dev/null
[ "$(tail -c 6 /usr/lib/livecall/plugins/livecall/livecall)" = newer ]
state | cmp /tmp/before -
`

// inMachine installs a package on a copy of this machine whose changes are gone afterwards, and
// starts what it installs.
func inMachine(t *testing.T, release, install, remove string) {
	if os.Geteuid() != 0 {
		missing(t, "the right to mount")
	}
	dir := t.TempDir()
	inside := "set -e\n" + install + `
getent passwd livecall | grep /usr/sbin/nologin
[ "$(stat -c '%U %a' /var/lib/livecall)" = 'livecall 700' ]
[ "$(stat -c '%U %a' /etc/livecall/environment)" = 'root 600' ]
[ -s /usr/share/doc/livecall/LICENSES.txt ] && [ -s /usr/share/doc/livecall/copyright ]
` + serves + remove + `
[ ! -e /usr/bin/switchboard ] && [ -e /var/lib/livecall/switchboard-data/switchboard.db ]
echo whole
`
	script := fmt.Sprintf(`set -e
mount -t tmpfs tmpfs %[1]s && cd %[1]s && mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
mkdir root/release && mount --bind %[2]s root/release
mount -t tmpfs -o mode=1777 tmpfs root/tmp && mount -t proc proc root/proc && mount --bind /dev root/dev
chroot root env -u TMPDIR sh -c "$0"`, dir, release)
	if out := output(t, "unshare", "--mount", "--pid", "--fork", "sh", "-c", script, inside); !strings.Contains(out, "whole") {
		t.Errorf("the script has ended early:\n%s", out)
	}
}

// TestTheUnitIsHardened rates the service as systemd does.
func TestTheUnitIsHardened(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		missing(t, "systemd-analyze")
	}
	out := output(t, "systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=20", filepath.Join(repository, ".ci/dist/switchboard.service"))
	lines := strings.Split(strings.TrimSpace(out), "\n")
	t.Log(lines[len(lines)-1])
}

// TestComposeFile loads the file as compose does.
func TestComposeFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(repository, ".ci/dist/compose.yaml")
	load := func(env ...string) (int, error) {
		options, err := cli.NewProjectOptions([]string{file}, cli.WithEnv(env), cli.WithInterpolation(true))
		if err != nil {
			t.Fatal(err)
		}
		project, err := options.LoadProject(t.Context())
		if err != nil {
			return 0, err
		}
		for _, name := range []string{"switchboard-1", "switchboard-2"} {
			if s := project.Services[name]; !s.ReadOnly || len(s.CapDrop) != 1 || s.Environment["SWITCHBOARD_DATABASE_URL"] == nil || s.HealthCheck == nil {
				t.Errorf("%s is not confined, has no database, or no health check: %+v", name, s)
			}
		}
		return len(project.Services), nil
	}
	secrets := []string{"POSTGRES_PASSWORD=p", "SWITCHBOARD_SECRET_KEY=k", "SWITCHBOARD_API_TOKEN=t"}
	if n, err := load(append(secrets, "HOTLINE_DOMAIN=hotline.example.com")...); err != nil || n != 4 {
		t.Errorf("%d services, %v", n, err)
	}
	if _, err := load(secrets...); err == nil || !strings.Contains(err.Error(), "HOTLINE_DOMAIN") {
		t.Errorf("without a domain: %v", err)
	}
}

// TestComposeProxy has Caddy read the file that stands beside the compose file.
func TestComposeProxy(t *testing.T) {
	caddy, err := exec.LookPath("caddy")
	if err != nil {
		missing(t, "caddy")
	}
	t.Setenv("HOTLINE_DOMAIN", "hotline.example.com")
	said := output(t, caddy, "adapt", "--config", filepath.Join(repository, ".ci/dist/Caddyfile"), "--adapter", "caddyfile")
	for _, want := range []string{"hotline.example.com", "switchboard-1:8080", "switchboard-2:8080", "/readyz"} {
		if !strings.Contains(said, want) {
			t.Errorf("Caddy does not read %q:\n%s", want, said)
		}
	}
}
