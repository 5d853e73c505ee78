package twiliosim

import (
	"net/http"
	"strings"
)

func (s *Sim) restRecordings(handle func(string, restHandler)) {
	handle("GET /Recordings.json", s.listRecordings)
	handle("GET /Recordings/{recording}", s.fetchRecording)
	handle("DELETE /Recordings/{recording}", s.deleteRecording)
	handle("GET /Calls/{call}/Recordings.json", s.listRecordings)
	handle("GET /Calls/{call}/Recordings/{recording}", s.fetchRecording)
	handle("DELETE /Calls/{call}/Recordings/{recording}", s.deleteRecording)
}

func (s *Sim) recordingJSONLocked(r *recording, ofCall bool) map[string]any {
	uri := apiRoot + s.cfg.AccountSid + "/Recordings/" + r.sid
	body := map[string]any{
		"sid": r.sid, "account_sid": s.cfg.AccountSid, "call_sid": r.call.Sid, "conference_sid": nil, "api_version": "2010-04-01",
		"date_created": stamp(r.started), "date_updated": stamp(r.updated), "start_time": stamp(r.started), "duration": nil,
		"price": nil, "price_unit": "USD", "status": r.status, "channels": 1, "source": "RecordVerb", "error_code": nil,
		"encryption_details": nil, "uri": uri + ".json",
	}
	if ofCall {
		body["track"] = "both"
		body["uri"] = apiRoot + s.cfg.AccountSid + "/Calls/" + r.call.Sid + "/Recordings/" + r.sid + ".json"
	} else {
		body["media_url"] = s.mediaURL(r)
		body["subresource_uris"] = map[string]any{"transcriptions": uri + "/Transcriptions.json", "add_on_results": uri + "/AddOnResults.json"}
		if !r.expunged.IsZero() {
			body["status"] = "deleted"
		}
	}
	if r.status == StatusCompleted || r.status == "absent" {
		body["duration"] = wholeSeconds(r.length)
	}
	if r.code != 0 {
		body["error_code"] = r.code
	}
	return body
}

func (s *Sim) recordingLocked(sid string) *recording {
	for _, r := range s.recordings {
		if r.sid == sid {
			return r
		}
	}
	return nil
}

func (s *Sim) listRecordings(r *http.Request) (reply, *restError) {
	sid := r.PathValue("call")
	if sid != "" && s.CallBySid(sid) == nil {
		return reply{}, notFound(r)
	}
	filter := r.URL.Query().Get("CallSid")
	s.mu.Lock()
	rows := []any{}
	for i := len(s.recordings) - 1; i >= 0; i-- {
		rec := s.recordings[i]
		if !rec.expunged.IsZero() || !match(sid, rec.call.Sid) || !match(filter, rec.call.Sid) {
			continue
		}
		rows = append(rows, s.recordingJSONLocked(rec, sid != ""))
	}
	s.mu.Unlock()
	return s.list(r, "recordings", rows)
}

// fetchRecording serves metadata (.json) or sound (.wav, .mp3, none: wav). Source: Twilio docs,
// voice/api/recording, fetch media.
func (s *Sim) fetchRecording(r *http.Request) (reply, *restError) {
	sid, ext, _ := strings.Cut(r.PathValue("recording"), ".")
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.recordingLocked(sid)
	if rec == nil || !match(r.PathValue("call"), rec.call.Sid) {
		return reply{}, notFound(r)
	}
	soft := r.URL.Query().Get("IncludeSoftDeleted") == "true"
	switch {
	case ext == "json" && (rec.expunged.IsZero() || soft):
		return reply{status: 200, body: s.recordingJSONLocked(rec, r.PathValue("call") != "")}, nil
	case !rec.expunged.IsZero(), ext != "" && ext != "wav" && ext != "mp3", r.PathValue("call") != "":
		return reply{}, notFound(r)
	case rec.status != StatusCompleted:
		return reply{}, &restError{s.cfg.Behaviour.MediaNotReadyStatus, 20404, "The requested resource " + r.URL.Path + " was not found"}
	case r.URL.Query().Get("RequestedChannels") == "2":
		return reply{}, badRequest(16113, "A dual-channel presentation of a mono recording cannot be had")
	case ext == "mp3" && rec.voicedLocked():
		// Nothing here makes MP3 of a voice. Encrypted recordings at Twilio are refused in the same way, so that a program
		// must be able to take WAV. Source: Twilio docs, api/errors/16109.
		return reply{}, badRequest(16109, "MP3 format is not available for this recording")
	case ext == "mp3":
		return reply{status: 200, body: mp3(rec.length), kind: "audio/mpeg"}, nil
	}
	return reply{status: 200, body: rec.soundLocked().WAV(), kind: "audio/x-wav"}, nil
}

// deleteRecording removes the sound; the metadata can be had with IncludeSoftDeleted. Only completed ones can be deleted.
func (s *Sim) deleteRecording(r *http.Request) (reply, *restError) {
	sid, asJSON := sidOf(r, "recording")
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.recordingLocked(sid)
	switch {
	case !asJSON || rec == nil || !rec.expunged.IsZero():
		return reply{}, notFound(r)
	case rec.status != StatusCompleted && rec.status != "absent":
		return reply{}, badRequest(20001, "Recording %s is not completed", sid)
	}
	rec.expunged = s.clock.Now()
	rec.updated = rec.expunged
	return reply{status: http.StatusNoContent}, nil
}
