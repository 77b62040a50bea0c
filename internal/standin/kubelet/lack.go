package kubelet

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// noValue is what Go templates write where a field is not there.
const noValue = "<no value>"

// lack returns what an application misses that it does not start without, in a
// sentence that holds no value; "" is nothing. Only what is certain counts: a
// value that a template could not fill, and a database of the cluster itself
// that is not there or that nobody answers for.
func (l lookup) lack(ctx context.Context, c *corev1.Container) (string, error) {
	all, err := l.variables(ctx, c)
	if err != nil {
		return "", err
	}
	if name := undefined(c, all); name != "" {
		return fmt.Sprintf("the variable %s, which the command names, is not defined", name), nil
	}
	for _, v := range all {
		if v.secret && strings.Contains(v.value, noValue) {
			return fmt.Sprintf("the variable %s holds %q, which a template writes where a field is not there", v.name, noValue), nil
		}
		host, ok := databaseHost(v.name, v.value)
		if !ok {
			continue
		}
		problem, err := l.database(ctx, host)
		if err != nil {
			return "", err
		}
		if problem != "" {
			return fmt.Sprintf("cannot reach the database that the variable %s names: %s", v.name, problem), nil
		}
	}
	return "", nil
}

// variableName finds $(NAME) in a command, which Kubernetes leaves as it is
// where nothing defines NAME. $$(NAME) is meant as it stands.
// https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/
var variableName = regexp.MustCompile(`(\$?)\$\(([A-Z][A-Z0-9_]*)\)`)

// undefined returns a variable that a command names and that nothing defines;
// "" is none. What a shell reads may be its own, and what Services bring is
// not looked at.
func undefined(c *corev1.Container, defined []variable) string {
	command := slices.Concat(c.Command, c.Args)
	if len(command) > 1 && slices.ContainsFunc(command, func(s string) bool { return s == "-c" || strings.HasSuffix(s, "sh") }) {
		return ""
	}
	for _, text := range command {
		for _, found := range variableName.FindAllStringSubmatch(text, -1) {
			name := found[2]
			known := slices.ContainsFunc(defined, func(v variable) bool { return v.name == name })
			if found[1] == "" && !known && !strings.Contains(name, "_SERVICE_") && !strings.Contains(name, "_PORT") {
				return name
			}
		}
	}
	return ""
}

// databaseURL finds the host of a database's URL. What stands before the last
// at sign is none of it.
var databaseURL = regexp.MustCompile(`^(?:jdbc:)?(?:postgres|postgresql|mysql|mariadb|mongodb)(?:\+[a-z0-9]+)?://(?:.*@)?([a-zA-Z0-9.-]+)(?::[0-9]+)?(?:[/?]|$)`)

// databaseVariable are names of variables whose value is a database's host.
var databaseVariable = regexp.MustCompile(`(?i)(?:db|database|postgres|postgresql|pg|pgsql|mysql|mariadb|mongo|mongodb)_*(?:host|hostname|server|addr|address)$`)

// plainHost is a host, with a port or without.
var plainHost = regexp.MustCompile(`^([a-zA-Z0-9.-]+)(?::[0-9]+)?$`)

// maxValue bounds how long a value may be to be looked into.
const maxValue = 4096

// databaseHost returns the host of the database that a variable names, if any.
func databaseHost(name, value string) (string, bool) {
	if len(value) > maxValue {
		return "", false
	}
	found := databaseURL.FindStringSubmatch(value)
	if found == nil && databaseVariable.MatchString(name) {
		found = plainHost.FindStringSubmatch(value)
	}
	if found == nil {
		return "", false
	}
	return strings.ToLower(strings.TrimSuffix(found[1], ".")), true
}

// endpointSuffix ends the names of the Services of a CloudNativePG cluster.
// https://cloudnative-pg.io/documentation/current/service_management/
var endpointSuffix = regexp.MustCompile(`-(?:rw|ro|r)$`)

// database returns why a database's host does not answer; "" where it does, or
// where nobody can tell: hosts outside of the cluster, and short names of which
// no database cluster is known.
func (l lookup) database(ctx context.Context, host string) (string, error) {
	labels := strings.Split(host, ".")
	key := types.NamespacedName{Namespace: l.pod.Namespace, Name: labels[0]}
	if len(labels) > 1 {
		key.Namespace = labels[1]
	}
	explicit := len(labels) > 2 && labels[2] == "svc"
	if !explicit && (len(labels) > 2 || !endpointSuffix.MatchString(key.Name)) {
		return "", nil
	}
	service := &corev1.Service{}
	found, err := l.getAt(ctx, "Service", key, service)
	switch {
	case err != nil:
		return "", err
	case !found && (explicit || l.hasCluster(ctx, key)):
		return fmt.Sprintf("there is no Service %s", key), nil
	case !found, len(service.Spec.Selector) == 0:
		return "", nil
	}
	ready, err := l.hasEndpoints(ctx, key)
	if err != nil || ready {
		return "", err
	}
	return fmt.Sprintf("Service %s has no ready endpoints", key), nil
}

// hasCluster reports whether a Service belongs to a CloudNativePG cluster that
// exists. Where that cannot be read, nobody knows, and so it does not.
func (l lookup) hasCluster(ctx context.Context, service types.NamespacedName) bool {
	cluster := clusterObject()
	key := client.ObjectKey{Namespace: service.Namespace, Name: endpointSuffix.ReplaceAllString(service.Name, "")}
	return l.k.reader.Get(ctx, key, cluster) == nil
}

// hasEndpoints reports whether a Service has a ready endpoint.
func (l lookup) hasEndpoints(ctx context.Context, service types.NamespacedName) (bool, error) {
	l.k.wakes.wait(client.ObjectKeyFromObject(l.pod), reference{endpoints, service})
	list := &discoveryv1.EndpointSliceList{}
	err := l.k.client.List(ctx, list, client.InNamespace(service.Namespace),
		client.MatchingLabels{discoveryv1.LabelServiceName: service.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list.Items, func(s discoveryv1.EndpointSlice) bool {
		return slices.ContainsFunc(s.Endpoints, func(e discoveryv1.Endpoint) bool {
			return e.Conditions.Ready == nil || *e.Conditions.Ready
		})
	}), nil
}
