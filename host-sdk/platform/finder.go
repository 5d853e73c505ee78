package platform

// Finder is implemented by platforms that notice what is wrong although they answer, such as hints
// that do not arrive. The engine shows it beside every integration's form; a host may show it
// elsewhere, such as at /readyz.
type Finder interface {
	// Findings returns what is wrong now: each a sentence for the operator with the remedy, without
	// a full stop and without secrets; sorted, and none if all is well. It returns at once and may
	// be called often.
	Findings() []string
}
