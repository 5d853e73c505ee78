package settings

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/access"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/platform/goalert"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
)

// Platform is the platform in front of which the host runs, with its secrets read from where the
// file says they are. The file names places of secrets, never the secrets themselves.
type Platform struct {
	Kind    string // one of switchboardfile's kinds
	Remote  Remote
	GoAlert GoAlert
}

// Remote are the settings of a platform that is a service of its own.
type Remote struct {
	URL          string
	Token        Secret
	HintsSecrets []Secret // the second one while the first is replaced
	Tenant       string
	TLS          *tls.Config // nil: the system's authorities, and no certificate of our own
}

// GoAlert are the settings of a GoAlert server.
type GoAlert struct {
	URL  string
	Keys GoAlertKeys
}

// Page is the address at which people find the platform; "" for the embedded one, whose pages are
// the host's. Pages link to it.
func (p Platform) Page() string {
	switch p.Kind {
	case switchboardfile.KindRemote:
		return p.Remote.URL
	case switchboardfile.KindGoAlert:
		return p.GoAlert.URL
	}
	return ""
}

// Secrets are the values that no log may show. See wording.Redactor.
func (p Platform) Secrets() []string {
	out := []string{p.Remote.Token.Reveal(), string(p.GoAlert.Keys.CallKey), string(p.GoAlert.Keys.PollKey), string(p.GoAlert.Keys.WebhookToken)}
	for _, s := range p.Remote.HintsSecrets {
		out = append(out, s.Reveal())
	}
	for _, s := range p.GoAlert.Keys.Services {
		out = append(out, string(s.Key))
	}
	return out
}

// Config is what the adapter needs of the settings.
func (r Remote) Config() remote.Config {
	c := remote.Config{URL: r.URL, Token: r.Token.Reveal(), Tenant: r.Tenant, TLS: r.TLS}
	for _, s := range r.HintsSecrets {
		c.HintsSecrets = append(c.HintsSecrets, s.Reveal())
	}
	return c
}

// Config is what the adapter needs of the settings.
func (g GoAlert) Config() goalert.Config {
	return goalert.Config{URL: g.URL, CallKey: g.Keys.CallKey, PollKey: g.Keys.PollKey, WebhookToken: g.Keys.WebhookToken, Services: g.Keys.Services, Expires: g.Keys.Expires}
}

// ForFile is Resolve with everything that a switchboard file says: its settings, and its platform.
// An error is a joined list of *Problem, or a FileError about the section platform.
func ForFile(flags Flags, file *switchboardfile.File, exeDir string) (Settings, error) {
	s, err := Resolve(flags, file.Settings, exeDir)
	if err != nil {
		return s, err
	}
	var problems []switchboardfile.Problem
	if s.Platform, problems = ReadPlatform(file); len(problems) > 0 {
		return s, &switchboardfile.FileError{Problems: problems}
	}
	return s, nil
}

// ReadPlatform reads what the file says of the platform, and its secrets. What is wrong is reported
// with its place in the file, and without the value of a secret. All problems are found at once.
func ReadPlatform(file *switchboardfile.File) (Platform, []switchboardfile.Problem) {
	r := platformReader{file: file, dir: filepath.Dir(file.Path)}
	p := Platform{Kind: file.Platform.Kind}
	switch p.Kind {
	case switchboardfile.KindRemote:
		p.Remote = r.remote(file.Platform)
	case switchboardfile.KindGoAlert:
		p.GoAlert = r.goalert(file.Platform)
	}
	return p, r.problems
}

// platformReader reads the section platform and collects what is wrong with it. Its methods return
// a zero value for what is wrong, and go on.
type platformReader struct {
	file     *switchboardfile.File
	dir      string // of the file
	problems []switchboardfile.Problem
}

// wrong adds a problem with a member of the section.
func (r *platformReader) wrong(member string, err error) {
	r.problems = append(r.problems, r.file.ProblemAt("/platform/"+member, err.Error()))
}

// remote reads a platform that is a service of its own, and has its adapter check it.
func (r *platformReader) remote(in switchboardfile.Platform) Remote {
	out := Remote{URL: in.URL, Tenant: in.Tenant}
	var err error
	if out.Token, err = r.secret(in.Token, maxSecret); err != nil {
		r.wrong("token", err)
	}
	if in.HintsSecret != (switchboardfile.SecretPlace{}) {
		text, err := r.secret(in.HintsSecret, maxSecret)
		if err != nil {
			r.wrong("hints_secret", err)
		}
		// Two secrets, separated by white space, while one replaces the other.
		for _, one := range strings.Fields(text.Reveal()) {
			out.HintsSecrets = append(out.HintsSecrets, Secret(one))
		}
	}
	out.TLS = r.tls(in)
	// The adapter would only say the same again.
	if len(r.problems) > 0 {
		return out
	}
	if _, err := remote.New(out.Config()); err != nil { // asks nobody
		r.wrong(memberOf(err))
	}
	return out
}

// goalert reads the address of a GoAlert server and the keys for it.
func (r *platformReader) goalert(in switchboardfile.Platform) GoAlert {
	out := GoAlert{URL: in.URL}
	text, err := r.secret(in.Keys, maxKeys)
	if err == nil {
		out.Keys, err = parseGoAlertKeys([]byte(text.Reveal()))
	}
	if err != nil {
		r.wrong("keys", err)
		return out
	}
	if err := out.Config().Check(); err != nil {
		r.wrong(memberOf(err))
	}
	return out
}

// memberOf finds the member of the section by which an adapter's error begins, such as "url: ".
// Without such a beginning it is about the keys.
func memberOf(err error) (string, error) {
	text := err.Error()
	if known := (*integration.Error)(nil); errors.As(err, &known) {
		text = known.Message // without the kind
	}
	for _, member := range []string{"url", "token", "hints_secret"} {
		if rest, ok := strings.CutPrefix(text, member+": "); ok {
			return member, errors.New(rest)
		}
	}
	return "keys", errors.New(text)
}

// path is relative to the file, so that it means the same from wherever the host is started.
func (r *platformReader) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.dir, path)
}

// secret reads a secret from where it is. An error names the place, never what is there.
func (r *platformReader) secret(place switchboardfile.SecretPlace, limit int64) (Secret, error) {
	var value string
	if place.Env != "" {
		if value = strings.TrimSpace(os.Getenv(place.Env)); value == "" {
			return "", fmt.Errorf("the environment variable %s is not set, or empty", place.Env)
		}
		return Secret(value), nil
	}
	path := r.path(place.File)
	data, err := readSecret(path, limit)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no file %s", path)
	case err != nil:
		return "", err
	}
	if value = strings.TrimSpace(string(data)); value == "" {
		return "", fmt.Errorf("the file %s is empty", path)
	}
	return Secret(value), nil
}

// tls makes the settings of connections, nil where the file says nothing of them. Files are read
// once here, so that a mistake is said at the start.
func (r *platformReader) tls(in switchboardfile.Platform) *tls.Config {
	if in.CAFile == "" && in.ClientCert == "" && in.ClientKey == "" {
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if in.CAFile != "" {
		data, err := os.ReadFile(r.path(in.CAFile))
		config.RootCAs = x509.NewCertPool()
		if err == nil && !config.RootCAs.AppendCertsFromPEM(data) {
			err = fmt.Errorf("the file %s holds no certificate in PEM form", r.path(in.CAFile))
		}
		if err != nil {
			r.wrong("ca_file", err)
		}
	}
	switch {
	case in.ClientCert == "" && in.ClientKey == "":
	case in.ClientCert == "":
		r.wrong("client_key", errors.New("there is no client_cert for it"))
	case in.ClientKey == "":
		r.wrong("client_cert", errors.New("there is no client_key for it"))
	default:
		r.clientCertificate(config, r.path(in.ClientCert), r.path(in.ClientKey))
	}
	return config
}

// clientCertificate reads the files anew for each connection, so that a renewed certificate needs
// no restart. They are read once here as well, to report what is wrong.
func (r *platformReader) clientCertificate(config *tls.Config, cert, key string) {
	if info, err := os.Stat(key); err == nil {
		if err := access.Secret(key, info); err != nil {
			r.wrong("client_key", err)
			return
		}
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		r.wrong("client_cert", err)
		return
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		return &pair, err
	}
}
