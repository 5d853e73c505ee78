package datadir

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
)

// addressName is the file in the data directory that says where the running host can be reached
// from this machine: the settings may say port 0, or name another address than the host was started
// with.
const addressName = "address"

// KeepAddress writes down where this host can be reached from this machine; forget takes it away.
// Only the owner can read it, though it is no secret: nobody else needs it. Commands at this
// machine read it.
func KeepAddress(dir string, bound net.Addr) (forget func(), err error) {
	path := filepath.Join(dir, addressName)
	if err := os.WriteFile(path, []byte(settings.Settings{}.PublicURLFor(bound)+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("data directory %s: cannot be written: %w", dir, wording.RootCause(err))
	}
	return func() { _ = os.Remove(path) }, nil
}

// Address is where the host that runs on the data directory listens. The settings are a guess for
// a host that could not write its address.
func Address(s settings.Settings) string {
	if kept, err := os.ReadFile(filepath.Join(s.DataDir, addressName)); err == nil {
		return strings.TrimSpace(string(kept))
	}
	return "http://" + s.Listen
}
