package store

import (
	"context"
	"time"
)

// ItemKind says what an outbox item is.
type ItemKind string

// The item kinds.
const (
	ItemTimer   ItemKind = "timer"   // HandleTask when due
	ItemTask    ItemKind = "task"    // Perform, then HandleTask with the result
	ItemCommand ItemKind = "command" // platform.Apply; HandleTask only on final failure
	ItemMail    ItemKind = "mail"    // a mail to be sent
	// A request without an answer that matters, which could not be handled when it came.
	ItemWebhook ItemKind = "webhook"
)

// Work says which workers an item waits for: each kind of work has workers of its own, so that one
// that hangs delays no other.
type Work string

// The kinds of work.
const (
	WorkEvent   Work = "event"   // timers, and results that wait for HandleTask
	WorkDial    Work = "dial"    // tasks that wait for their turn, such as calls to people
	WorkTask    Work = "task"    // other tasks
	WorkCommand Work = "command" // alert commands
	WorkMail    Work = "mail"
	WorkWebhook Work = "webhook" // requests that were kept for later
)

// AllWork lists the kinds of work, the most urgent first.
func AllWork() []Work {
	return []Work{WorkEvent, WorkDial, WorkTask, WorkCommand, WorkMail, WorkWebhook}
}

// ItemPhase says how far an item is.
type ItemPhase string

// The phases. An item in PhaseResult has left its lane and waits to be handed to HandleTask.
const (
	PhaseHeld    ItemPhase = "held" // waits for a commit that releases its lane; see Commit.Release
	PhaseWaiting ItemPhase = "waiting"
	PhaseStarted ItemPhase = "started"
	PhaseResult  ItemPhase = "result"
)

// Item is one row of the outbox. Times are kept in milliseconds.
type Item struct {
	ID          int64 // set by the store; order within a lane
	Integration string
	Key         string // session key
	Kind        ItemKind
	Work        Work // "": that of its kind
	// Items of one (Integration, Key, Lane) are claimed one after the other; "" = no order.
	Lane       string
	Name       string // tasks and timers
	Generation int64
	Cancel     bool // only in a Commit: remove waiting tasks and timers of Name up to Generation
	Due        time.Time
	NotAfter   time.Time
	Phase      ItemPhase
	Attempt    int       // claims in this phase, from 1
	Body       []byte    // JSON of what it is
	Result     []byte    // JSON of what came of it, in PhaseResult
	Owner      string    // who holds the lease
	Lease      time.Time // until when
}

// Claim asks for due work.
type Claim struct {
	Owner string // unique per process start, among all that share the store
	Now   time.Time
	Lease time.Duration // how long a claimed item is left to its owner
	Limit int           // items, with Wants nil; 0 = 100
	Wants []Want        // what to claim, in this order; nil: whatever is due
}

// Want asks for work of one kind.
type Want struct {
	Work           Work // "": any
	Limit          int  // items; 0 or less: none
	PerIntegration int  // items that one integration may have, those of Busy included; 0: no limit
	Busy           map[string]int
}

// Outbox hands out work at least once, in order within each lane.
type Outbox interface {
	// Claim leases items that are due, whose lease has run out or never was, and that are the first
	// of their lane (PhaseResult items are in no lane). Waiting ones become started; Attempt counts
	// up. next is when the earliest of the others comes due or its lease runs out; zero: nothing
	// waits. An item behind another of its lane does not count for next, nor does work that the
	// claim does not want, nor what is due of an integration that has as many items as it may. Its
	// items that come due later may count, so next may be too early.
	//
	// An item of WorkDial stays waiting, so that it can be cancelled or replaced before its turn
	// comes; see StartItem. One in PhaseHeld stays held: it came due and was never released.
	Claim(ctx context.Context, c Claim) (items []Item, next time.Time, err error)
	// ClaimLane leases, for the owner of a claimed item until its lease ends, what waits behind it
	// in its lane and could be claimed at now if it were first, at most limit items: those that
	// follow each other without a gap, in their order. They become started; Attempt is not counted,
	// as whoever has the first may give the others back untried (RetryItem). None if the item is in
	// no lane, or if its lease is no longer the owner's.
	ClaimLane(ctx context.Context, item Item, now time.Time, limit int) ([]Item, error)
	// StartItem makes a claimed item started, whatever phase but PhaseResult it is in, and leaves
	// it to its owner until item.Lease. Conflict with CodeItemGone if it was cancelled or replaced,
	// or if the lease is no longer the owner's.
	StartItem(ctx context.Context, item Item) error
	// RetryItem gives a claimed item back until due, in the phase it is in. The lease is the
	// owner's until somebody claims the item again, the same owner included (Attempt tells).
	// Without effect if the lease is no longer the owner's.
	RetryItem(ctx context.Context, item Item, due time.Time) error
	// FinishItem stores the result of a claimed item, which then waits (PhaseResult, Attempt 0, due
	// at once, leased to its owner until item.Lease, so that the owner can hand it on without
	// claiming again). Conflict if the lease is no longer the owner's.
	FinishItem(ctx context.Context, item Item, result []byte) error
	// DeleteItem ends a claimed item that needs no handler. Without effect if the lease is no
	// longer the owner's.
	DeleteItem(ctx context.Context, item Item) error
	// AddItem adds an item outside a commit (deferred webhooks).
	AddItem(ctx context.Context, item Item) error
	// ReleaseLeases gives back everything that an owner has leased, which is then due at once: the
	// owner itself does so, or a process that knows that the owner is dead. "" is any owner: only
	// for a process that knows it is the only one on this store (SQLite after a restart).
	ReleaseLeases(ctx context.Context, owner string) error
	// OutboxStats counts the items by kind and phase, and gives the oldest due time.
	OutboxStats(ctx context.Context) (counts map[ItemKind]map[ItemPhase]int, oldest time.Time, err error)
	// OverdueItems counts, by kind, the items that could have been claimed at or before a time and
	// have not been since. Kinds without any are left out.
	OverdueItems(ctx context.Context, before time.Time) (map[ItemKind]int, error)
}
