package routing

import (
	"slices"

	"hearth/internal/domain"
	"hearth/internal/spelling"
)

// nearest returns what was probably meant by a name that nothing has: the same
// name in another namespace, or one that is spelled nearly like it, rather in
// the same namespace.
func nearest(want domain.Ref, have []domain.Ref) (domain.Ref, bool) {
	slices.SortFunc(have, domain.Ref.Compare)
	var best domain.Ref
	for _, ref := range have {
		if ref.Kind != want.Kind || !spelling.Near(ref.Name, want.Name) {
			continue
		}
		nearer := spelling.Distance(ref.Name, want.Name) - spelling.Distance(best.Name, want.Name)
		if best.Name == "" || nearer < 0 || nearer == 0 && ref.Namespace == want.Namespace {
			best = ref
		}
	}
	return best, best.Name != ""
}
