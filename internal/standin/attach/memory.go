package attach

import (
	"context"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"hearth/internal/domain"
)

// seed takes over what an earlier run has attached, once.
func (a *attacher) seed(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seeded {
		return nil
	}
	nodes := map[string]bool{}
	list := &storagev1.VolumeAttachmentList{}
	if err := a.client.List(ctx, list); err != nil {
		return err
	}
	for i := range list.Items {
		one := &list.Items[i]
		volume := &corev1.PersistentVolume{}
		name := volumeOf(one)
		if err := a.client.Get(ctx, client.ObjectKey{Name: name}, volume); err != nil || volume.Spec.CSI == nil {
			continue // not ours
		}
		a.set(place{name, one.Spec.NodeName}, one.UID, unique(volume))
		nodes[one.Spec.NodeName] = true
	}
	a.seeded = true
	for _, node := range slices.Sorted(maps.Keys(nodes)) {
		a.show(node)
	}
	return nil
}

func volumeOf(a *storagev1.VolumeAttachment) string {
	if a.Spec.Source.PersistentVolumeName == nil {
		return ""
	}
	return *a.Spec.Source.PersistentVolumeName
}

// put notes that a node has a volume.
func (a *attacher) put(at place, uid types.UID, unique corev1.UniqueVolumeName) {
	a.mu.Lock()
	a.set(at, uid, unique)
	a.mu.Unlock()
	a.show(at.node)
}

func (a *attacher) set(at place, uid types.UID, unique corev1.UniqueVolumeName) {
	if a.volumes[at.volume] == nil {
		a.volumes[at.volume] = map[string]*attachment{}
	}
	a.volumes[at.volume][at.node] = &attachment{uid: uid, unique: unique}
	delete(a.told, at)
}

// drop notes that a node does not have a volume any more.
func (a *attacher) drop(at place) {
	a.mu.Lock()
	delete(a.volumes[at.volume], at.node)
	if len(a.volumes[at.volume]) == 0 {
		delete(a.volumes, at.volume)
	}
	a.mu.Unlock()
	a.show(at.node)
}

// nodesOf returns the nodes that have a volume.
func (a *attacher) nodesOf(volume string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.volumes[volume]))
}

// attached returns the volumes that a node has; "" is any node.
func (a *attacher) attached(node string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var names []string
	for volume, at := range a.volumes {
		if node == "" || at[node] != nil {
			names = append(names, volume)
		}
	}
	slices.Sort(names)
	return names
}

// use notes that pods use a volume at a node.
func (a *attacher) use(at place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if one := a.volumes[at.volume][at.node]; one != nil {
		one.unused = time.Time{}
	}
}

// unused returns since when no pod uses a volume at a node.
func (a *attacher) unused(at place, now time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	one := a.volumes[at.volume][at.node]
	if one == nil {
		return now
	}
	if one.unused.IsZero() {
		one.unused = now
	}
	return one.unused
}

// forgetTold forgets who was told that somebody else has a volume, and does
// not want it any more.
func (a *attacher) forgetTold(volume string, users usage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.told, func(at place, _ bool) bool { return at.volume == volume && len(users[at.node]) == 0 })
}

func (a *attacher) startTimer(volume string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timers[volume] = a.Gate.Timer()
}

func (a *attacher) endTimer(volume string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if end := a.timers[volume]; end != nil {
		end()
		delete(a.timers, volume)
	}
}

// down reports whether a node does not answer.
func (a *attacher) down(node string) bool { return a.Faults.On(domain.FaultNodeDown, node) }

// show says on a node what is attached to it, soon.
func (a *attacher) show(node string) {
	one := &corev1.Node{}
	one.Name = node
	a.nodes <- event.GenericEvent{Object: one}
}
