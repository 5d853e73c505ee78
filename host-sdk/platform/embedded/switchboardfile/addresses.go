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
