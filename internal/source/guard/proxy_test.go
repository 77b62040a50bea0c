package guard

import "testing"

func FuzzProxy(f *testing.F) {
	f.Add("socks5://proxy:1080")
	f.Add("http://u:p@[::1")
	f.Fuzz(func(t *testing.T, address string) {
		u, err := ProxyOf(map[string][]byte{"address": []byte(address)})
		if err == nil && u.Hostname() == "" {
			t.Errorf("%q names no host", address)
		}
	})
}
