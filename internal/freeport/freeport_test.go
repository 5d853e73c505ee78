package freeport

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// asked makes the test binary a program that takes some addresses and says them.
const asked = "FREEPORT_TEST_TAKE"

func TestMain(m *testing.M) {
	anywhere = 7 // all processes look for a block at the same place
	if os.Getenv(asked) == "" {
		os.Exit(m.Run())
	}
	for range 60 { // more than one block has
		address, err := Take()
		if err != nil {
			fmt.Println(err)
		}
		fmt.Println(address)
	}
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the test closes it
}

// Several processes that take addresses at the same time never get the same one, and nothing
// listens on any of them.
func TestNoAddressIsGivenOutTwice(t *testing.T) {
	t.Parallel()
	owner := map[string]int{}
	take := func(process int, address string) {
		if other, taken := owner[address]; taken {
			t.Errorf("processes %d and %d both have %s", other, process, address)
		}
		owner[address] = process
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("process %d: nobody can listen on its address: %v", process, err)
			return
		}
		_ = l.Close()
	}
	for process := 1; process <= 4; process++ {
		for _, address := range otherProcess(t) {
			take(process, address)
		}
	}
	for range 60 {
		take(0, Address(t))
	}
}

// otherProcess starts a process that takes addresses and lives on until the test ends.
func otherProcess(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asked+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	var said bytes.Buffer
	for part := make([]byte, 4096); bytes.Count(said.Bytes(), []byte("\n")) < 60; {
		n, err := out.Read(part)
		if err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
		said.Write(part[:n])
	}
	return strings.Fields(said.String())
}
