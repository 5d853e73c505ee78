package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// imageUser owns the data of the image: its number and its group's.
const imageUser = 65532

// image writes one image for each Linux, all in one archive of the OCI image layout. It has no
// shell and no package: the programs are static, and bring time zones along. Without a Linux among
// the platforms there is none. The OCI index says which image is whose.
func (r *release) image() error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	found := false
	for _, t := range r.built {
		goos, arch, _ := strings.Cut(t.platform, "-")
		if goos != "linux" {
			continue
		}
		img, err := r.imageOf(t, arch)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: goos, Architecture: arch}},
		})
		found = true
	}
	if !found {
		return nil
	}
	folder := filepath.Join(r.work, "image")
	laid, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	err = laid.AppendIndex(index, layout.WithAnnotations(map[string]string{
		// For podman and skopeo.
		"org.opencontainers.image.ref.name": "livecall:" + r.source.version,
		"io.containerd.image.name":          "docker.io/library/livecall:" + r.source.version,
	}))
	if err != nil {
		return err
	}
	return r.packImage(folder)
}

// packImage writes a folder of the OCI image layout as one file. Docker and podman load it as it
// is.
func (r *release) packImage(folder string) error {
	var entries []entry
	err := filepath.WalkDir(folder, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, file)
		entries = append(entries, entry{name: filepath.ToSlash(name), file: file})
		return err
	})
	if err != nil {
		return err
	}
	f, err := os.Create(r.name("livecall", "_image.oci.tar"))
	if err != nil {
		return err
	}
	return errors.Join(writeTar(f, r.source.committed, entries), f.Close())
}

// imageOf is the image of one platform. Two layers: the upper one, with the programs, is all that a
// new release changes.
func (r *release) imageOf(t target, arch string) (v1.Image, error) {
	var authorities bytes.Buffer
	for root := range bundle.Roots() {
		// The file cannot say that only some certificates of it are trusted.
		if root.Constraint == nil {
			if err := pem.Encode(&authorities, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
				return nil, err
			}
		}
	}
	// Programs look up their user, trust authorities and want a /tmp; nothing else is in it.
	base := []entry{
		{name: "etc/passwd", data: []byte("livecall:x:65532:65532::/var/lib/livecall:/sbin/nologin\n")},
		{name: "etc/group", data: []byte("livecall:x:65532:\n")},
		{name: "etc/ssl/certs/ca-certificates.crt", data: authorities.Bytes()},
		{name: "etc/livecall", dir: true},
		{name: "tmp", dir: true, mode: 0o1777},
		{name: "var/lib/livecall", dir: true, mode: 0o700, owner: imageUser},
	}
	for _, e := range r.shared {
		if strings.HasPrefix(e.name, "LICENSE") {
			e.name = "usr/share/doc/livecall/" + e.name
			base = append(base, e)
		}
	}
	programs := append(below("usr/lib/livecall/plugins/livecall", t.pluginFiles()),
		entry{name: "usr/lib/livecall/switchboard", file: t.switchboard(), executable: true},
		entry{name: "usr/bin/switchboard", link: "../lib/livecall/switchboard"})
	img := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	for _, entries := range [][]entry{base, programs} { // the one that changes last
		layer, err := r.layer(entries)
		if err != nil {
			return nil, err
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			return nil, err
		}
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	// The library shares it with the image.
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", arch, v1.Time{Time: r.source.committed}
	config.Config = r.imageConfig()
	return mutate.ConfigFile(img, config)
}

// layer makes a layer of entries, in memory.
func (r *release) layer(entries []entry) (v1.Layer, error) {
	var data bytes.Buffer
	if err := writeTar(&data, r.source.committed, entries); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

// imageConfig is how the image is run. Nothing needs to be written but the volume and /tmp. It runs
// as a user without rights, whose number volumes have to fit.
func (r *release) imageConfig() v1.Config {
	return v1.Config{
		User:       "65532:65532",
		Entrypoint: []string{"/usr/bin/switchboard"},
		Cmd:        []string{"serve"},
		WorkingDir: "/var/lib/livecall",
		Env: []string{
			"PATH=/usr/bin", "SWITCHBOARD_LISTEN=:8080", "SWITCHBOARD_DATA_DIR=/var/lib/livecall",
			"SWITCHBOARD_CONFIG=/etc/livecall/switchboard.yaml",
		},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Volumes:      map[string]struct{}{"/var/lib/livecall": {}},
		StopSignal:   "SIGTERM",
		Healthcheck: &v1.HealthConfig{
			Test: []string{"CMD", "/usr/bin/switchboard", "status", "--ready"}, Interval: 15 * time.Second,
			Timeout: 10 * time.Second, StartPeriod: time.Minute, Retries: 3,
		},
		Labels: map[string]string{
			"org.opencontainers.image.title": "livecall", "org.opencontainers.image.version": r.source.version,
			"org.opencontainers.image.licenses": "Apache-2.0",
			"org.opencontainers.image.source":   homepage,
		},
	}
}
