package observe

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/kube/gitops"
	"hearth/internal/kube/objects"
)

// The bounds of a tree.
const (
	maxTreeDepth = 24
	maxTreeNodes = 50_000
)

// stateMissing is the state of an object that somebody answers for and that
// does not exist.
const stateMissing domain.State = "Missing"

// Node is an object and what it brought about.
type Node struct {
	domain.Ref
	Group string `json:"group,omitempty"`
	// State is empty where the object could not be looked at.
	State     domain.State `json:"state"`
	Ready     bool         `json:"ready"`
	Suspended bool         `json:"suspended,omitempty"`
	Message   string       `json:"message,omitempty"`
	Since     time.Time    `json:"since,omitzero"`
	Children  []*Node      `json:"children,omitempty"`
}

// TreeOptions bound a tree.
type TreeOptions struct {
	// Depth is how many levels below the root are told; 0 means all.
	Depth int
	// Compact leaves out all but the kinds by which a cluster follows Git.
	Compact bool
}

// Tree tells what an object brought about: the inventory of a Kustomization,
// the release of a HelmRelease, the Secret of an ExternalSecret, and what has
// any of those for its controller. Children are ordered by kind, namespace and
// name. Of Secrets and ConfigMaps only names and marks are read; the record of
// a Helm release is read for the names in it.
func Tree(ctx context.Context, c client.Client, root *unstructured.Unstructured, o TreeOptions) (*Node, error) {
	t := &tree{client: c, options: o, shelves: map[shelf]*content{}, climbed: map[types.UID]bool{}}
	if t.options.Depth <= 0 || t.options.Depth > maxTreeDepth {
		t.options.Depth = maxTreeDepth
	}
	return t.grow(ctx, root, 0)
}

// tree is a tree that grows.
type tree struct {
	client  client.Client
	options TreeOptions
	shelves map[shelf]*content
	climbed map[types.UID]bool // on the tree already
	nodes   int
}

// grow makes the node of an object and all below it.
func (t *tree) grow(ctx context.Context, obj *unstructured.Unstructured, depth int) (*Node, error) {
	if t.nodes++; t.nodes > maxTreeNodes {
		return nil, fmt.Errorf("tell what %s brought about: it is more than %d objects: bound it with --depth", obj.GetName(), maxTreeNodes)
	}
	s := Tell(obj)
	node := nodeOf(obj)
	node.State, node.Ready, node.Message, node.Since = s.State, s.Ready, s.Message, s.Since
	if kind, ok := gitops.Known(obj.GroupVersionKind().GroupKind()); ok {
		node.Suspended = gitops.Object{Unstructured: obj, Kind: kind}.Suspended()
	}
	// An object that several answer for is followed up once.
	if t.climbed[obj.GetUID()] || depth >= t.options.Depth {
		return node, nil
	}
	t.climbed[obj.GetUID()] = true
	brought, note, err := t.brought(ctx, obj)
	if err != nil {
		return nil, err
	}
	if note != "" {
		node.Message = note
	}
	return node, t.growAll(ctx, node, brought, depth+1)
}

// growAll grows the children of a node.
func (t *tree) growAll(ctx context.Context, node *Node, keys []objects.Key, depth int) error {
	seen := map[objects.Key]bool{}
	for _, key := range keys {
		same := objects.Key{NamespacedName: key.NamespacedName}
		same.Group, same.Kind = key.Group, key.Kind
		if seen[same] || t.options.Compact && !follower(key) {
			continue
		}
		seen[same] = true
		child, err := t.child(ctx, key, depth)
		if err != nil {
			return err
		}
		if child != nil {
			node.Children = append(node.Children, child)
		}
	}
	slices.SortStableFunc(node.Children, compareNodes)
	return nil
}

// child grows the node of a key; nil for what is on its way out of sight.
func (t *tree) child(ctx context.Context, key objects.Key, depth int) (*Node, error) {
	obj, err := t.find(ctx, key)
	switch {
	case err == nil && retired(obj):
		return nil, nil
	case err == nil:
		return t.grow(ctx, obj, depth)
	case apierrors.IsForbidden(err):
		return &Node{Ref: refOfKey(key), Group: key.Group, Message: "it may not be read"}, nil
	case apierrors.IsNotFound(err) || apimeta.IsNoMatchError(err):
		return &Node{Ref: refOfKey(key), Group: key.Group, State: stateMissing, Message: "it does not exist"}, nil
	}
	return nil, fmt.Errorf("read %s: %w", refOfKey(key), err)
}

// retired reports whether an object is one that a Deployment keeps of its past.
func retired(obj *unstructured.Unstructured) bool {
	if obj.GetKind() != "ReplicaSet" {
		return false
	}
	wanted, found, _ := unstructured.NestedInt64(obj.Object, "spec", "replicas")
	has, _, _ := unstructured.NestedInt64(obj.Object, "status", "replicas")
	return found && wanted == 0 && has == 0
}

// follower reports whether a kind is one by which a cluster follows Git.
func follower(key objects.Key) bool {
	_, ok := gitops.Known(key.GroupKind())
	return ok
}

func nodeOf(obj *unstructured.Unstructured) *Node {
	return &Node{
		Ref:   domain.Ref{Kind: obj.GetKind(), Namespace: obj.GetNamespace(), Name: obj.GetName()},
		Group: obj.GroupVersionKind().Group,
	}
}

func refOfKey(key objects.Key) domain.Ref {
	return domain.Ref{Kind: key.Kind, Namespace: key.Namespace, Name: key.Name}
}

func compareNodes(a, b *Node) int { return a.Ref.Compare(b.Ref) }
