package endpoint

import lru "github.com/hashicorp/golang-lru/v2"

// cached is the number of instances for which a result is kept: those used last.
const cached = 256

// cache keeps what follows from its key alone, so that it need not be worked out at every request.
type cache[K comparable, V any] struct{ kept *lru.Cache[K, V] }

func newCache[K comparable, V any]() cache[K, V] {
	c, err := lru.New[K, V](cached)
	if err != nil {
		panic(err) // the size is not positive
	}
	return cache[K, V]{c}
}

// get returns the value of a key, and works it out if it is not kept.
func (c cache[K, V]) get(key K, make func() V) V {
	if v, ok := c.kept.Get(key); ok {
		return v
	}
	v := make()
	c.kept.Add(key, v)
	return v
}
