package store

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Medium is a stored recording or prompt file.
type Medium struct {
	integration.MediaRef
	Public bool   // a prompt: served without login at an address that holds Token
	Token  string // 32 hex digits, random, made by the store
	Data   []byte
}

// Media keeps audio outside the sessions' transactions, by content.
type Media interface {
	// PutMedium stores content once (Ref, Bytes and Token are set by the store) and returns it
	// without Data. Storing the same content again returns the stored one; Public stays true once
	// true.
	PutMedium(ctx context.Context, m Medium) (Medium, error)
	// Medium reads content by its reference ("media:…"). None: not_found.
	Medium(ctx context.Context, ref string) (Medium, error)
	// MediumInfo reads all but Data.
	MediumInfo(ctx context.Context, ref string) (Medium, error)
	// MediumByToken reads public content. None: not_found.
	MediumByToken(ctx context.Context, token string) (Medium, error)
}
