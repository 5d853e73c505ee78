package main

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// firstFile is a switchboard file.
const firstFile = `users:
  - {id: alice, name: Alice Example, phones: ["+12025550143"]}
teams: [{id: devops, name: DevOps, members: [alice], schedule: {timezone: Europe/Berlin, layers: [{users: [alice]}]}}]
`

// imageServes unpacks the image and runs it as a container engine would: its files as a read-only
// root, its user, its entry point, and its health check.
func imageServes(t *testing.T, folder string) {
	if os.Geteuid() != 0 {
		missing(t, "the right to mount")
	}
	img := imageIn(t, only(t, folder, "*_image.oci.tar"))
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c := config.Config
	if c.User != "65532:65532" || c.Healthcheck == nil || strings.Join(c.Healthcheck.Test, " ") != "CMD /usr/bin/switchboard status --ready" {
		t.Errorf("user %q, health check %+v", c.User, c.Healthcheck)
	}
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	unpackImage(t, img, root)
	if err := os.WriteFile(filepath.Join(root, "etc/livecall/switchboard.yaml"), []byte(firstFile), 0o644); err != nil {
		t.Fatal(err)
	}
	script := `set -e
cd "$0"
mount --bind root root && mount -t proc proc root/proc && mount --bind /dev root/dev
mount -t tmpfs -o mode=1777 tmpfs root/tmp && mount -t tmpfs -o mode=700,uid=65532,gid=65532 tmpfs root/var/lib/livecall
mount -o remount,ro,bind root
image="env -i $ENVIRONMENT SWITCHBOARD_LISTEN=127.0.0.1:0 /usr/sbin/chroot --userspec=65532:65532 --groups= root"
$image ` + c.Entrypoint[0] + ` serve >log 2>&1 &
for try in $(seq 300); do
	$image ` + strings.Join(c.Healthcheck.Test[1:], " ") + ` 2>/dev/null && break
	kill -0 $! || { cat log; exit 1; }
	sleep 0.2
done
$image ` + strings.Join(c.Healthcheck.Test[1:], " ") + `
kill $!; wait $!
echo whole
`
	t.Setenv("ENVIRONMENT", strings.Join(c.Env, " "))
	if out := output(t, "unshare", "--mount", "--pid", "--fork", "sh", "-c", script, dir); !strings.Contains(out, "whole") {
		t.Errorf("the script has ended early:\n%s", out)
	}
}

// imageIn is the one image of an archive.
func imageIn(t *testing.T, archive string) v1.Image {
	t.Helper()
	dir := t.TempDir()
	output(t, "tar", "-xf", archive, "-C", dir)
	outer, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := outer.IndexManifest()
	if err != nil || len(list.Manifests) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	inner, err := outer.ImageIndex(list.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if list, err = inner.IndexManifest(); err != nil || len(list.Manifests) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	img, err := inner.Image(list.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// unpackImage writes the files of an image, each with the owner and the mode it has there.
func unpackImage(t *testing.T, img v1.Image, root string) {
	t.Helper()
	all := mutate.Extract(img)
	defer func() { _ = all.Close() }()
	file := filepath.Join(t.TempDir(), "files.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, all); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for in := tar.NewReader(f); ; {
		h, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == "bin/sh" || strings.HasSuffix(h.Name, "/sh") {
			t.Errorf("the image has a shell: %s", h.Name)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"proc", "dev"} { // which engines make
		if err := os.MkdirAll(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	output(t, "tar", "--numeric-owner", "-xpf", file, "-C", root)
}
