// Package music makes the bundled hold music: a calm tune of one minute, our own, synthesised in
// whole numbers so that it has the same bytes everywhere, and cut into slices of 15 seconds at the
// end of phrases, so that the tune goes on from slice to slice.
//
//	tune.go   the notes
//	synth.go  notes to samples
//	wav.go    slices as WAV files, made once per process
package music
