package spelling

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "abc", 0}, {"", "abc", 3}, {"abc", "", 3},
		{"envoy-interal", "envoy-internal", 1}, {"evnoy", "envoy", 1}, {"envoy", "convoy", 2}, {"kitten", "sitting", 3},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	have := []string{"internal", "rook-ceph-filesystem", "rook-ceph-block", "nfs"}
	for want, meant := range map[string]string{
		"rook-ceph-blok": "rook-ceph-block", "external": "", "ceph-rook": "", "rook-ceph-filesytem": "rook-ceph-filesystem", "nfs4": "nfs", "smb": "",
	} {
		if got, _ := Nearest(want, have); got != meant {
			t.Errorf("Nearest(%q) = %q, want %q", want, got, meant)
		}
	}
}
