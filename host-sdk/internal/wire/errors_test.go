package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

var kinds = []integration.Kind{
	integration.KindNotFound, integration.KindConflict, integration.KindInvalid, integration.KindUnauthorized,
	integration.KindUnavailable, integration.KindDeadline, integration.KindUnsupported, integration.KindInternal,
}

func TestErrorIsTheSameOverTheWire(t *testing.T) {
	t.Parallel()
	if len(kinds) != len(kindCodes) {
		t.Fatalf("%d kinds are tested, %d are mapped", len(kinds), len(kindCodes))
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			sent := &integration.Error{Kind: kind, Message: "the number is not ours", Field: "caller_id", Code: "21212", Err: io.EOF}
			for _, err := range []error{sent, fmt.Errorf("looking it up: %w", sent)} {
				got := FromStatus(Status(err))
				if integration.KindOf(got) != integration.KindOf(err) {
					t.Errorf("kind %q arrived as %q", integration.KindOf(err), integration.KindOf(got))
				}
				if !errors.Is(got, &integration.Error{Kind: kind}) {
					t.Errorf("%v is not of kind %s any more", got, kind)
				}
				want := &integration.Error{Kind: kind, Message: sent.Message, Field: sent.Field, Code: sent.Code}
				if diff := cmp.Diff(want, got, ignoreCauses); diff != "" {
					t.Error(diff)
				}
				if errors.Is(got, io.EOF) {
					t.Error("the cause crossed the wire")
				}
			}
			// A peer that knows gRPC but not our detail.
			if kind != integration.KindInternal {
				bare := FromStatus(status.Error(kindCodes[kind], "text"))
				if integration.KindOf(bare) != kind {
					t.Errorf("code %s is read as %s, want %s", kindCodes[kind], integration.KindOf(bare), kind)
				}
			}
		})
	}
}

func TestTextOfUnknownErrorsStaysBehind(t *testing.T) {
	t.Parallel()
	secret := "SK-canary"
	for _, err := range []error{errors.New("dial: " + secret), fmt.Errorf("x: %w", errors.New(secret))} {
		sent := Status(err)
		if strings.Contains(sent.Error(), secret) || strings.Contains(FromStatus(sent).Error(), secret) {
			t.Errorf("the text crossed: %v", sent)
		}
		if got := integration.KindOf(FromStatus(sent)); got != integration.KindInternal {
			t.Errorf("kind %s", got)
		}
		if !Unknown(err) {
			t.Error("is not asked to be logged")
		}
	}
	if Unknown(integration.Errorf(integration.KindInvalid, "x")) || Unknown(nil) {
		t.Error("an error that crosses is not for the log")
	}
}

func TestContextErrorsAreDeadlines(t *testing.T) {
	t.Parallel()
	for _, err := range []error{context.DeadlineExceeded, fmt.Errorf("x: %w", context.Canceled)} {
		if got := integration.KindOf(FromStatus(Status(err))); got != integration.KindDeadline {
			t.Errorf("%v became %s", err, got)
		}
	}
}

func TestTransportErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code                     codes.Code
		kind                     integration.Kind
		lost, deadline, canceled bool
		is                       error
	}{
		{code: codes.Unavailable, kind: integration.KindUnavailable, lost: true},
		{code: codes.DeadlineExceeded, kind: integration.KindDeadline, deadline: true, is: context.DeadlineExceeded},
		{code: codes.Canceled, kind: integration.KindDeadline, canceled: true, is: context.Canceled},
		{code: codes.ResourceExhausted, kind: integration.KindInvalid},
		{code: codes.Unimplemented, kind: integration.KindUnsupported},
		{code: codes.Unknown, kind: integration.KindInternal},
		{code: codes.Internal, kind: integration.KindInternal},
		{code: codes.DataLoss, kind: integration.KindInternal},
	} {
		err := FromStatus(status.Error(tt.code, "canary text"))
		var transport *TransportError
		if !errors.As(err, &transport) {
			t.Fatalf("%s: no transport error in the chain", tt.code)
		}
		if integration.KindOf(err) != tt.kind || transport.Lost() != tt.lost || transport.DeadlinePassed() != tt.deadline || transport.Canceled() != tt.canceled {
			t.Errorf("%s: kind %s, lost %v, deadline %v, canceled %v", tt.code, integration.KindOf(err),
				transport.Lost(), transport.DeadlinePassed(), transport.Canceled())
		}
		if tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: is not %v", tt.code, tt.is)
		}
		if tt.code == codes.Unknown && strings.Contains(err.Error(), "canary") {
			t.Error("the text of an unknown error is shown")
		}
	}
	if err := FromStatus(Status(integration.Errorf(integration.KindUnavailable, "busy"))); errors.As(err, new(*TransportError)) {
		t.Error("an error of the plugin looks like one of the transport")
	}
}

func TestUnknownKindFallsBackToTheCode(t *testing.T) {
	t.Parallel()
	st, err := status.New(codes.NotFound, "x").WithDetails(&pb.Error{Kind: "newer_kind", Message: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if got := integration.KindOf(FromStatus(st.Err())); got != integration.KindNotFound {
		t.Errorf("kind %s", got)
	}
	if got := integration.KindOf(FromStatus(Status(&integration.Error{Kind: "invented", Message: "x"}))); got != integration.KindInternal {
		t.Errorf("kind %s", got)
	}
}

func TestNilStaysNil(t *testing.T) {
	t.Parallel()
	if Status(nil) != nil || FromStatus(nil) != nil {
		t.Error("nil became an error")
	}
}

func TestOddTextInAnError(t *testing.T) {
	t.Parallel()
	got := FromStatus(Status(&integration.Error{Kind: integration.KindInvalid, Message: "caf\xe9", Code: "\xff"}))
	want := &integration.Error{Kind: integration.KindInvalid, Message: "caf\uFFFD", Code: "\uFFFD"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
