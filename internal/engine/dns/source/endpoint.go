package source

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/engine/dns/record"
)

// EndpointKind is the kind by which records are written down as they are.
var EndpointKind = schema.GroupVersionKind{Group: "externaldns.k8s.io", Version: "v1alpha1", Kind: "DNSEndpoint"}

// dnsEndpoint is what is read of a DNSEndpoint.
type dnsEndpoint struct {
	Spec struct {
		Endpoints []*struct {
			DNSName          string   `json:"dnsName"`
			RecordType       string   `json:"recordType"`
			RecordTTL        int64    `json:"recordTTL"`
			Targets          []string `json:"targets"`
			SetIdentifier    string   `json:"setIdentifier"`
			ProviderSpecific []struct {
				Name  string `json:"name"`
				Value string `json:"value"`
			} `json:"providerSpecific"`
		} `json:"endpoints"`
	} `json:"spec"`
}

// endpoints reads the records that DNSEndpoints write down.
func (r *reading) endpoints() {
	for _, obj := range r.Endpoints {
		if _, ok := r.wanted(obj); !ok {
			continue
		}
		var one dnsEndpoint
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &one); err != nil {
			continue // nothing that External-DNS could read either
		}
		for _, e := range one.Spec.Endpoints {
			if e == nil || e.RecordTTL < 0 {
				continue
			}
			kind := strings.ToUpper(e.RecordType)
			if kind == "" && len(e.Targets) > 0 {
				kind = record.TypeOf(e.Targets[0])
			}
			var properties map[string]string
			for _, p := range e.ProviderSpecific {
				if properties == nil {
					properties = map[string]string{}
				}
				properties[canonicalProperty(p.Name)] = p.Value
			}
			if !fits(kind, e.Targets) {
				continue
			}
			r.note(record.Record{
				Name: record.Canonical(e.DNSName), Type: kind, Targets: record.Targets(kind, e.Targets), TTL: e.RecordTTL,
				SetIdentifier: e.SetIdentifier, Properties: properties, Resource: "crd/" + obj.GetNamespace() + "/" + obj.GetName(),
			})
		}
	}
}

// canonicalProperty brings a property's name, which may be written as the
// annotation is, to its short form.
func canonicalProperty(name string) string {
	if _, last, ok := strings.Cut(name, "/"); ok {
		if attribute, ok := strings.CutPrefix(last, "cloudflare-"); ok {
			return "cloudflare/" + attribute
		}
	}
	return name
}

// fits reports whether all targets are of the type.
func fits(kind string, targets []string) bool {
	if kind != record.A && kind != record.AAAA {
		return true
	}
	for _, target := range targets {
		if record.TypeOf(target) != kind {
			return false
		}
	}
	return true
}
