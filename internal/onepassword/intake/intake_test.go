package intake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/onepassword/intake"
)

const canary = "c4n4ry"

// text writes what was read, one line an item.
func text(r intake.Result) string {
	var out strings.Builder
	for _, in := range r.Items {
		fmt.Fprintf(&out, "%s/%s %s", in.Vault, in.Item.Title, in.Item.Category)
		for _, tag := range in.Item.Tags {
			fmt.Fprintf(&out, " #%s", tag)
		}
		for _, u := range in.Item.URLs {
			fmt.Fprintf(&out, " %s", u.Href)
		}
		for _, f := range in.Item.Fields {
			fmt.Fprintf(&out, " %s:%s.%s=%q", f.Type, f.Section, f.Label, f.Value.Reveal())
		}
		out.WriteString("\n")
	}
	return out.String()
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, file, content string
		options             intake.Options
		want                string
		left                int
	}{
		{
			"a list of op", "items.json",
			`[{"title":"a","category":"LOGIN","vault":{"id":"x","name":"Home"},"tags":["t"],"urls":[{"href":"https://e.com","primary":true}]},{"title":"b","category":"SECURE_NOTE","vault":{"name":"Home"}}]`,
			intake.Options{}, "Home/a LOGIN #t https://e.com\nHome/b SECURE_NOTE\n", 1,
		},
		{
			"items of op, one after the other", "-",
			"{\"title\":\"a\",\"category\":\"LOGIN\",\"vault\":{\"name\":\"Home\"},\"fields\":[{\"id\":\"username\",\"type\":\"STRING\",\"purpose\":\"USERNAME\",\"label\":\"username\",\"value\":\"me\"},{\"id\":\"x\",\"section\":{\"id\":\"s\",\"label\":\"db\"},\"type\":\"OTP\",\"label\":\"code\",\"value\":\"v\",\"totp\":\"123456\"},{\"id\":\"notesPlain\",\"type\":\"STRING\"}]}\n{\"title\":\"b\",\"category\":\"DOCUMENT\",\"files\":[{\"name\":\"f\"}]}",
			intake.Options{Vault: "Mine"}, "Mine/a LOGIN STRING:.username=\"me\" OTP:db.code=\"v\" STRING:.notesPlain=\"\"\nMine/b DOCUMENT\n", 1,
		},
		{
			".env", "app.env",
			"# comment\n\nA=1\nexport B = two words # comment\r\nC=\"l1\nl2\\n\\\"q\\\" \\$X #\" # comment\nD='a\\n\"b\"'\nE=\nF=a#b\nG=#x\n",
			intake.Options{Item: "app"},
			"/app LOGIN CONCEALED:.A=\"1\" CONCEALED:.B=\"two words\" CONCEALED:.C=\"l1\\nl2\\n\\\"q\\\" $X #\" CONCEALED:.D=\"a\\\\n\\\"b\\\"\" CONCEALED:.E=\"\" CONCEALED:.F=\"a#b\" CONCEALED:.G=\"\"\n", 0,
		},
		{
			"a table of items", "export.csv",
			"\ufeffTitle,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes,Url,PIN\na,me,p,otpauth://x,false,false,t;u,\"l1\nl2\",https://e.com,\nold,,x,,,true,,,,\n",
			intake.Options{}, "/a LOGIN #t #u https://e.com STRING:.username=\"me\" CONCEALED:.password=\"p\" OTP:.one-time password=\"otpauth://x\" STRING:.notesPlain=\"l1\\nl2\"\n", 1,
		},
		{
			"a table of fields", "fields.csv", "item,section,field,value,type\na,,F,1,\na,s,F,2,string\nb,,F,3,\n",
			intake.Options{}, "/a LOGIN CONCEALED:.F=\"1\" STRING:s.F=\"2\"\n/b LOGIN CONCEALED:.F=\"3\"\n", 0,
		},
		{"a table of fields of one item", "x", "key,value\nF,1\n", intake.Options{Format: intake.CSV, Item: "a"}, "/a LOGIN CONCEALED:.F=\"1\"\n", 0},
		{"nothing", "x.csv", "", intake.Options{}, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := intake.Parse(tt.file, []byte(tt.content), tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, text(r)); diff != "" || len(r.Left) != tt.left {
				t.Errorf("%s%d left: %v", diff, len(r.Left), r.Left)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, file, content, want string }{
		{"no format", "secrets", "c4n4ry", "import secrets: its format is not known"},
		{"no JSON", "x.json", "[\n{\"title\": c4n4ry", "x.json:1: is no valid JSON"},
		{"other JSON", "x.json", "[\n[\"c4n4ry\"]]", "x.json:1: is not the JSON of 1Password items"},
		{"a value that is no text", "x.json", `{"title":"a","fields":[{"label":"b","value":["c4n4ry"]}]}`, "is not the JSON of 1Password items"},
		{"no title", "x.json", "\n{\"fields\":[]}", "x.json:2: an item has no title"},
		{"no assignment", ".env", "A=1\nc4n4ry words", ".env:2: is no NAME=value"},
		{"a name that is none", ".env", "c4n4ry-=1\n1c4n4ry=x", ".env:2: is no NAME=value"},
		{"an open quote", ".env", "A=\"c4n4ry\nB=1", ".env:1: a quote is not closed"},
		{"text behind a quote", ".env", "\nA='x' c4n4ry", ".env:2: something stands behind"},
		{"twice", ".env", "A=\"1\n2\"\nA=c4n4ry", ".env:3: the field is given twice"},
		{"ragged", "x.csv", "title,a\nb\n", "x.csv:2: is no valid CSV"},
		{"an open cell", "x.csv", "title,a\nb,\"c4n4ry\n", "is no valid CSV"},
		{"no columns", "x.csv", "c4n4ry,b\n", "x.csv:1: the table needs a column title"},
		{"one column twice", "x.csv", "title,name\n", "x.csv:1: two columns mean the same"},
		{"a field without a name", "x.csv", "item,field,value\na,,c4n4ry\n", "x.csv:2: the field has no name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := intake.Parse(tt.file, []byte(tt.content), intake.Options{Item: "app"})
			var fault *intake.Error
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("got %v, want %q and no value", err, tt.want)
			}
		})
	}
	if _, err := intake.Parse(".env", []byte("A=1"), intake.Options{}); err == nil || !strings.Contains(err.Error(), "--item") {
		t.Errorf("without an item: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("op", `[{"title":"a","fields":[{"label":"b","value":"c"}]}] {"title":"d"}`)
	f.Add("env", "export A='1\n2' # x\nB=\"\\")
	f.Add("csv", "title,password\na,\"b\n\"\n")
	f.Add("csv", "item,field,value\na,b,c\n")
	f.Fuzz(func(t *testing.T, format, content string) {
		r, err := intake.Parse("x", []byte(content), intake.Options{Format: intake.Format(format), Item: "i"})
		var fault *intake.Error
		if err != nil && !errors.As(err, &fault) {
			t.Errorf("not an Error: %T", err)
		}
		for _, in := range r.Items {
			if in.Item.Title == "" {
				t.Error("an item without a title")
			}
		}
	})
}
