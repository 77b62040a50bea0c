package repo

import "testing"

func TestOwner(t *testing.T) {
	r := &Repository{Clusters: []*Cluster{
		{Name: "all", Path: "."},
		{Name: "edge", Path: "kubernetes/main/edge"},
		{Name: "main", Path: "kubernetes/main"},
		{Name: "one", Path: "shared"},
		{Name: "two", Path: "shared"},
	}}
	for name, want := range map[string]string{
		"kubernetes/main":              "main",
		"kubernetes/main/apps/a.yaml":  "main",
		"kubernetes/main/edge/a.yaml":  "edge",
		"kubernetes/mainframe/a.yaml":  "",
		"kubernetes/components/a.yaml": "",
		"shared/a.yaml":                "",
	} {
		got := ""
		if c := r.Owner(name); c != nil {
			got = c.Name
		}
		if got != want {
			t.Errorf("the owner of %s is %q, want %q", name, got, want)
		}
	}
}
