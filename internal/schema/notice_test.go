package schema

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNoticeNamesWhatIsCarried holds NOTICE to the operators whose definitions
// are carried.
func TestNoticeNamesWhatIsCarried(t *testing.T) {
	source, err := os.ReadFile("generate_operators.go")
	if err != nil {
		t.Fatal(err)
	}
	notice, err := os.ReadFile(filepath.Join("..", "..", "NOTICE"))
	if err != nil {
		t.Fatal(err)
	}
	carried := regexp.MustCompile(`module: "([^"]+)", version: "([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(carried) == 0 {
		t.Fatal("no operators found")
	}
	for _, operator := range carried {
		if !strings.Contains(string(notice), " "+operator[1]+" "+operator[2]+",") {
			t.Errorf("NOTICE does not name %s %s", operator[1], operator[2])
		}
	}
}
