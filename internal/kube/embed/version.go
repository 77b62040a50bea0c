package embed

import (
	"strings"

	"k8s.io/apimachinery/pkg/version"
	apiserverversion "k8s.io/apiserver/pkg/util/compatibility"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/component-base/compatibility"
)

// Version is the Kubernetes that is linked in. The modules carry no version of
// their own unless linker flags set it, and charts refuse to install on a
// server without one.
const Version = "v1.37.2"

// release reports [Version] where the build information has only placeholders.
type release struct {
	compatibility.MutableEffectiveVersion
}

func (r release) Info() *version.Info {
	info := r.MutableEffectiveVersion.Info()
	if info == nil {
		return nil
	}
	info.GitVersion = Version
	info.GitCommit = ""
	info.GitTreeState = "archive"
	return info
}

// componentGlobals makes the registry from which the API server learns its
// version. Feature gates stay those of the process.
func componentGlobals() (compatibility.ComponentGlobalsRegistry, error) {
	registry := compatibility.NewComponentGlobalsRegistry()
	err := registry.Register(compatibility.DefaultKubeComponent, release{apiserverversion.DefaultBuildEffectiveVersion()}, utilfeature.DefaultMutableFeatureGate)
	return registry, err
}

// minor cuts a version such as v1.37.2 down to v1.37.
func minor(v string) string {
	parts := strings.SplitN(v, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
