package islands

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAddresses(t *testing.T) {
	tests := map[string][]string{
		"10.11.1.2":                     {"10.11.1.2"},
		"https://10.11.1.2:6443/x":      {"10.11.1.2"},
		"nfs:10.11.1.2:/volume":         {"10.11.1.2"},
		"10.11.1.2,10.11.1.3":           {"10.11.1.2", "10.11.1.3"},
		"10.11.1.2-10.11.1.9":           {"10.11.1.2", "10.11.1.9"},
		"10.11.0.0/16":                  {"10.11.0.0/16"},
		"10.11.1.2/path":                {"10.11.1.2"},
		"10.11.1.2.nip.io":              {"10.11.1.2"},
		"ends with 10.11.1.2.":          {"10.11.1.2"},
		"v10.11.1.2":                    nil,
		"1.10.11.1.2":                   nil,
		"10.11.1.2.3":                   nil,
		"10.11.1.2a":                    nil,
		"10.11.1.299":                   nil,
		"ghcr.io/example/app:10.11.1.2": nil,
		"fd00:11::1":                    {"fd00:11::1"},
		"http://[fd00:11::1]:80":        {"fd00:11::1"},
		"fd00:11::/64":                  {"fd00:11::/64"},
		"10:11:12":                      nil,
		"aa:bb:cc:dd:ee:ff":             nil,
		"":                              nil,
	}
	for line, want := range tests {
		var got []string
		for _, a := range addresses(line) {
			got = append(got, a.text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
}

func FuzzAddresses(f *testing.F) {
	f.Add("10.11.1.2/16, fd00::1")
	f.Add("a:1.2.3.4")
	f.Fuzz(func(t *testing.T, line string) {
		for _, a := range addresses(line) {
			if !a.prefix.IsValid() {
				t.Errorf("%q in %q is no address", a.text, line)
			}
		}
	})
}
