package attach

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/standin/operator"
)

// component is who tells of attached volumes.
const component = "attachdetach-controller"

// tellUsed tells the pods of a node, once, that other nodes have the volume
// they wait for, in the words of Kubernetes 1.37.
func (a *attacher) tellUsed(ctx context.Context, volume *corev1.PersistentVolume, node string, others []string, users usage) error {
	at := place{volume.Name, node}
	a.mu.Lock()
	told := a.told[at]
	a.told[at] = true
	a.mu.Unlock()
	if told {
		return nil
	}
	return a.tell(ctx, users[node], corev1.EventTypeWarning, "FailedAttachVolume", usedMessage(volume.Name, others, users))
}

// usedMessage says who has a volume. All pods of a claim are of one namespace.
func usedMessage(volume string, others []string, users usage) string {
	var names []string
	for _, node := range others {
		for _, pod := range users[node] {
			names = append(names, pod.Name)
		}
	}
	if len(names) == 0 {
		return fmt.Sprintf("Waiting for detach for volume %q Volume is already exclusively attached to one node, waiting on detach before it can be attached to another node", volume)
	}
	slices.Sort(names)
	return fmt.Sprintf("Waiting for detach for volume %q Volume is already used by pod(s) %s", volume, strings.Join(names, ", "))
}

func (a *attacher) tell(ctx context.Context, pods []*corev1.Pod, kind, reason, message string) error {
	for _, pod := range pods {
		err := operator.Event{
			Object: corev1.ObjectReference{
				APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
			},
			Component: component, Type: kind, Reason: reason, Message: message,
		}.Write(ctx, a.client)
		if err != nil {
			return err
		}
	}
	return nil
}
