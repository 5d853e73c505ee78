package options

// migrations[n] turns a document of format n into one of n+1, in place. There is none yet: format 1 is the first.
var migrations = map[int]func(map[string]any){}

// migrate brings a document of a format to [Format]; 0 is today's.
func migrate(values map[string]any, format int) {
	for f := format; f > 0 && f < Format; f++ {
		if m := migrations[f]; m != nil {
			m(values)
		}
	}
}
