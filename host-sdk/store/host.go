package store

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Host is a running host of those that share a store.
type Host struct {
	ID       string            `json:"id"`      // of this run: a restarted host has another one
	Machine  string            `json:"machine"` // its name, for people
	Address  string            `json:"address"` // at which it listens
	Version  string            `json:"version"` // of the program
	Plugins  map[string]string `json:"plugins,omitempty"`
	FileHash string            `json:"file_hash"` // of the switchboard file in force there
	// Formats are those that its plugins read and write, by plugin; a host of an older release does
	// not say it.
	Formats map[string]integration.Formats `json:"formats,omitempty"`
	// By the clock of the store.
	FormatsSince time.Time `json:"formats_since,omitzero"`
	Started      time.Time `json:"started_at"`
	SeenAt       time.Time `json:"seen_at"` // by the clock of the store
	// Lock says that the host holds a lock of the store for as long as it lives: without it, it is
	// dead. Hosts of releases before, and those that cannot hold one, are judged by SeenAt alone.
	Lock bool `json:"lock,omitempty"`
	// Keys are the ids of the secret keys with which it can read what is sealed in the store; a
	// host of an older release does not say it.
	Keys []string `json:"keys,omitempty"`
}

// Hosts says which hosts share a store. It is not part of [Store], as nothing that happens in a
// call depends on it.
type Hosts interface {
	// SaveHost writes the row of a running host, in place of the one that its ID has.
	SaveHost(ctx context.Context, h Host) error
	// ListHosts lists all rows in order of Machine and ID, also those of hosts that died.
	ListHosts(ctx context.Context) ([]Host, error)
	// RemoveHost removes the row of a host, if there is one.
	RemoveHost(ctx context.Context, id string) error
	// HostsWithoutLock returns those of some hosts that hold no lock now.
	HostsWithoutLock(ctx context.Context, ids []string) ([]string, error)
	// FreeHost removes the row of a host whose Lock says that it holds a lock and that holds none,
	// and gives back what it had claimed: its work is due at once. Of several that do so at the
	// same time one does; for the others dead is false, and so it is where the host lives. items
	// counts what was given back.
	FreeHost(ctx context.Context, id string) (items int64, dead bool, err error)
}
