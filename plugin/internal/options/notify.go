package options

import (
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
)

// notifiesKnown is the host's protocol minor from which on it says whether people are told of
// alerts.
const notifiesKnown = 1

// Unnotified says why no phone rings for a caller: the rest of a sentence that begins with "no
// phone rings, because". "" means that people are told of an alert, or are rung without that.
func (o Options) Unnotified(in integration.Instance) string {
	if caps := in.Capabilities; in.ProtocolMinor < notifiesKnown || caps.Notifies || caps.PagesByItself || o.Flow.Reach != config.ReachAcknowledge {
		return ""
	}
	return "only people who acknowledge the alert are called, and neither the platform nor this host tells anybody of an alert"
}
