package schema

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/version"

	"hearth/internal/spelling"
)

// removal is when Kubernetes stopped to serve an API version, and what serves
// its kinds since.
type removal struct {
	minor       int
	replacement string
}

// removals are by "group/version Kind", or "group/version" for all kinds.
var removals = map[string]removal{
	"extensions/v1beta1 Ingress":                                          {22, "networking.k8s.io/v1"},
	"extensions/v1beta1 NetworkPolicy":                                    {16, "networking.k8s.io/v1"},
	"extensions/v1beta1 PodSecurityPolicy":                                {16, ""},
	"extensions/v1beta1":                                                  {16, "apps/v1"},
	"apps/v1beta1":                                                        {16, "apps/v1"},
	"apps/v1beta2":                                                        {16, "apps/v1"},
	"networking.k8s.io/v1beta1 Ingress":                                   {22, "networking.k8s.io/v1"},
	"networking.k8s.io/v1beta1 IngressClass":                              {22, "networking.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1alpha1":                                  {20, "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1beta1":                                   {22, "rbac.authorization.k8s.io/v1"},
	"apiextensions.k8s.io/v1beta1":                                        {22, "apiextensions.k8s.io/v1"},
	"apiregistration.k8s.io/v1beta1":                                      {22, "apiregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration":   {22, "admissionregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration": {22, "admissionregistration.k8s.io/v1"},
	"certificates.k8s.io/v1beta1 CertificateSigningRequest":               {22, "certificates.k8s.io/v1"},
	"coordination.k8s.io/v1beta1 Lease":                                   {22, "coordination.k8s.io/v1"},
	"scheduling.k8s.io/v1beta1 PriorityClass":                             {22, "scheduling.k8s.io/v1"},
	"scheduling.k8s.io/v1alpha1 PriorityClass":                            {17, "scheduling.k8s.io/v1"},
	"storage.k8s.io/v1beta1 CSIStorageCapacity":                           {27, "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1 CSIDriver":                                    {22, "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1 CSINode":                                      {22, "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1 StorageClass":                                 {22, "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1 VolumeAttachment":                             {22, "storage.k8s.io/v1"},
	"batch/v1beta1":                                                       {25, "batch/v1"},
	"batch/v2alpha1":                                                      {21, "batch/v1"},
	"discovery.k8s.io/v1beta1":                                            {25, "discovery.k8s.io/v1"},
	"events.k8s.io/v1beta1":                                               {25, "events.k8s.io/v1"},
	"autoscaling/v2beta1":                                                 {25, "autoscaling/v2"},
	"autoscaling/v2beta2":                                                 {26, "autoscaling/v2"},
	"policy/v1beta1 PodSecurityPolicy":                                    {25, ""},
	"policy/v1beta1":                                                      {25, "policy/v1"},
	"node.k8s.io/v1beta1":                                                 {25, "node.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta1":                                {26, "flowcontrol.apiserver.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta2":                                {29, "flowcontrol.apiserver.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta3":                                {32, "flowcontrol.apiserver.k8s.io/v1"},
}

// unserved judges an object whose kind no schema describes. It is a problem
// where the group is one of Kubernetes, and otherwise not known.
func (s *Set) unserved(apiVersion, kind string, o Options) ([]Problem, bool) {
	if c := (&check{unknown: o.Unknown}); c.isUnknown(apiVersion) || c.isUnknown(kind) || kind == "" {
		return nil, false
	}
	group, _ := splitVersion(apiVersion)
	if r, ok := removedFrom(apiVersion, kind); ok {
		if minor, known := minorOf(o.Kubernetes); known && minor < r.minor {
			return nil, false
		}
		return []Problem{removed(apiVersion, kind, r)}, true
	}
	if _, ok := s.archive.groups[group]; !ok {
		return s.unknownGroup(group, kind)
	}
	if versions := s.archive.versionsOf(group, kind); len(versions) > 0 {
		return []Problem{{
			Path:    []string{"apiVersion"},
			Message: "Kubernetes does not serve " + kind + " as `" + apiVersion + "`, but as " + quoted(versions, "and"),
			Fix:     "write `" + versions[0] + "`",
		}}, true
	}
	return []Problem{s.unknownKind(apiVersion, group, kind)}, true
}

func removedFrom(apiVersion, kind string) (removal, bool) {
	if r, ok := removals[apiVersion+" "+kind]; ok {
		return r, true
	}
	r, ok := removals[apiVersion]
	return r, ok
}

func removed(apiVersion, kind string, r removal) Problem {
	p := Problem{
		Path:    []string{"apiVersion"},
		Message: "Kubernetes does not serve " + kind + " as `" + apiVersion + "` since version 1." + strconv.Itoa(r.minor),
	}
	if r.replacement != "" {
		p.Message += "; `" + r.replacement + "` replaces it"
		p.Fix = "write `" + r.replacement + "`, and adapt the fields that changed"
	}
	return p
}

// minorOf returns the 34 of v1.34.1.
func minorOf(version string) (int, bool) {
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(parts) < 2 || parts[0] != "1" {
		return 0, false
	}
	minor, err := strconv.Atoi(parts[1])
	return minor, err == nil
}

// unknownGroup judges a group that Kubernetes does not have. Those of custom
// kinds have a dot, so that one without is a mistake.
func (s *Set) unknownGroup(group, kind string) ([]Problem, bool) {
	if strings.Contains(group, ".") {
		return nil, false
	}
	p := Problem{Path: []string{"apiVersion"}, Message: "there is no API group `" + group + "`"}
	if versions := s.elsewhere(kind); len(versions) > 0 {
		p.Message += ": " + kind + " is served as " + quoted(versions, "and")
		p.Fix = "write `" + versions[0] + "`"
	}
	return []Problem{p}, true
}

// unknownKind judges a kind that a group of Kubernetes does not have.
func (s *Set) unknownKind(apiVersion, group, kind string) Problem {
	if versions := s.elsewhere(kind); len(versions) > 0 {
		return Problem{
			Path:    []string{"apiVersion"},
			Message: "Kubernetes does not serve " + kind + " as `" + apiVersion + "`, but as " + quoted(versions, "and"),
			Fix:     "write `" + versions[0] + "`",
		}
	}
	p := Problem{Path: []string{"kind"}, Message: "Kubernetes has no kind `" + kind + "` in `" + apiVersion + "`"}
	var kinds []string
	for _, served := range s.archive.groups[group] {
		kinds = append(kinds, served.kind)
	}
	if meant := spelling.Guess(kind, kinds); meant != "" {
		p.Message += ": did you mean `" + meant + "`"
		p.Fix = "write `" + meant + "`"
	}
	return p
}

// elsewhere returns the API versions of Kubernetes that serve a kind,
// whatever their group.
func (s *Set) elsewhere(kind string) []string {
	var list []string
	for group := range s.archive.groups {
		list = append(list, s.archive.versionsOf(group, kind)...)
	}
	newestFirst(list)
	return list
}

// older reports whether the definition serves no version as new as this one.
func (d *Definition) older(than string) bool {
	return !slices.ContainsFunc(d.versions, func(v *servedVersion) bool { return version.CompareKubeAwareVersionStrings(v.name, than) >= 0 })
}

// unservedVersion says that a definition does not serve a version.
func unservedVersion(d *Definition, version string) Problem {
	serves := d.apiVersions()
	p := Problem{Path: []string{"apiVersion"}, Message: d.Kind + " is not served as `" + d.Group + "/" + version + "`", Dated: d.supplied, Release: d.release, Novel: d.older(version)}
	switch {
	case len(serves) == 0:
		p.Message += ": its definition serves no version"
	default:
		p.Message += ", but as " + quoted(serves, "and")
		p.Fix = "write `" + serves[0] + "`"
	}
	return p
}
