package integration

import "encoding/json"

// TaskErase is the name of a task by which a host asks, since minor 1, that the foreign service
// delete what it keeps of a call whose data were deleted here. Its payload is an [Erasure]. It is
// performed ([Integration.Perform]) like other tasks, but HandleTask never hears of it: the host
// keeps account of it. Facts.Session may be missing, as calls are deleted long after their session
// has expired.
//
// Nil as the error says that nothing of it is left at the foreign service, also where there was
// nothing before; then the payload of the result is an [Erased]. Any other error is shown to people
// as the reason, and the task is repeated, with growing pauses, for weeks: credentials may be
// corrected. KindUnsupported ends it. A plugin that cannot delete answers so; one must not use the
// name for tasks of its own.
const TaskErase = "erase"

// LabelTranscription is the label of an alert's fields that hold what somebody said in a recording.
// A host deletes them with the recordings of their call.
const LabelTranscription = "Voicemail Transcription"

// Erasure says what the foreign service is to delete.
type Erasure struct {
	Call string `json:"call"` // key of the session
	// The recordings, as the plugin has named them; none: all of the call.
	Media []MediaRef `json:"media,omitempty"`
	// Whole: also the foreign service's own record of the call, as its caller wants to be
	// forgotten.
	Whole bool `json:"whole,omitempty"`
}

// Task is the task that asks for it.
func (e Erasure) Task() (Task, error) {
	payload, err := json.Marshal(e)
	return Task{Name: TaskErase, Generation: 1, Payload: payload}, err
}

// Erased says what the foreign service has deleted.
type Erased struct {
	Recordings     int `json:"recordings"`
	Transcriptions int `json:"transcriptions"`
	Calls          int `json:"calls"`
}
