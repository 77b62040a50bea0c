package notification

import (
	"strings"
	"testing"

	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestFiltersChooseResources(t *testing.T) {
	obj := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "podinfo", Labels: map[string]string{"team": "apps"}}}
	body := `{"repository":{"name":"podinfo"},"tag":"v1"}`
	tests := map[string]struct {
		top, own, kind, body string
		want                 bool
		err                  string
	}{
		"none":                      {want: true},
		"the request's name":        {top: "res.metadata.name == req.repository.name", want: true},
		"another name":              {top: "res.metadata.name == 'other'"},
		"both must hold":            {top: "true", own: "req.tag == 'v2'"},
		"both hold":                 {top: "true", own: "res.metadata.labels.team == 'apps'", want: true},
		"a body that is no JSON":    {top: "!has(req.tag)", kind: "text/plain", want: true},
		"a field that is not there": {top: "req.missing == 'x'", err: "no such key"},
		"JSON that is no object":    {top: "true", body: "[]", err: "JSON object"},
		"JSON null":                 {top: "true", body: "null", err: "JSON object"},
		"broken JSON":               {top: "true", body: "{", err: "JSON object"},
		"no boolean":                {top: "'yes'", err: "output type mismatch"},
		"no expression":             {own: "((", err: "failed to parse"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			spec := &notificationv1.ReceiverSpec{ResourceFilter: test.top, Resources: []notificationv1.ReceiverResource{{Filter: test.own}}}
			kind, text := jsonType, body
			if test.kind != "" {
				kind = test.kind
			}
			if test.body != "" {
				text = test.body
			}
			filters, err := filtersOf(spec, headers("Content-Type", kind), []byte(text), nil)
			got := false
			if err == nil {
				got, err = filters[0].accepts(t.Context(), obj)
			}
			if (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("error %v, want %q", err, test.err)
			}
			if got != test.want {
				t.Errorf("accepted: %v, want %v", got, test.want)
			}
		})
	}
}
