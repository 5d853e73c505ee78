package main

import "path/filepath"

// archives writes two archives a platform: one with everything, and one with the plugin alone, for
// switchboard plugin install. The first has pages and completions, too.
func (r *release) archives() error {
	// Links of the pages must lead to files of the same archive.
	shared, err := r.relinked(r.shared, func(name string) string { return name })
	if err != nil {
		return err
	}
	for _, t := range r.built {
		folder := "livecall_" + r.source.version + t.suffix()
		// The programs first; writeArchive sorts by name anyway.
		whole := append(below("plugins/livecall", t.pluginFiles()), entry{name: "switchboard", file: t.switchboard(), executable: true})
		name := r.name("livecall", t.suffix()+".tar.gz")
		if err := writeArchive(name, r.source.committed, below(folder, append(whole, shared...))); err != nil {
			return err
		}
		plugin := t.pluginFiles()
		// The licences must come along wherever the program does.
		for _, e := range r.shared {
			if e.name == "LICENSE" || e.name == "LICENSES.txt" {
				plugin = append(plugin, e)
			}
		}
		name = r.name("livecall-plugin", t.suffix()+".tar.gz")
		if err := writeArchive(name, r.source.committed, below("livecall", plugin)); err != nil {
			return err
		}
	}
	return nil
}

// pluginFiles are the two files of the plugin's folder. A host needs no others of it.
func (t target) pluginFiles() []entry {
	return []entry{
		{name: "livecall", file: filepath.Join(t.plugin(), "livecall"), executable: true},
		{name: "manifest.json", file: filepath.Join(t.plugin(), "manifest.json")},
	}
}
