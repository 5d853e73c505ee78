package installer

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// maxArchive bounds an archive, in bytes. It is held in memory, so that what is unpacked is what
// was verified.
const maxArchive = 128 << 20

// maxTrailer bounds what may follow the last entry: the zeros with which tar fills its last block.
const maxTrailer = 1 << 20

// errNoFile is the error for a device, a pipe or the like in the place of an archive.
var errNoFile = errors.New("is neither a file nor a folder: name the archive itself, or the folder with its " + manifest.FileName)

// readArchive reads a file within its limit. It is read once, so that what is verified cannot be
// exchanged before it is unpacked.
func readArchive(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// Of the open file, as a path could be another one a moment later.
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	data, err := io.ReadAll(io.LimitReader(f, maxArchive+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxArchive {
		return nil, fmt.Errorf("is larger than %d MiB", maxArchive>>20)
	}
	return data, nil
}

// unpackArchive writes the entries of a gzip-compressed tar archive. Those below one single folder,
// as archives often have it, are written as if they were at the top. data has been verified, which
// does not make its names and sizes harmless.
func unpackArchive(data []byte, into *unpacking) error {
	top, err := topFolder(data)
	if err != nil {
		return err
	}
	return eachEntry(data, func(h *tar.Header, content io.Reader) error {
		name := strings.TrimPrefix(h.Name, "./")
		if h.Typeflag == tar.TypeDir && (name == "" || name == "." || strings.TrimSuffix(name, "/")+"/" == top) {
			return nil
		}
		name, inside := strings.CutPrefix(name, top)
		if !inside {
			return fmt.Errorf("%.200q lies outside of %s, where the manifest is", h.Name, top)
		}
		if h.Typeflag == tar.TypeDir {
			return into.folder(name)
		}
		return into.file(name, h.Size, content)
	})
}

// topFolder is the folder, with a slash, in which the archive's manifest lies; "": at the top. The
// first manifest at the top or in a folder there counts.
func topFolder(data []byte) (string, error) {
	top, found := "", false
	err := eachEntry(data, func(h *tar.Header, _ io.Reader) error {
		name := strings.TrimPrefix(h.Name, "./")
		if path.Base(name) == manifest.FileName && strings.Count(name, "/") <= 1 && !found {
			top, found = strings.TrimSuffix(name, manifest.FileName), true
		}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("holds no %s, neither at its top nor in a folder there: it is not the archive of a plugin", manifest.FileName)
	}
	return top, err
}

// eachEntry calls use with each file and folder. Anything else, such as a link or a device, is an
// error, and so is what follows the end. It is run twice over the same data: to find the folder,
// and to unpack.
func eachEntry(data []byte, use func(*tar.Header, io.Reader) error) error {
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return errors.New("is not a gzip-compressed tar archive (.tar.gz): get the plugin's archive again")
	}
	// Entries are bounded one by one; this bounds what lies between them. Compressed zeros would
	// else keep the machine busy for minutes.
	all := &io.LimitedReader{R: bufio.NewReader(unzipped), N: maxUnpacked + maxEntries*4<<10 + maxTrailer}
	in := tar.NewReader(all)
	for entries := 1; ; entries++ {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return checkTrailer(all)
		}
		switch {
		case err != nil && all.N <= 0:
			return fmt.Errorf("unpacks to more than %d MiB", int64(maxUnpacked)>>20)
		case err != nil:
			return fmt.Errorf("cannot be read: %w: get it again", err)
		case entries > maxEntries:
			return fmt.Errorf("holds more than %d files and folders", maxEntries)
		case h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir:
			return fmt.Errorf("%.200q is a %s: only files and folders are accepted", h.Name, typeName(h.Typeflag))
		case h.Size > maxUnpacked:
			return fmt.Errorf("%.200q declares %d bytes: at most %d MiB are unpacked in all", h.Name, h.Size, int64(maxUnpacked)>>20)
		}
		if err := use(h, in); err != nil {
			return err
		}
	}
}

// checkTrailer reads to the end: nothing but zeros may follow the last entry, or other programs
// could find another plugin in the archive than this one has.
func checkTrailer(rest io.Reader) error {
	buf := make([]byte, 32<<10)
	for read := 0; ; {
		n, err := rest.Read(buf)
		read += n
		if bytes.ContainsFunc(buf[:n], func(r rune) bool { return r != 0 }) || read > maxTrailer {
			return errors.New("holds something after its end: get it again")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot be read to its end: %w: get it again", err)
		}
	}
}

// typeName says in words what an entry is that is no file. It is for an error only.
func typeName(flag byte) string {
	switch flag {
	case tar.TypeLink:
		return "hard link"
	case tar.TypeSymlink:
		return "symbolic link"
	case tar.TypeChar, tar.TypeBlock:
		return "device"
	case tar.TypeFifo:
		return "pipe"
	case tar.TypeGNUSparse:
		return "sparse file"
	}
	return fmt.Sprintf("special entry (type %q)", flag)
}
