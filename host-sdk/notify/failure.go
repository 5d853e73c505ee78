package notify

import (
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/nicholas-fedor/shoutrrr/pkg/util/jsonclient"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// errPanic stands for a panic of a service, whose text may hold anything.
var errPanic = errors.New("the service's client failed")

// failure says what an error of a service means. Its own text is left out: it may hold the address,
// and what the other side has answered. The kind decides what the host does: unavailable is tried
// again for as long as the alert waits, invalid is shown to the person whose address it is.
func failure(to Address, err error) error {
	if err == nil {
		return nil
	}
	status := statusOf(err)
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status == http.StatusTooEarly || status >= 500:
		return integration.Errorf(integration.KindUnavailable, "%s answered %d %s", to, status, http.StatusText(status))
	case status >= 400:
		return integration.Errorf(integration.KindInvalid, "%s refused it with %d %s: correct the address, or what the service allows", to, status, http.StatusText(status))
	}
	return integration.Errorf(integration.KindUnavailable, "%s %s", to, trouble(err))
}

// Status codes in the texts of errors: behind the words of the services for it, or before the words
// of HTTP. ntfy's own codes begin with that of HTTP (ntfy docs: publish, "error codes").
var (
	statusWords = regexp.MustCompile(`\b([45][0-9]{2}) [A-Z][a-z]`)
	statusAfter = regexp.MustCompile(`(?i)(?:status|code|http)[^0-9]{0,12}([45][0-9]{2})\b`)
	addresses   = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"]+`) // may hold any number
	ntfyCode    = regexp.MustCompile(`\(([45][0-9]{2})[0-9]{2}\)`)
)

// statusOf is the HTTP status of a failure, as far as the service says it; 0: it does not. Services
// return errors of their own without a type, so a status must be found in the words. One that is
// missed counts as unavailable: the attempt is repeated.
func statusOf(err error) int {
	var answered jsonclient.Error
	if errors.As(err, &answered) && answered.StatusCode >= 400 {
		return answered.StatusCode
	}
	var request *url.Error
	if errors.As(err, &request) { // there was no answer, and its text holds the address
		return 0
	}
	text := addresses.ReplaceAllString(err.Error(), "")
	for _, pattern := range []*regexp.Regexp{statusWords, ntfyCode, statusAfter} {
		if found := pattern.FindStringSubmatch(text); found != nil {
			status, _ := strconv.Atoi(found[1])
			return status
		}
	}
	return 0
}

// trouble is a failure without an answer of the service, in plain words.
func trouble(err error) string {
	var name *net.DNSError
	var timeout net.Error
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	// Some services keep the text of an error alone.
	says := func(words string) bool { return strings.Contains(err.Error(), words) }
	switch {
	case errors.As(err, &name), says("no such host"):
		return "cannot be found: its name is not known to the name servers"
	case errors.Is(err, syscall.ECONNREFUSED), says("connection refused"):
		return "cannot be reached: the connection was refused"
	case errors.As(err, &timeout) && timeout.Timeout(), says("Client.Timeout"), says("deadline exceeded"):
		return "did not answer in time"
	case errors.As(err, &authority), errors.As(err, &host), errors.As(err, &invalid), says("x509: "):
		return "has a certificate that cannot be trusted"
	}
	return "could not be notified"
}
