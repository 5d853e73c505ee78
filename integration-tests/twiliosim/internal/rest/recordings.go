package rest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/audio"
)

// recordingJSONLocked writes a recording as it is listed by itself, or as one of its call's: the
// two resources differ in some fields. Source: Twilio docs, voice/api/recording.
func recordingJSONLocked(a *account.Account, r *account.Recording, ofCall bool) map[string]any {
	at := uri(a, "Recordings", r.Sid)
	body := map[string]any{
		"sid": r.Sid, "account_sid": a.Config.AccountSid, "call_sid": r.Call.Sid, "conference_sid": nil, "api_version": "2010-04-01",
		"date_created": account.Date(r.Started), "date_updated": account.Date(r.Updated), "start_time": account.Date(r.Started), "duration": nil,
		"price": nil, "price_unit": "USD", "status": r.Status, "channels": 1, "source": "RecordVerb", "error_code": nil,
		"encryption_details": nil, "uri": at + ".json",
	}
	if ofCall {
		body["track"] = "both"
		body["uri"] = uri(a, "Calls", r.Call.Sid, "Recordings", r.Sid) + ".json"
	} else {
		body["media_url"] = a.MediaURL(r)
		body["subresource_uris"] = map[string]any{"transcriptions": at + "/Transcriptions.json", "add_on_results": at + "/AddOnResults.json"}
		if !r.Deleted.IsZero() {
			body["status"] = "deleted"
		}
	}
	if r.IsReady() {
		body["duration"] = account.Seconds(r.Length)
	}
	if r.Code != 0 {
		body["error_code"] = r.Code
	}
	return body
}

// listRecordings lists the recordings of a call or of all, newest first.
func (api *API) listRecordings(r *http.Request) (reply, *apiError) {
	a := api.account
	sid := r.PathValue("call")
	if sid != "" && a.CallBySid(sid) == nil {
		return reply{}, notFound(r)
	}
	filter := r.URL.Query().Get("CallSid")
	a.Lock()
	rows := []any{}
	for i := len(a.Recordings) - 1; i >= 0; i-- {
		rec := a.Recordings[i]
		if rec.Deleted.IsZero() && matches(sid, rec.Call.Sid) && matches(filter, rec.Call.Sid) {
			rows = append(rows, recordingJSONLocked(a, rec, sid != ""))
		}
	}
	a.Unlock()
	return list(r, "recordings", rows)
}

// fetchRecording serves metadata (.json) or sound (.wav, .mp3, none: wav). Source: Twilio docs,
// voice/api/recording, fetch media.
func (api *API) fetchRecording(r *http.Request) (reply, *apiError) {
	a := api.account
	sid, ext, _ := strings.Cut(r.PathValue("recording"), ".")
	ofCall := r.PathValue("call") != ""
	a.Lock()
	defer a.Unlock()
	rec := a.RecordingLocked(sid)
	if rec == nil || !matches(r.PathValue("call"), rec.Call.Sid) {
		return reply{}, notFound(r)
	}
	withDeleted := r.URL.Query().Get("IncludeSoftDeleted") == "true"
	switch {
	case ext == "json" && (rec.Deleted.IsZero() || withDeleted):
		return ok(recordingJSONLocked(a, rec, ofCall))
	case !rec.Deleted.IsZero(), ext != "" && ext != "wav" && ext != "mp3", ofCall:
		return reply{}, notFound(r)
	case rec.Status != account.RecordingCompleted: // also an absent one, which never has media
		e := notFound(r)
		e.status = a.Config.Behaviour.MediaNotReadyStatus
		return reply{}, e
	case r.URL.Query().Get("RequestedChannels") == "2":
		return reply{}, badRequest(16113, "A dual-channel presentation of a mono recording is not available")
	case ext == "mp3" && rec.HasVoiceLocked():
		// Nothing here makes MP3 of a voice. Encrypted recordings at Twilio are refused in the same
		// way, so that a program must be able to take WAV. Source: Twilio docs, api/errors/16109.
		return reply{}, badRequest(16109, "MP3 format is not available for this recording")
	case ext == "mp3":
		return reply{status: http.StatusOK, body: audio.SilentMP3(rec.Length), contentType: "audio/mpeg"}, nil
	}
	return reply{status: http.StatusOK, body: rec.SoundLocked().WAV(), contentType: "audio/x-wav"}, nil
}

// deleteRecording removes the sound; the metadata stay available with IncludeSoftDeleted. Only
// completed ones can be deleted.
func (api *API) deleteRecording(r *http.Request) (reply, *apiError) {
	a := api.account
	sid, asJSON := sidInPath(r, "recording")
	a.Lock()
	defer a.Unlock()
	rec := a.RecordingLocked(sid)
	switch {
	case !asJSON || rec == nil || !rec.Deleted.IsZero():
		return reply{}, notFound(r)
	case !rec.IsReady():
		return reply{}, badRequest(20001, "Recording %s is not completed", sid)
	}
	rec.Deleted = a.Clock.Now()
	rec.Updated = rec.Deleted
	return reply{status: http.StatusNoContent}, nil
}

// listTranscriptions lists the transcriptions of a recording. Source: Twilio docs,
// voice/api/recording-transcription.
func (api *API) listTranscriptions(r *http.Request) (reply, *apiError) {
	a := api.account
	a.Lock()
	rec := a.RecordingLocked(r.PathValue("recording"))
	rows := []any{}
	if rec != nil {
		for _, sid := range rec.Transcriptions {
			rows = append(rows, map[string]any{"sid": sid, "account_sid": a.Config.AccountSid, "recording_sid": rec.Sid, "status": "completed",
				"transcription_text": rec.WordsLocked(), "uri": uri(a, "Transcriptions", sid) + ".json"})
		}
	}
	a.Unlock()
	if rec == nil {
		return reply{}, notFound(r)
	}
	return list(r, "transcriptions", rows)
}

// deleteTranscription removes what was said, of the recording that has it.
func (api *API) deleteTranscription(r *http.Request) (reply, *apiError) {
	a := api.account
	sid, asJSON := sidInPath(r, "transcription")
	a.Lock()
	defer a.Unlock()
	for _, rec := range a.Recordings {
		if i := slices.Index(rec.Transcriptions, sid); i >= 0 && asJSON {
			rec.Transcriptions = slices.Delete(rec.Transcriptions, i, i+1)
			return reply{status: http.StatusNoContent}, nil
		}
	}
	return reply{}, notFound(r)
}
