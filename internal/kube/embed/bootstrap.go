package embed

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	schedulingv1 "k8s.io/kubernetes/pkg/apis/scheduling/v1"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"
)

// bootstrapWriters is how many objects are created at a time.
const bootstrapWriters = 8

// bootstrap creates the roles, bindings and priority classes that every
// cluster has. It takes the place of two start hooks of the API server that
// do the same one by one, and only after a second's wait.
func bootstrap(ctx context.Context, client kubernetes.Interface) error {
	if err := createAll(ctx, bootstrapNamespaces(client)); err != nil {
		return err
	}
	return createAll(ctx, append(bootstrapRoles(client), bootstrapPriorityClasses(client)...))
}

// creation is one object to create, unless it is there already.
type creation struct {
	what   string
	create func(context.Context, metav1.CreateOptions) error
}

func createAll(ctx context.Context, all []creation) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(bootstrapWriters)
	for _, c := range all {
		g.Go(func() error {
			err := c.create(ctx, metav1.CreateOptions{FieldManager: "kube-apiserver"})
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return fmt.Errorf("creating %s: %w", c.what, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// bootstrapNamespaces are those that the namespaced roles live in.
func bootstrapNamespaces(client kubernetes.Interface) []creation {
	var all []creation
	for namespace := range bootstrappolicy.NamespaceRoles() {
		all = append(all, creation{"namespace " + namespace, func(ctx context.Context, o metav1.CreateOptions) error {
			_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, o)
			return err
		}})
	}
	return all
}

func bootstrapRoles(client kubernetes.Interface) []creation {
	var all []creation
	rbac := client.RbacV1()
	for _, role := range append(bootstrappolicy.ClusterRoles(), bootstrappolicy.ControllerRoles()...) {
		all = append(all, creation{"cluster role " + role.Name, func(ctx context.Context, o metav1.CreateOptions) error {
			_, err := rbac.ClusterRoles().Create(ctx, &role, o)
			return err
		}})
	}
	for _, binding := range append(bootstrappolicy.ClusterRoleBindings(), bootstrappolicy.ControllerRoleBindings()...) {
		all = append(all, creation{"cluster role binding " + binding.Name, func(ctx context.Context, o metav1.CreateOptions) error {
			_, err := rbac.ClusterRoleBindings().Create(ctx, &binding, o)
			return err
		}})
	}
	for namespace, roles := range bootstrappolicy.NamespaceRoles() {
		for _, role := range roles {
			all = append(all, creation{"role " + namespace + "/" + role.Name, func(ctx context.Context, o metav1.CreateOptions) error {
				_, err := rbac.Roles(namespace).Create(ctx, &role, o)
				return err
			}})
		}
	}
	for namespace, bindings := range bootstrappolicy.NamespaceRoleBindings() {
		for _, binding := range bindings {
			all = append(all, creation{"role binding " + namespace + "/" + binding.Name, func(ctx context.Context, o metav1.CreateOptions) error {
				_, err := rbac.RoleBindings(namespace).Create(ctx, &binding, o)
				return err
			}})
		}
	}
	return all
}

func bootstrapPriorityClasses(client kubernetes.Interface) []creation {
	var all []creation
	for _, class := range schedulingv1.SystemPriorityClasses() {
		all = append(all, creation{"priority class " + class.Name, func(ctx context.Context, o metav1.CreateOptions) error {
			_, err := client.SchedulingV1().PriorityClasses().Create(ctx, class, o)
			return err
		}})
	}
	return all
}
