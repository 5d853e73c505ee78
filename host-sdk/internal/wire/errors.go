package wire

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// internalText stands for every error whose text may not cross: those of an unknown origin.
const internalText = "internal error; the plugin's log has the cause"

// CodeDraining is the code of the error that a draining plugin answers new calls with: the call was
// not started, so that repeating it elsewhere is safe whatever it does.
const CodeDraining = "draining"

// kindCodes is the one place where kinds and gRPC codes meet. A conflict is Aborted, the code that
// gRPC documents for "try the whole again on fresh data".
var kindCodes = map[integration.Kind]codes.Code{
	integration.KindNotFound:     codes.NotFound,
	integration.KindConflict:     codes.Aborted,
	integration.KindInvalid:      codes.InvalidArgument,
	integration.KindUnauthorized: codes.PermissionDenied,
	integration.KindUnavailable:  codes.Unavailable,
	integration.KindDeadline:     codes.DeadlineExceeded,
	integration.KindUnsupported:  codes.Unimplemented,
	integration.KindInternal:     codes.Internal,
}

// codeKinds reads the codes that come without one of our details: from the transport, or a peer in
// another language.
var codeKinds = map[codes.Code]integration.Kind{
	codes.NotFound:           integration.KindNotFound,
	codes.AlreadyExists:      integration.KindConflict,
	codes.Aborted:            integration.KindConflict,
	codes.FailedPrecondition: integration.KindConflict,
	codes.InvalidArgument:    integration.KindInvalid,
	codes.OutOfRange:         integration.KindInvalid,
	// A message over the size limit: as large the next time.
	codes.ResourceExhausted: integration.KindInvalid,
	codes.Unauthenticated:   integration.KindUnauthorized,
	codes.PermissionDenied:  integration.KindUnauthorized,
	codes.Unavailable:       integration.KindUnavailable,
	codes.DeadlineExceeded:  integration.KindDeadline,
	// Given up by the caller: whether it took effect is unknown.
	codes.Canceled:      integration.KindDeadline,
	codes.Unimplemented: integration.KindUnsupported,
}

// TransportError is in the chain of an error that the connection, not the plugin, brought about:
// the connection broke, was never made, the deadline passed, or a message was too large. Callers
// find it by errors.As: whether a call may be repeated on another process depends on it.
type TransportError struct {
	status *status.Status
}

// Error implements error.
func (e *TransportError) Error() string {
	return fmt.Sprintf("transport: %s: %s", e.status.Code(), e.status.Message())
}

// Lost reports whether the connection to the plugin failed, as opposed to a deadline or a message
// that is too large.
func (e *TransportError) Lost() bool { return e.status.Code() == codes.Unavailable }

// DeadlinePassed reports whether the call ended since its deadline passed.
func (e *TransportError) DeadlinePassed() bool { return e.status.Code() == codes.DeadlineExceeded }

// Canceled reports whether the call was given up, by its caller or since the connection was closed
// on this side.
func (e *TransportError) Canceled() bool { return e.status.Code() == codes.Canceled }

// Is makes errors.Is work for the two errors of a context. Without it, code that asks whether its
// own deadline has passed would have to know gRPC's codes.
func (e *TransportError) Is(target error) bool {
	switch e.status.Code() {
	case codes.DeadlineExceeded:
		return target == context.DeadlineExceeded
	case codes.Canceled:
		return target == context.Canceled
	default:
		return false
	}
}

// Status turns an error of an integration into the error that gRPC sends: the kind as a code, the
// whole in a detail. The text of an error that is no *integration.Error stays behind.
func Status(err error) error {
	if err == nil {
		return nil
	}
	e := contractError(err)
	code, known := kindCodes[e.Kind]
	if !known {
		code = codes.Internal
	}
	// gRPC refuses to send a status whose text is not UTF-8, and an error may quote a caller's
	// text.
	st := status.New(code, validText(e.Message))
	detail := errorToPB(e)
	makeValidText(detail)
	// If the detail cannot be encoded, the code alone still says the kind.
	withDetail, err := st.WithDetails(detail)
	if err != nil {
		return st.Err()
	}
	return withDetail.Err()
}

// contractError finds the contract's error in the chain, or makes one.
func contractError(err error) *integration.Error {
	var e *integration.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &integration.Error{Kind: integration.KindDeadline, Message: "not done in time", Err: err}
	default:
		return &integration.Error{Kind: integration.KindInternal, Message: internalText, Err: err}
	}
}

// Unknown reports whether Status hides the text of err, so that it belongs in the log of this
// process.
func Unknown(err error) bool {
	return err != nil && contractError(err).Message == internalText
}

// FromStatus turns an error of a gRPC call into an *integration.Error. One that the plugin sent
// comes back as it was; one of the transport has a *TransportError as its cause.
func FromStatus(err error) error {
	if err == nil {
		return nil
	}
	st := status.Convert(err)
	for _, d := range st.Details() {
		if detail, ok := d.(*pb.Error); ok {
			return knownKind(errorFromPB(detail), st.Code())
		}
	}
	e := &integration.Error{Kind: kindOfCode(st.Code()), Err: &TransportError{status: st}}
	switch st.Code() {
	case codes.DeadlineExceeded:
		e.Message = "the plugin did not answer in time"
	case codes.Canceled:
		e.Message = "the call was given up"
	case codes.ResourceExhausted:
		e.Message = fmt.Sprintf("a message is larger than the limit of %d bytes: send less", integration.MaxMessageBytes)
	case codes.Unavailable:
		e.Message = "the plugin cannot be reached"
	case codes.Unimplemented:
		e.Message = "the plugin does not offer this call: upgrade it"
	// The text is a library's or a panic's: it is in the plugin's log, and may hold a secret.
	case codes.Unknown:
		e.Message = internalText
	default:
		e.Message = "the call failed: " + st.Message()
	}
	return e
}

// knownKind is an error of the plugin. One of a later release may have kinds that we do not know:
// then the code says the nearest one that we do.
func knownKind(e *integration.Error, code codes.Code) *integration.Error {
	if _, known := kindCodes[e.Kind]; !known {
		e.Kind = kindOfCode(code)
	}
	return e
}

// kindOfCode reads a code that came without a detail; an unknown one is internal.
func kindOfCode(c codes.Code) integration.Kind {
	if k, ok := codeKinds[c]; ok {
		return k
	}
	return integration.KindInternal
}

// errorToPB leaves the cause behind: Err is for errors.Is within one process.
func errorToPB(e *integration.Error) *pb.Error {
	if e == nil {
		return nil
	}
	return &pb.Error{Kind: string(e.Kind), Message: e.Message, Field: e.Field, Code: e.Code}
}

func errorFromPB(e *pb.Error) *integration.Error {
	if e == nil {
		return nil
	}
	return &integration.Error{
		Kind:    integration.Kind(e.GetKind()),
		Message: e.GetMessage(),
		Field:   e.GetField(),
		Code:    e.GetCode(),
	}
}
