package twilio

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Recording is the description of a recording (Twilio docs: voice/api/recording).
type Recording struct {
	SID     string `json:"sid"`
	CallSID string `json:"call_sid"`
	// in-progress, paused, stopped, processing, completed, absent, deleted.
	Status    string        `json:"status"`
	Duration  time.Duration `json:"duration"`
	StartedAt time.Time     `json:"started_at,omitzero"`
}

// recordingOf reads what twilio-go decoded. A recording that has not begun has no start, but a
// creation.
func recordingOf(r api.ApiV2010Recording) Recording {
	started := date(r.StartTime)
	if started.IsZero() {
		started = date(r.DateCreated)
	}
	return Recording{
		SID: sid(SIDRecording, str(r.Sid)), CallSID: sid(SIDCall, str(r.CallSid)), Status: str(r.Status),
		Duration: seconds(str(r.Duration)), StartedAt: started,
	}
}

// maxRecordings is more than a call of this plugin has: it records once, and once more for each
// request about the recording that is lost.
const maxRecordings = 20

// Recordings lists the recordings of a call. It filters the account's list, because twilio-go
// cannot read the price in the list of a call.
func (c *Client) Recordings(ctx context.Context, callSID string) ([]Recording, error) {
	if err := need(SIDCall, callSID, "call"); err != nil {
		return nil, err
	}
	p := &api.ListRecordingParams{}
	p.SetCallSid(callSID)
	p.SetPageSize(maxRecordings)
	p.SetLimit(maxRecordings)
	return list(ctx, c, "listing recordings", func(s *api.ApiService) ([]api.ApiV2010Recording, error) {
		return s.ListRecording(p)
	}, recordingOf, func(r Recording) bool { return r.SID != "" && r.CallSID == callSID })
}

// FetchRecording reads the description of a recording. Its status says whether there is audio to be
// fetched.
func (c *Client) FetchRecording(ctx context.Context, recordingSID string) (Recording, error) {
	if err := need(SIDRecording, recordingSID, "recording"); err != nil {
		return Recording{}, err
	}
	return get(ctx, c, "reading a recording", func(s *api.ApiService) (*api.ApiV2010Recording, error) {
		return s.FetchRecording(recordingSID, nil)
	}, recordingOf)
}

// DeleteRecording deletes a recording at Twilio. One that is gone already is not_found.
func (c *Client) DeleteRecording(ctx context.Context, recordingSID string) error {
	if err := need(SIDRecording, recordingSID, "recording"); err != nil {
		return err
	}
	return c.do(ctx, "deleting a recording", func(s *api.ApiService) error {
		return s.DeleteRecording(recordingSID, nil)
	})
}

// Transcriptions lists the SIDs of a recording's transcriptions (Twilio docs:
// voice/api/recording-transcription).
func (c *Client) Transcriptions(ctx context.Context, recordingSID string) ([]string, error) {
	if err := need(SIDRecording, recordingSID, "recording"); err != nil {
		return nil, err
	}
	p := &api.ListRecordingTranscriptionParams{}
	p.SetPageSize(maxRecordings)
	p.SetLimit(maxRecordings)
	return list(ctx, c, "listing transcriptions", func(s *api.ApiService) ([]api.ApiV2010RecordingTranscription, error) {
		return s.ListRecordingTranscription(recordingSID, p)
	}, func(t api.ApiV2010RecordingTranscription) string { return sid(SIDTranscription, str(t.Sid)) }, func(sid string) bool { return sid != "" })
}

// DeleteTranscription deletes a transcription at Twilio.
func (c *Client) DeleteTranscription(ctx context.Context, transcriptionSID string) error {
	if err := need(SIDTranscription, transcriptionSID, "transcription"); err != nil {
		return err
	}
	return c.do(ctx, "deleting a transcription", func(s *api.ApiService) error {
		return s.DeleteTranscription(transcriptionSID, nil)
	})
}

// MediaFormat is the sound format of a fetched recording.
type MediaFormat string

// The formats: MP3 at 32 kbit/s, WAV at 128 kbit/s.
const (
	MP3 MediaFormat = "mp3"
	WAV MediaFormat = "wav"
)

// ContentType is the format's media type.
func (f MediaFormat) ContentType() string {
	if f == WAV {
		return "audio/wav"
	}
	return "audio/mpeg"
}

// maxMediaRedirects bounds how often Twilio may send us on to where it stores media.
const maxMediaRedirects = 3

// FetchMedia reads the sound of a recording, at most 15 MiB. Only the host of the API ever gets the
// key: an address from a webhook is not used, and a redirect is followed by https and without the
// key.
func (c *Client) FetchMedia(ctx context.Context, recordingSID string, format MediaFormat) ([]byte, error) {
	const operation = "fetching a recording"
	if err := need(SIDRecording, recordingSID, "recording"); err != nil {
		return nil, err
	}
	if format != MP3 && format != WAV {
		return nil, integration.Errorf(integration.KindInvalid, "%s: format %q is not known", operation, format)
	}
	address := "https://" + c.region.Host() + "/2010-04-01/Accounts/" + c.cfg.AccountSID + "/Recordings/" + recordingSID + "." + string(format)
	t := c.transport(ctx, maxMedia)
	for hop := 0; hop <= maxMediaRedirects; hop++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, integration.Errorf(integration.KindInternal, "%s: bad address", operation)
		}
		// The key goes to Twilio's API alone: media may be stored elsewhere, at an address that is
		// signed by itself.
		if hop == 0 {
			req.SetBasicAuth(c.cfg.KeySID, c.cfg.KeySecret)
		}
		res, err := t.RoundTrip(req)
		if err != nil {
			return nil, mapError(ctx, operation, 0, err)
		}
		data, err := io.ReadAll(res.Body) // in memory already
		_ = res.Body.Close()
		switch {
		case err != nil:
			return nil, mapError(ctx, operation, 0, err)
		case res.StatusCode == http.StatusOK:
			if len(data) == 0 {
				return nil, integration.Errorf(integration.KindUnavailable, "%s: Twilio answered without any sound", operation)
			}
			return data, nil
		case res.StatusCode >= 400:
			return nil, mapError(ctx, operation, res.StatusCode, errors.New("media not served"))
		}
		next, err := res.Location()
		if err != nil || next.Scheme != "https" {
			return nil, integration.Errorf(integration.KindUnavailable, "%s: Twilio answered %d without a usable address", operation, res.StatusCode)
		}
		address = next.String()
		// Also with a simulator: it sends on to an address that is meant as it stands.
		t.override = nil
	}
	return nil, integration.Errorf(integration.KindUnavailable, "%s: more than %d redirects", operation, maxMediaRedirects)
}
