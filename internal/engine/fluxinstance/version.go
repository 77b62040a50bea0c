package fluxinstance

import (
	"fmt"

	"github.com/Masterminds/semver/v3"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

// fluxVersion is the Flux that Hearth behaves like.
const fluxVersion = "v2.9.0"

// played are the controllers whose part Hearth plays, in the version whose
// behaviour it has.
var played = map[string]string{
	"source-controller":       "v1.9.6",
	"kustomize-controller":    "v1.9.6",
	"helm-controller":         "v1.6.5",
	"notification-controller": "v1.9.4",
	"source-watcher":          "v2.2.2",
}

// coreComponents are those of an instance that names none.
var coreComponents = []fluxcdv1.Component{"source-controller", "kustomize-controller", "helm-controller", "notification-controller"}

// wantsOther reports whether an instance asks for another version than Hearth
// plays.
func wantsOther(expression string) (bool, error) {
	constraint, err := semver.NewConstraint(expression)
	if err != nil {
		return false, fmt.Errorf("spec.distribution.version %q is no range of versions: %w", expression, err)
	}
	return !constraint.Check(semver.MustParse(fluxVersion)), nil
}

// componentImages lists the controllers that are played.
func componentImages(obj *fluxcdv1.FluxInstance) []fluxcdv1.ComponentImage {
	var images []fluxcdv1.ComponentImage
	for _, component := range components(obj) {
		if tag, ok := played[string(component)]; ok {
			images = append(images, fluxcdv1.ComponentImage{
				Name: string(component), Repository: obj.Spec.Distribution.Registry + "/" + string(component), Tag: tag,
			})
		}
	}
	return images
}

func components(obj *fluxcdv1.FluxInstance) []fluxcdv1.Component {
	if len(obj.Spec.Components) == 0 {
		return coreComponents
	}
	return obj.Spec.Components
}
