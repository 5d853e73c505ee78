package record

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// toldAcks bounds the acknowledgements that a session remembers to be in the story.
const toldAcks = 50

// TellSnapshot adds what a snapshot says that the story does not, and returns what it says then.
func TellSnapshot(u *store.CallUpdate, before *store.Told, snap integration.AlertSnapshot, now time.Time) *store.Told {
	told := store.Told{}
	if before != nil {
		told = *before
		told.Acks = slices.Clone(before.Acks)
	}
	if snap.ID != told.ID || snap.URL != told.URL {
		u.Alert.ID, u.Alert.URL = snap.ID, snap.URL
	}
	line := func(at time.Time, actor, text string) {
		u.Story = append(u.Story, store.StoryLine{At: at, Actor: actor, Text: text})
	}
	for _, k := range snap.Acknowledgements {
		if slices.Contains(told.Acks, k.ID) {
			continue
		}
		at := k.At
		if at.IsZero() {
			at = now
		}
		line(at, k.User, "The alert was acknowledged.")
		if told.Acks = append(told.Acks, k.ID); len(told.Acks) > toldAcks {
			told.Acks = told.Acks[1:]
		}
	}
	if text := statusText(told.Status, snap.Status); text != "" {
		line(now, "", text)
	}
	if snap.Status == integration.AlertOpen && snap.Layer > 0 && (snap.Layer != told.Layer || snap.Round != told.Round) {
		text := fmt.Sprintf("The alert waits for layer %d", snap.Layer)
		if snap.Round > 1 {
			text += fmt.Sprintf(", in round %d", snap.Round)
		}
		line(now, "", text+".")
	}
	told.ID, told.URL, told.Status, told.Layer, told.Round = snap.ID, snap.URL, snap.Status, snap.Layer, snap.Round
	return &told
}

// statusText says how an alert came from one status to another; "" where other lines say it.
func statusText(from, to integration.AlertStatus) string {
	if from == to {
		return ""
	}
	switch to {
	case integration.AlertDropped:
		return "The alert was dropped: nobody on call acknowledged it."
	case integration.AlertResolved:
		return "The alert was resolved."
	case integration.AlertDeleted:
		return "The alert was deleted."
	case integration.AlertOpen, integration.AlertQueued:
		if from != "" && from != integration.AlertQueued && from != integration.AlertOpen {
			return "The alert is open again."
		}
	case integration.AlertAcknowledged:
	}
	return ""
}

// Command adds what an alert command says about the call. Its number keeps a line from being
// added twice. Whether a conditional command has an effect is the platform's to decide, so lines
// say what was asked for, and [TellSnapshot] says what came of it. made is false for a command
// whose alert is perhaps never made: it is no part of the story.
func Command(u *store.CallUpdate, cmd integration.AlertCommand, made bool, view *integration.CallView, known []integration.Destination) {
	line := func(actor, text string) {
		if !made {
			return
		}
		u.Story = append(u.Story, store.StoryLine{Command: cmd.Number, At: cmd.At, Actor: actor, Text: text})
	}
	switch cmd.Kind {
	case integration.AlertCreate:
		if cmd.Draft != nil {
			u.Alert.Title = cmd.Draft.Title
			u.Fields = append(u.Fields, cmd.Draft.Fields...)
		}
		line(cmd.Actor, "An alert was created.")
	case integration.AlertRoute:
		line(cmd.Actor, "The alert was routed to "+teamNames(cmd.Teams, view, known)+".")
	case integration.AlertLog:
		line(cmd.Actor, cmd.Text)
	case integration.AlertAddField:
		if cmd.Field != nil {
			u.Fields = append(u.Fields, *cmd.Field)
		}
	case integration.AlertAttach:
		if cmd.Media != nil {
			u.Recordings = append(u.Recordings, store.Recording{Media: *cmd.Media, Label: cmd.Label, At: cmd.At})
			line(cmd.Actor, recordedText(cmd.Label, cmd.Media.Duration))
		}
	case integration.AlertReopen:
		if cmd.Ack != "" {
			line(cmd.Actor, "The acknowledgement is taken back"+because(cmd.Text))
		} else {
			line(cmd.Actor, "The alert is to be opened again"+because(cmd.Text))
		}
	case integration.AlertEscalate:
		line(cmd.Actor, "The alert is to go to the next layer"+because(cmd.Text))
	case integration.AlertResolve:
		line(cmd.Actor, "The alert is to be resolved"+because(cmd.Text))
	case integration.AlertAcknowledge, integration.AlertDecline:
		// What comes of them is seen on the alert.
	}
}

// because ends a sentence with its reason, which is a sentence or a part of one.
func because(reason string) string {
	reason = strings.TrimSuffix(strings.TrimSpace(reason), ".")
	if reason == "" {
		return "."
	}
	return ": " + reason + "."
}

// recordedText says that a recording was stored, and how long it is. Platforms that keep a story of
// their own use the same words.
func recordedText(label string, length time.Duration) string {
	label = cmp.Or(label, "Recording")
	if length <= 0 {
		return label + " stored."
	}
	return label + " stored (" + oneline.Lasting(max(length, time.Second)) + ")."
}

// teamNames writes the names of teams, as far as they are known, for a person to read.
func teamNames(ids []string, view *integration.CallView, known []integration.Destination) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id
		if view.Team == id && view.TeamName != "" {
			names[i] = view.TeamName
		}
		for _, d := range known {
			if d.Kind == integration.DestinationTeam && d.ID == id && d.Name != "" {
				names[i] = d.Name
			}
		}
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
