package settings_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"

	"hearth/internal/engine/dns/plan"
	"hearth/internal/engine/dns/settings"
)

// The arguments are in the form in which External-DNS' chart writes them.
func TestParse(t *testing.T) {
	s, err := settings.Parse([]string{
		"--log-level=debug", "--interval=2m", "--events", "--source=gateway-httproute", "--source", "crd", "--policy=upsert-only", "--registry=txt",
		"--txt-owner-id=$(CLUSTER)", "--txt-prefix=k8s.", "--domain-filter=example.org", "--domain-filter=Example.com.", "--exclude-domains=private.example.org",
		"--provider=cloudflare", "--cloudflare-proxied", "--no-publish-internal-services", "--cloudflare-dns-records-per-page=1000",
		"--gateway-label-filter=exposure=external", "--gateway-name=envoy-external", "--annotation-filter=external-dns.alpha.kubernetes.io/target",
		"--managed-record-types=A", "--managed-record-types=AAAA", "--exclude-record-types=AAAA", "--min-ttl=5m", "--fqdn-template={{.Name}}.example.org",
	}, map[string]string{"CLUSTER": "main", "EXTERNAL_DNS_NAMESPACE": "media", "EXTERNAL_DNS_POLICY": "sync"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{
		"provider": s.Provider, "sources": s.Sources, "policy": s.Policy, "owner": s.OwnerID, "prefix": s.Affix.Prefix, "domains": s.Domains,
		"excluded": s.ExcludedDomains, "proxied": s.CloudflareProxied, "interval": s.Interval, "namespace": s.Namespace, "gateway": s.GatewayName,
		"types": s.Types, "minTTL": s.MinTTL, "unplayed": s.Unplayed, "internal": s.PublishInternal,
	}
	want := map[string]any{
		"provider": "cloudflare", "sources": []string{"gateway-httproute", "crd"}, "policy": plan.UpsertOnly, "owner": "main", "prefix": "k8s.",
		"domains": []string{"example.org", "example.com"}, "excluded": []string{"private.example.org"}, "proxied": true, "interval": 2 * time.Minute,
		"namespace": "media", "gateway": "envoy-external", "types": []string{"A"}, "minTTL": int64(300), "unplayed": []string{"--fqdn-template"}, "internal": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if !s.GatewayLabels.Matches(labels.Set{"exposure": "external"}) || s.GatewayLabels.Matches(labels.Set{}) {
		t.Error("the gateway label filter does not filter")
	}
	if !s.Annotations.Matches(labels.Set{"external-dns.alpha.kubernetes.io/target": "x.example.org"}) || s.Annotations.Matches(labels.Set{}) {
		t.Error("the annotation filter does not filter")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"--policy=nonsense"}, {"--registry=dynamodb"}, {"--interval=soon"}, {"--txt-owner-id="}, {"--txt-prefix=a", "--txt-suffix=b"},
		{"--regex-domain-filter=("}, {"--label-filter=a=b=c"}, {"--dry-run=maybe"}, make([]string, 2000),
	} {
		if _, err := settings.Parse(args, nil); err == nil {
			t.Errorf("%.60q is taken", args)
		}
	}
}

func TestManages(t *testing.T) {
	tests := []struct {
		args []string
		name string
		want bool
	}{
		{nil, "a.example.org", true},
		{[]string{"--domain-filter=example.org"}, "example.org", true},
		{[]string{"--domain-filter=example.org"}, "a.b.example.org", true},
		{[]string{"--domain-filter=example.org"}, "badexample.org", false},
		{[]string{"--domain-filter=.example.org"}, "example.org", false},
		{[]string{"--domain-filter=.example.org"}, "a.example.org", true},
		{[]string{"--domain-filter=a.org,b.org"}, "x.b.org", true},
		{[]string{"--domain-filter=example.org", "--exclude-domains=in.example.org"}, "x.in.example.org", false},
		{[]string{"--regex-domain-filter=^a\\.", "--domain-filter=nothing.org"}, "a.example.org", true},
		{[]string{"--regex-domain-filter=^a\\.", "--regex-domain-exclusion=org$"}, "a.example.org", false},
	}
	for _, test := range tests {
		s, err := settings.Parse(test.args, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Manages(test.name); got != test.want {
			t.Errorf("%v: manages %s: %v", test.args, test.name, got)
		}
	}
}

func TestChartArguments(t *testing.T) {
	args := settings.ChartArguments(map[string]any{
		"provider":      map[string]any{"name": "webhook", "webhook": map[string]any{"image": map[string]any{"repository": "ghcr.io/x/external-dns-y-webhook"}}},
		"sources":       []any{"crd", "service"},
		"policy":        "sync",
		"txtOwnerId":    "main",
		"domainFilters": []any{"example.org"},
		"extraArgs":     map[string]any{"gateway-name": "internal", "cloudflare-proxied": false, "source": []any{"gateway-tlsroute"}},
	})
	s, err := settings.Parse(args, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"crd", "service", "gateway-tlsroute"}, s.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if s.Provider != "webhook" || s.Policy != plan.Sync || s.OwnerID != "main" || s.GatewayName != "internal" || len(s.Domains) != 1 {
		t.Errorf("the settings are %+v", s)
	}
	if s, err := settings.Parse(settings.ChartArguments(nil), nil); err != nil || s.Policy != plan.UpsertOnly || len(s.Sources) != 2 {
		t.Errorf("without values the settings are %+v: %v", s, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("--source=crd\n--policy\nsync", "A=b")
	f.Add("--$(A)=$$(A)$(", "EXTERNAL_DNS_SOURCE=crd")
	f.Add("--no-dry-run\n--no-\n--\n--=", "")
	f.Fuzz(func(t *testing.T, text, env string) {
		name, value, _ := strings.Cut(env, "=")
		s, err := settings.Parse(strings.Split(text, "\n"), map[string]string{name: value})
		if err == nil && (s.Interval < time.Second || s.Registry != "txt" && s.Registry != "noop") {
			t.Errorf("%q makes %+v", text, s)
		}
		s.Manages("a.example.org")
	})
}
