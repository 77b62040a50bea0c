package manifest

import "testing"

func TestMentions(t *testing.T) {
	docs, err := Parse("a.yaml", []byte("smtp:\n  type: secret\n  name: smtp\nother:\n  text: |\n    first\n    second\n"))
	if err != nil {
		t.Fatal(err)
	}
	is := func(text string) func(string) bool { return func(line string) bool { return line == text } }
	for _, tt := range []struct {
		text           string
		mention, value int
	}{
		{"smtp", 1, 3}, {"second", 7, 7}, {"other", 4, 0}, {"nowhere", 0, 0},
	} {
		if got := docs[0].MentionLine(is(tt.text)); got != tt.mention {
			t.Errorf("%s is mentioned in line %d, want %d", tt.text, got, tt.mention)
		}
		if got := docs[0].ValueLine(is(tt.text)); got != tt.value {
			t.Errorf("%s is a value in line %d, want %d", tt.text, got, tt.value)
		}
	}
}
