package launcher

// runHost is a host process that launches a plugin and waits to be killed.
func runHost() {}
