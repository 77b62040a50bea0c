package externalsecret

import (
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/event"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// Trigger asks the reconcilers of one manager to act now. The zero value is
// ready to use; its methods may be called concurrently.
type Trigger struct {
	mu        sync.Mutex
	toStores  map[string]chan event.GenericEvent
	toSecrets chan event.GenericEvent
	refresh   time.Time
}

// Poke validates all stores, and tries again all ExternalSecrets that are not
// in sync, at once.
func (t *Trigger) Poke() {
	t.pokeStores()
	t.mu.Lock()
	defer t.mu.Unlock()
	send(t.toSecrets)
}

// pokeStores validates all stores.
func (t *Trigger) pokeStores() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.init()
	for _, ch := range t.toStores {
		send(ch)
	}
}

// Refresh makes all ExternalSecrets read their stores again, as if each had
// been asked by a changed annotation: the vault is known to have changed.
func (t *Trigger) Refresh() {
	t.mu.Lock()
	t.refresh = time.Now()
	t.mu.Unlock()
	t.Poke()
}

// refreshed returns when Refresh was called last.
func (t *Trigger) refreshed() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refresh
}

func (t *Trigger) stores() map[string]chan event.GenericEvent {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.init()
	return t.toStores
}

func (t *Trigger) secrets() <-chan event.GenericEvent {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.init()
	return t.toSecrets
}

func (t *Trigger) init() {
	if t.toSecrets != nil {
		return
	}
	t.toSecrets = make(chan event.GenericEvent, 1)
	t.toStores = map[string]chan event.GenericEvent{
		v1.SecretStoreKind:        make(chan event.GenericEvent, 1),
		v1.ClusterSecretStoreKind: make(chan event.GenericEvent, 1),
	}
}

// send never waits: an event that is on its way already serves as well.
func send(ch chan event.GenericEvent) {
	select {
	case ch <- event.GenericEvent{Object: &v1.ExternalSecret{}}:
	default:
	}
}
