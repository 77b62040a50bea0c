package secrets

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadProvider(t *testing.T) {
	spec := func(provider map[string]any) map[string]any {
		return map[string]any{"spec": map[string]any{"provider": provider}}
	}
	tests := []struct {
		name    string
		content map[string]any
		want    string
		vaults  []string
	}{
		{"connect", spec(map[string]any{"onepassword": map[string]any{"connectHost": "http://connect", "vaults": map[string]any{"B": int64(1), "C": int64(2), "A": int64(2)}}}),
			"onepassword", []string{"B", "A", "C"}},
		{"sdk", spec(map[string]any{"onepasswordSDK": map[string]any{"vault": "Homelab"}}), "onepasswordSDK", []string{"Homelab"}},
		{"another", spec(map[string]any{"bitwardensecretsmanager": map[string]any{"projectID": "x"}}), "bitwardensecretsmanager", nil},
		{"nothing", map[string]any{}, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name, vaults := readProvider(tt.content)
			if diff := cmp.Diff([]any{tt.want, tt.vaults}, []any{name, vaults}); diff != "" {
				t.Error(diff)
			}
		})
	}
}
