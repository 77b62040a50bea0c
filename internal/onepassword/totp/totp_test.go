package totp_test

import (
	"encoding/base32"
	"strings"
	"testing"
	"time"

	"hearth/internal/onepassword/totp"
)

// TestCodes holds the codes against the table in appendix B of RFC 6238.
func TestCodes(t *testing.T) {
	secret := func(length int) string {
		return base32.StdEncoding.EncodeToString([]byte(strings.Repeat("1234567890", 7)[:length]))
	}
	uris := map[string]string{
		"SHA1":   "otpauth://totp/Example:alice?issuer=Example&digits=8&secret=" + secret(20),
		"SHA256": "otpauth://totp/x?algorithm=SHA256&digits=8&secret=" + secret(32),
		"SHA512": "otpauth://totp/x?algorithm=sha512&digits=8&period=30&secret=" + secret(64),
	}
	tests := []struct {
		at   int64
		want map[string]string
	}{
		{59, map[string]string{"SHA1": "94287082", "SHA256": "46119246", "SHA512": "90693936"}},
		{1111111109, map[string]string{"SHA1": "07081804", "SHA256": "68084774", "SHA512": "25091201"}},
		{1234567890, map[string]string{"SHA1": "89005924", "SHA256": "91819424", "SHA512": "93441116"}},
		{20000000000, map[string]string{"SHA1": "65353130", "SHA256": "77737706", "SHA512": "47863826"}},
	}
	for _, tt := range tests {
		for algorithm, want := range tt.want {
			key, err := totp.Parse(uris[algorithm])
			if err != nil {
				t.Fatal(err)
			}
			if got := key.Code(time.Unix(tt.at, 0)); got != want {
				t.Errorf("%s at %d: got %s, want %s", algorithm, tt.at, got, want)
			}
		}
	}
}

func TestBareSecret(t *testing.T) {
	key, err := totp.Parse("gezd gnbv gy3t qojq gezd gnbv gy3t qojq")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(59, 0)
	if got := key.Code(at); got != "287082" {
		t.Errorf("got %s, want the last six digits of the RFC's", got)
	}
}

func TestParseErrors(t *testing.T) {
	const canary = "c4n4ry"
	for _, text := range []string{
		"", canary + "!", "otpauth://hotp/x?secret=GEZDGNBV&" + canary, "otpauth://totp/x?secret=" + canary + "1",
		"otpauth://totp/x?secret=GEZDGNBV&digits=5", "otpauth://totp/x?secret=GEZDGNBV&digits=" + canary,
		"otpauth://totp/x?secret=GEZDGNBV&period=0", "otpauth://totp/x?secret=GEZDGNBV&period=9999999999999",
		"otpauth://totp/x?secret=GEZDGNBV&algorithm=" + canary, "otpauth://totp/%zz" + canary, "otpauth://totp/x", strings.Repeat("A", 5000),
	} {
		if _, err := totp.Parse(text); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%.40q: got %v, want an error that does not cite it", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("otpauth://totp/x?algorithm=SHA256&digits=8&period=60&secret=GEZDGNBV")
	f.Add("GEZD GNBV")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := totp.Parse(text)
		if err != nil {
			return
		}
		at := time.Unix(1_700_000_000, 0)
		if code := key.Code(at); len(code) < 6 || len(code) > 9 {
			t.Errorf("code of %d digits", len(code))
		}
	})
}
