package audio

import "time"

// Bit rates in kbit/s by index, MPEG-1 and MPEG-2/2.5, for layers I, II and III (ISO/IEC 11172-3
// and 13818-3, table of bitrate_index). Index 0 (free format) and 15 are not accepted.
var bitRates = [2][3][16]int{
	{
		{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	},
	{
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	},
}

// sampleRates are in Hz, by version (MPEG-1, 2, 2.5) and index.
var sampleRates = [3][3]int{{44100, 48000, 32000}, {22050, 24000, 16000}, {11025, 12000, 8000}}

// frame is one MPEG audio frame as its header describes it. bytes is its length with the header,
// samples what it plays, rate samples a second.
type frame struct {
	bytes, samples, rate int
}

// placed is a frame and where it begins.
type placed struct {
	frame
	at int
}

// mp3Duration adds up the frames: right for constant and variable bit rates alike, without
// decoding. false: there is no frame.
func mp3Duration(data []byte) (time.Duration, bool) {
	frames, _ := mp3Frames(data)
	var total time.Duration
	for _, f := range frames {
		total += time.Duration(f.samples) * time.Second / time.Duration(f.rate)
	}
	return total, len(frames) > 0
}

// mp3Frames finds the frames; their places are those in the data it returns, which begin behind a
// leading tag. Tags before, between and after the frames are skipped; the last frame may be cut
// off. What is no frame is gone through byte by byte.
func mp3Frames(data []byte) ([]placed, []byte) {
	data = data[id3v2Length(data):]
	var frames []placed
	for i := 0; i+4 <= len(data); {
		// A frame that reaches beyond the end is taken only behind others: alone it is chance.
		f, ok := parseFrame(data[i:])
		if !ok || i+f.bytes > len(data) && len(frames) == 0 {
			i++
			continue
		}
		// The first frame counts only if another follows where it says it ends, as two bytes of any
		// file may look like a frame.
		if next := i + f.bytes; len(frames) == 0 && next+4 <= len(data) {
			if _, ok := parseFrame(data[next:]); !ok {
				i++
				continue
			}
		}
		frames = append(frames, placed{f, i})
		i += f.bytes
	}
	return frames, data
}

// id3v2Length is the length of an ID3v2 tag at the start, 0 without one. Its size is written seven
// bits to a byte (ID3v2.4, 6.2).
func id3v2Length(data []byte) int {
	if len(data) < 10 || string(data[:3]) != "ID3" {
		return 0
	}
	size := int(data[6]&0x7f)<<21 | int(data[7]&0x7f)<<14 | int(data[8]&0x7f)<<7 | int(data[9]&0x7f)
	size += 10
	if data[5]&0x10 != 0 { // a footer repeats the header
		size += 10
	}
	return min(size, len(data))
}

// parseFrame reads a frame's header (ISO/IEC 11172-3, 2.4.1.3, and 13818-3). It returns false for
// the reserved values of version, layer, bit rate and sampling rate, which also rules out most data
// that is not audio. h begins with the header; more of the frame need not be there.
func parseFrame(h []byte) (frame, bool) {
	if len(h) < 4 || h[0] != 0xff || h[1]&0xe0 != 0xe0 {
		return frame{}, false
	}
	var version int
	switch h[1] >> 3 & 3 {
	case 3:
		version = 0 // MPEG-1
	case 2:
		version = 1 // MPEG-2
	case 0:
		version = 2 // MPEG-2.5
	default:
		return frame{}, false
	}
	layerBits := int(h[1] >> 1 & 3)
	if layerBits == 0 {
		return frame{}, false
	}
	layer := 3 - layerBits // 0, 1, 2 for layers I, II, III
	rateIndex := int(h[2] >> 2 & 3)
	kbits := bitRates[min(version, 1)][layer][h[2]>>4]
	if kbits == 0 || rateIndex == 3 {
		return frame{}, false
	}
	f := frame{rate: sampleRates[version][rateIndex], samples: 1152}
	padding := int(h[2] >> 1 & 1)
	switch {
	case layer == 0:
		f.samples = 384
		f.bytes = (12*kbits*1000/f.rate + padding) * 4
		return f, true
	case layer == 2 && version > 0:
		f.samples = 576
	}
	f.bytes = f.samples/8*kbits*1000/f.rate + padding
	return f, true
}
