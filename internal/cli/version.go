package cli

import "runtime/debug"

// version says which build this is: the module's version, or the commit that
// it was built from where the Go tool recorded one.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel at " + s.Value[:min(len(s.Value), 12)]
		}
	}
	return "devel"
}
