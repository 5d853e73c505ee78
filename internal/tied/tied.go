// Package tied starts programs that end when the program that starts them does, however that ends.
// A test binary that is killed cannot stop what it has started: without this, its hosts would run
// on. It is so on Linux; elsewhere programs are started as usual.
package tied

import (
	"bytes"
	"os/exec"
)

// Start is cmd.Start. A process group and other attributes that cmd has are kept. The program is
// killed when this one ends; what it has started itself must watch its own parent.
func Start(cmd *exec.Cmd) error { return start(cmd) }

// CombinedOutput is cmd.CombinedOutput of a program that is started by Start.
func CombinedOutput(cmd *exec.Cmd) ([]byte, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := Start(cmd); err != nil {
		return nil, err
	}
	err := cmd.Wait()
	return out.Bytes(), err
}
