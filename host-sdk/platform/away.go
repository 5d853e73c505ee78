package platform

import "github.com/livecallrouting/livecall/host-sdk/integration"

// CodeAway is the code of errors which say that the platform does not answer at the moment. Their
// text, which may name its server, is for the log; people are told that the platform is away.
const CodeAway = "platform_away"

// Away makes an error of the code [CodeAway]. The kind is KindUnavailable where the request
// certainly had no effect, KindDeadline where it may have had one.
func Away(kind integration.Kind, format string, args ...any) *integration.Error {
	e := integration.Errorf(kind, format, args...)
	e.Code = CodeAway
	return e
}
