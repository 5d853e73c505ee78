package patient

import (
	"runtime"
	"testing"
)

func TestCallsAtTheSameTimeDoNotWaitForOneAnother(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]hands{"kept": newHands(), "none kept": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 20 {
				begun, finish, ended := make(chan struct{}), make(chan struct{}), make(chan struct{}, 2)
				h.do(func() {
					defer func() { ended <- struct{}{} }()
					begun <- struct{}{}
					<-finish
				})
				<-begun
				// It is called while the first is busy, and takes its goroutine along.
				h.do(func() {
					defer func() { ended <- struct{}{} }()
					close(finish)
					runtime.Goexit()
				})
				<-ended
				<-ended
			}
		})
	}
}
