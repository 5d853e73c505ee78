package process

import "math"

// OpenFiles is how many files and connections this process may have open: Windows sets no limit.
func OpenFiles() int { return math.MaxInt32 }
