package audio

import (
	"bytes"
	"encoding/binary"
	"time"
)

const (
	sliceTime  = 15 * time.Second // length of a slice, approximately
	sliceLimit = 20 * time.Second // a file that is not longer than this is one slice
	// cutReach is how far from its ideal place an MP3 file may be cut to find a frame that needs
	// none before it.
	cutReach = time.Second
	// maxSlices is more than MaxBytes of any sound have; their addresses go with the facts of each
	// request.
	maxSlices = 1500
)

// SliceCount is the number of slices that a file of this duration is served in: 1 for a short file,
// and for one whose duration is not known. It is a function of the duration alone, so that every
// host and the addresses agree.
func SliceCount(d time.Duration) int {
	if d < sliceLimit {
		return 1
	}
	return int(min((d+sliceTime/2)/sliceTime, maxSlices))
}

// Slice cuts piece i of n (both from 1) out of a WAV or MP3 file, so that the pieces played one
// after the other are the file: WAV is cut between sample frames, MP3 between MPEG audio frames. A
// piece is a file of the same kind. It reports false where the file cannot be cut so, such as one
// that is shorter than n frames. It is made anew for each request, as caches in front keep it.
func Slice(data []byte, i, n int) ([]byte, bool) {
	if i < 1 || n < i {
		return nil, false
	}
	if bytes.HasPrefix(data, []byte("RIFF")) {
		return sliceWAV(data, i, n)
	}
	return sliceMP3(data, i, n)
}

// sliceWAV gives each piece a header of its own. Chunks other than fmt and data, such as titles,
// are left out.
func sliceWAV(data []byte, i, n int) ([]byte, bool) {
	format, samples, ok := wavChunks(data)
	if !ok || len(format) < 16 {
		return nil, false
	}
	// Bytes of one frame: a sample of each channel, or a compressed block.
	block := int(binary.LittleEndian.Uint16(format[12:14]))
	if block == 0 {
		return nil, false
	}
	frames := len(samples) / block
	// Multiplied before divided, so that no frame is lost between two pieces.
	from, to := frames*(i-1)/n*block, frames*i/n*block
	if from == to {
		return nil, false
	}
	piece := samples[from:to]
	// Chunks have an even length; the size in the header is without the padding.
	pad := len(piece) % 2
	var b bytes.Buffer
	b.Grow(28 + len(format) + len(piece))
	chunk := func(id string, size int) {
		b.WriteString(id)
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(size))) //nolint:gosec // a part of a file of at most MaxBytes
	}
	chunk("RIFF", 4+8+len(format)+len(format)%2+8+len(piece)+pad)
	b.WriteString("WAVE")
	chunk("fmt ", len(format))
	b.Write(format)
	b.Write(make([]byte, len(format)%2))
	chunk("data", len(piece))
	b.Write(piece)
	b.Write(make([]byte, pad))
	return b.Bytes(), true
}

// sliceMP3 leaves out everything that is not a frame, and the first frame if it only describes the
// whole file. Such a frame would tell players the length of the whole file for each piece.
func sliceMP3(data []byte, i, n int) ([]byte, bool) {
	frames, data := mp3Frames(data)
	if len(frames) > 0 && describesFile(data[frames[0].at:][:frames[0].bytes]) {
		frames = frames[1:]
	}
	if len(frames) < n {
		return nil, false
	}
	from, to := mp3Cut(data, frames, i-1, n), mp3Cut(data, frames, i, n)
	if from >= to {
		return nil, false
	}
	var b bytes.Buffer
	for _, f := range frames[from:to] {
		b.Write(data[f.at:min(f.at+f.bytes, len(data))])
	}
	return b.Bytes(), true
}

// mp3Cut is the frame before which piece k of n (from 0) begins. A layer III frame may use bits
// left over in the frames before it (ISO/IEC 11172-3, main_data_begin), which would be missing at
// the beginning of a piece; so the nearest frame that needs none is looked for. Constant bit rates
// without a reservoir, and most files at some pause, have such frames; else the first instant of a
// piece may be silent. Both neighbours of a cut compute the same place, so no frame is played
// twice.
func mp3Cut(data []byte, frames []placed, k, n int) int {
	ideal := len(frames) * k / n
	if k == 0 || k == n {
		return ideal
	}
	// In frames; a third of a piece at most, so that cuts do not pass each other.
	reach := int(cutReach * time.Duration(frames[0].rate) / time.Duration(frames[0].samples) / time.Second)
	for d := range min(reach, len(frames)/n/3) + 1 {
		for _, at := range []int{ideal - d, ideal + d} {
			if mainDataBegin(data[frames[at].at:]) == 0 {
				return at
			}
		}
	}
	return ideal
}

// mainDataBegin is by how many bytes a frame reaches back; 0 for layers I and II. f begins with the
// header; its side information says it.
func mainDataBegin(f []byte) int {
	if f[1]>>1&3 != 1 || len(f) < 8 { // not layer III, or cut off
		return 0
	}
	side := f[4:]
	if f[1]&1 == 0 { // a checksum comes first
		side = f[6:]
	}
	if f[1]>>3&3 == 3 { // MPEG-1: nine bits
		return int(side[0])<<1 | int(side[1]>>7)
	}
	return int(side[0])
}

// describesFile reports whether a frame contains no sound but the length of the whole file, as
// encoders of variable bit rates write it first. Marks stand behind the side information, whose
// length depends on version and channels.
func describesFile(frame []byte) bool {
	const header = 4 + 32 + 4 // of the frame, side information at most, the mark
	head := frame[:min(len(frame), header)]
	return bytes.Contains(head, []byte("Xing")) || bytes.Contains(head, []byte("Info")) || bytes.Contains(head, []byte("VBRI"))
}
