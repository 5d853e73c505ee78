package options

import "testing"

func BenchmarkLoad(b *testing.B) {
	data := doc(nil)
	for b.Loop() {
		Load(data, 1, Context{Destinations: team})
	}
}
