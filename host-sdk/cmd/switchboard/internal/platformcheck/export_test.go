package platformcheck

// Unexplained lists the explanations that belong to no check of a report.
func Unexplained(r *Report) []string {
	ran := map[string]bool{}
	for c := range r.each() {
		ran[c.Name] = true
	}
	var out []string
	for name := range about {
		if !ran[name] {
			out = append(out, name)
		}
	}
	return out
}
