package switchboardfile

import (
	"encoding/json"
	"fmt"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
	"github.com/livecallrouting/livecall/host-sdk/notify"
)

// Addresses are where somebody is notified. They hold secrets, and print as services and hosts
// alone.
type Addresses []notify.Address

// UnmarshalJSON reads the addresses that are right: the check reports the others. A file that is
// wrong elsewhere still has to be decoded for its other problems.
func (a *Addresses) UnmarshalJSON(text []byte) error {
	var written []string
	if err := json.Unmarshal(text, &written); err != nil {
		return err
	}
	*a = nil
	for _, raw := range written {
		address, err := notify.Parse(raw)
		if _, again := a.ByID(address.ID()); err == nil && !again {
			*a = append(*a, address)
		}
	}
	return nil
}

// ByID is the address of an id; false: there is none any more.
func (a Addresses) ByID(id string) (notify.Address, bool) {
	for _, address := range a {
		if address.ID() == id {
			return address, true
		}
	}
	return notify.Address{}, false
}

// Shown is how the address of an id is shown: its service and host, and where others look the same
// its place among them, as the rest of each is secret. "" for an id that is not there.
func (a Addresses) Shown(id string) string { return a.numbered(id, notify.Address.String) }

// Short is the service alone of the address of an id where that tells it from the others, and
// otherwise as it is shown.
func (a Addresses) Short(id string) string {
	address, ok := a.ByID(id)
	if !ok || a.numbered(id, notify.Address.Service) == address.Service() {
		return address.Service()
	}
	return a.Shown(id)
}

// numbered is the word for the address of an id, with its place in the file among those of the same
// word; "" for an id that is not there.
func (a Addresses) numbered(id string, word func(notify.Address) string) string {
	found, ok := a.ByID(id)
	if !ok {
		return ""
	}
	place, same := 0, 0
	for _, other := range a {
		if word(other) != word(found) {
			continue
		}
		same++
		if other.ID() == id {
			place = same
		}
	}
	if same == 1 {
		return word(found)
	}
	return fmt.Sprintf("%s, %d of %d in the file", word(found), place, same)
}

// checkAddresses reports addresses that cannot be used, and warns of those that are listed twice.
// What is said names the person or team, and nothing of the address but its service. It reads what
// is written in the file, not what was decoded, as wrong addresses are not there any more.
func (f *File) checkAddresses(list *problemList, whose, at string) {
	there := f.root.Find(at)
	if there == nil {
		return
	}
	written, _ := there.Plain().([]any)
	seen := map[string]bool{}
	for i, one := range written {
		raw, ok := one.(string)
		if !ok {
			continue // the schema has said so
		}
		place := fmt.Sprintf("%s/%d", at, i)
		address, err := notify.Parse(raw)
		switch {
		case err != nil:
			list.errorAt(place, "the address of %s %s", yamltree.Shorten(whose), err)
		case seen[address.ID()]:
			list.warnAt(place, "the address of %s is listed twice: remove one", yamltree.Shorten(whose))
		}
		seen[address.ID()] = true
	}
}
