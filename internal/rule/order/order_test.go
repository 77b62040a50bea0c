package order

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"hearth/internal/rule"
	"hearth/internal/rule/ruletest"
)

func TestRules(t *testing.T) { ruletest.Run(t, Rules) }

// TestMeant suggests what was probably meant.
func TestMeant(t *testing.T) {
	for _, test := range []struct {
		rule      *rule.Rule
		name, fix string
	}{
		{dependsOnUnknown, "namespace", "name: external-secrets, namespace: external-secrets"},
		{dependsOnUnknown, "spelling", "name: external-secrets, namespace: external-secrets"},
		{dependsOnUnknown, "release", ""},
		{substitutionUndefined, "typo", "${SECRET_DOMAIN}"},
		{substitutionUndefined, "script", ""},
		{dependsOnMissing, "half", "dependsOn: - name: cloudnative-pg-operator, namespace: dbms"},
		{dependsOnMissing, "beside", "dependsOn: - name: envoy-gateway"},
		{dependsOnMissing, "other-side-waits", ""},
	} {
		archive, err := txtar.ParseFile(filepath.Join("testdata", test.rule.Name, test.name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		found := ruletest.Findings(t, test.rule, ruletest.Write(t, archive))
		if len(found) != 1 || found[0].Fix != test.fix {
			t.Errorf("%s %s: %+v, want one with the fix %q", test.rule.Name, test.name, found, test.fix)
		}
	}
}
