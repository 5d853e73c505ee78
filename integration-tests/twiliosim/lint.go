package twiliosim

// ValidateTwiML says all that Twilio would object to in a document, without executing it; nothing: it is in order.
func ValidateTwiML(body []byte) []string {
	root, err := parseTwiML(body)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, f := range validate(root) {
		out = append(out, f.problem.Error())
	}
	return out
}
