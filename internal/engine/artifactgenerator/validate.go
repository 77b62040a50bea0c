package artifactgenerator

import (
	"fmt"
	"strings"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
)

// validate refuses what the definition of the kind cannot.
func (a *attempt) validate() error {
	obj, aliases, names := a.obj, map[string]bool{}, map[string]bool{}
	invalid := func(format string, args ...any) error {
		return &failure{reason: generator.ValidationFailedReason, stalled: true, err: fmt.Errorf(format, args...)}
	}
	for _, s := range obj.Spec.Sources {
		if aliases[s.Alias] {
			return invalid("duplicate source alias '%s' found", s.Alias)
		}
		aliases[s.Alias] = true
		if a.o.NoCrossNamespaceRefs && s.Namespace != "" && s.Namespace != obj.Namespace {
			return &failure{reason: generator.AccessDeniedReason, stalled: true,
				err: fmt.Errorf("cross-namespace reference to source %s/%s/%s is not allowed", s.Kind, s.Namespace, s.Name)}
		}
	}
	for _, artifact := range obj.Spec.OutputArtifacts {
		if names[artifact.Name] {
			return invalid("duplicate artifact name '%s' found", artifact.Name)
		}
		names[artifact.Name] = true
		if alias := strings.TrimPrefix(artifact.Revision, "@"); alias != "" && !aliases[alias] {
			return invalid("artifact %s revision source alias '%s' not found", artifact.Name, alias)
		}
		if alias := strings.TrimPrefix(artifact.OriginRevision, "@"); alias != "" && !aliases[alias] {
			return invalid("artifact %s origin revision source alias '%s' not found", artifact.Name, alias)
		}
	}
	// It would grow for ever.
	for _, s := range obj.Spec.Sources {
		if s.Kind == sourcev1.ExternalArtifactKind && (s.Namespace == "" || s.Namespace == obj.Namespace) && names[s.Name] {
			return invalid("artifact %s would be made of itself", s.Name)
		}
	}
	return nil
}
