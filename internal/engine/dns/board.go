package dns

import (
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/engine/dns/plan"
)

// Standing says how an instance stood when it last looked.
type Standing struct {
	Name     string // namespace/workload, or as it was given
	Provider string
	Owner    string
	Time     time.Time
	// Wanted is how many records the cluster wants of it, Changed how many
	// changes the last look made, ownership records included.
	Wanted, Changed int
	// Conflicts are wanted records that cannot be made.
	Conflicts []plan.Conflict
	// Failure says why the records are not up to date; empty if they are.
	Failure string
	// Unread are sources that are not read here.
	Unread []string
}

// Board shows how all instances stand. The zero value is ready to use; its
// methods may be called concurrently.
type Board struct {
	mu  sync.Mutex
	all map[types.NamespacedName]Standing
}

// Standings returns how each instance stands, ordered by name.
func (b *Board) Standings() []Standing {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Standing
	for _, s := range b.all {
		list = append(list, s)
	}
	slices.SortFunc(list, func(x, y Standing) int { return strings.Compare(x.Name, y.Name) })
	return list
}

func (b *Board) set(key types.NamespacedName, s Standing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[types.NamespacedName]Standing{}
	}
	b.all[key] = s
}

func (b *Board) drop(key types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.all, key)
}
