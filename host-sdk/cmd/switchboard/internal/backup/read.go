package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

// maxList bounds the list and its seal, in bytes.
const maxList = 1 << 20

// Read checks every byte of an archive with one of some keys, and unpacks its files into a folder;
// "": nowhere. After an error the folder may contain a part of them. It reads the archive once,
// without holding a file in memory.
func Read(path string, keys seal.Ring, into string) (list List, err error) {
	f, err := os.Open(path) //nolint:gosec // the operator's own
	if errors.Is(err, fs.ErrNotExist) {
		return list, errors.New("there is no such file: name one that switchboard backup has written")
	}
	if err != nil {
		return list, err
	}
	defer func() { _ = f.Close() }()
	packed, err := gzip.NewReader(f)
	if err != nil {
		return list, errors.New("this is not a backup of switchboard, or its beginning is damaged: take another one")
	}
	r := tar.NewReader(packed)
	text, err := member(r, listName)
	if err != nil {
		return list, err
	}
	// Before its seal, as a newer format may be sealed in another way: the error should say that it
	// is newer. Nothing is unpacked until the seal is checked.
	if list, err = parse(text); err != nil {
		return list, err
	}
	sealOfList, err := member(r, sealName)
	if err != nil {
		return list, err
	}
	if err := verify(keys, text, string(sealOfList)); err != nil {
		return list, err
	}
	// In the order of the list, as Write has written them.
	for _, file := range list.Files {
		if err := unpack(r, file, into); err != nil {
			return list, err
		}
	}
	if next, err := r.Next(); err == nil {
		return list, fmt.Errorf("the archive contains %.80q, which is not in its list: take another backup", next.Name)
	} else if !errors.Is(err, io.EOF) {
		return list, cutOff(err)
	}
	// What follows the end of the tar file is still covered by the checksum of the compression.
	switch rest, err := io.Copy(io.Discard, io.LimitReader(packed, maxList)); {
	case err != nil:
		return list, cutOff(err)
	case rest == maxList:
		return list, errors.New("the archive goes on after its end: take another backup")
	}
	return list, nil
}

// parse reads a list. Its format comes first: what a newer one means is not known. Names are
// checked against a short list, so that none can lead out of the folder.
func parse(text []byte) (list List, err error) {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(text, &head); err != nil || head.Format < 1 {
		return list, changed(listName)
	}
	if head.Format > Format {
		return list, fmt.Errorf("the backup has format %d, and this program reads up to %d: restore it with the switchboard that made it, or a newer one", head.Format, Format)
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return list, changed(listName)
	}
	for _, f := range list.Files {
		if !slices.Contains([]string{Database, SwitchboardFile}, f.Name) {
			return list, fmt.Errorf("the list of the archive names %.80q, which is no part of a backup", f.Name)
		}
	}
	return list, nil
}

// member reads a small member, which must be the next one.
func member(r *tar.Reader, name string) ([]byte, error) {
	if err := next(r, name); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	// One byte more than allowed, to tell a member of just that size from a larger one.
	n, err := io.Copy(&b, io.LimitReader(r, maxList+1))
	if err != nil {
		return nil, cutOff(err)
	}
	if n > maxList {
		return nil, changed(name)
	}
	return b.Bytes(), nil
}

// next goes to a member, which must be a file with this name. Links and folders are refused:
// unpacking follows nothing.
func next(r *tar.Reader, name string) error {
	head, err := r.Next()
	if err != nil {
		return cutOff(err)
	}
	if head.Name != name || head.Typeflag != tar.TypeReg {
		return fmt.Errorf("this is not a backup of switchboard: it contains %.80q where %s should be", head.Name, name)
	}
	return nil
}

// unpack checks a file, and writes it into a folder. O_EXCL: what is there already is not
// overwritten. After an error the file stays, for the caller to remove.
func unpack(r *tar.Reader, file File, into string) (err error) {
	if err := next(r, file.Name); err != nil {
		return err
	}
	sum := sha256.New()
	var to io.Writer = sum
	if into != "" {
		f, err := os.OpenFile(filepath.Join(into, file.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // one of two names
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Sync(), f.Close()) }()
		to = io.MultiWriter(f, sum)
	}
	// io.Copy does not tell whose error it returns.
	written := &failed{Writer: to}
	n, err := io.Copy(written, io.LimitReader(r, file.Size+1))
	switch {
	case written.err != nil:
		return written.err
	case err != nil:
		return cutOff(err)
	case n != file.Size || hex.EncodeToString(sum.Sum(nil)) != file.SHA256:
		return changed(file.Name)
	}
	return nil
}

// failed remembers that writing failed, which is not the archive's fault. A full disk must not read
// as a damaged backup.
type failed struct {
	io.Writer
	err error
}

// Write implements io.Writer.
func (f *failed) Write(b []byte) (n int, err error) {
	n, err = f.Writer.Write(b)
	if err != nil {
		f.err = err
	}
	return n, err
}

// cutOff is the error for an archive that cannot be read to its end.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the archive is damaged or cut off: copy it again, or take another backup")
	}
	return fmt.Errorf("the archive is damaged: %w: take another backup", err)
}
