// Package music makes the bundled hold music: a calm tune of one minute, composed for this project.
//
// It is synthesized with whole numbers, so that it has the same bytes on every machine, and cut
// into slices of 15 seconds at the ends of phrases, so that the tune goes on from slice to slice.
//
//	tune.go   the notes
//	synth.go  notes to samples
//	wav.go    slices as WAV files, made once per process
package music
