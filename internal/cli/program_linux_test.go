package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCleanMappings holds that only such pages are given back as come again
// from the file unchanged.
func TestCleanMappings(t *testing.T) {
	heading := func(line, anonymous string) string {
		return line + "\nRss: 8 kB\nAnonymous: " + anonymous + " kB\nVmFlags: rd mr\n"
	}
	smaps := strings.Join([]string{
		heading("00400000-00402000 r--p 00000000 fe:00 12 /opt/my apps/hearth", "0"),
		heading("00402000-00405000 r-xp 00002000 fe:00 12 /opt/my apps/hearth", "0"),
		heading("00405000-00406000 r--p 00005000 fe:00 12 /opt/my apps/hearth", "4"), // the loader wrote to it
		heading("00406000-00407000 rw-p 00006000 fe:00 12 /opt/my apps/hearth", "0"),
		heading("7f0000000000-7f0000002000 r-xp 00000000 fe:00 13 /usr/lib/libc.so.6", "0"),
		heading("7f0000004000-7f0000006000 r--p 00000000 00:00 0 ", "0"),
		heading("zz-yy r--p 00000000 fe:00 12 /opt/my apps/hearth", "0"),
	}, "")
	want := []mapping{{0x400000, 0x402000}, {0x402000, 0x405000}}
	if diff := cmp.Diff(want, clean([]byte(smaps), "/opt/my apps/hearth"), cmp.AllowUnexported(mapping{})); diff != "" {
		t.Error(diff)
	}
}

// TestForgetProgram goes on after its own program was forgotten.
func TestForgetProgram(t *testing.T) {
	own, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	if len(clean(maps, own)) == 0 {
		t.Fatal("the program has no pages to forget")
	}
	forgetProgram()
	if _, err := os.Readlink("/proc/self/exe"); err != nil {
		t.Fatal(err)
	}
}
