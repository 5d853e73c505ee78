package engine

import "time"

// What tests want in one commit must not depend on how busy the machine is.
func init() { followTime, decideTime = time.Minute, time.Minute }
