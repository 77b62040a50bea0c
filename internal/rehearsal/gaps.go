package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/kube/objects"
	"hearth/internal/source"
)

// gapOwner makes what a played chart would have made.
const gapOwner = client.FieldOwner("hearth-assumption")

// fillGaps makes what others wait for and what, in life, a chart would make
// that is played by a stand-in here: the objects that health checks name, and
// the Services that routes lead to. Each is an assumption. What a chart at
// hand should have made is never made up.
func (s *Stage) fillGaps(ctx context.Context) error {
	played, err := s.playedNamespaces(ctx)
	if err != nil || len(played) == 0 {
		return err
	}
	if s.fillConnect(played) {
		s.engine.trigger.Poke()
	}
	return errors.Join(s.fillHealthChecks(ctx, played), s.fillBackends(ctx, played))
}

// playedNamespaces maps the namespaces of releases whose charts are played by
// a stand-in that knows nothing of them to one of these charts.
func (s *Stage) playedNamespaces(ctx context.Context) (map[string]string, error) {
	var unknown []string // charts: URL and version
	for _, a := range s.assumptions.List() {
		if a.Kind == domain.AssumedChart && !strings.HasSuffix(chartURL(a.Subject), "/app-template") {
			unknown = append(unknown, chartURL(a.Subject))
		}
	}
	if len(unknown) == 0 {
		return nil, nil
	}
	var releases helmv2.HelmReleaseList
	if err := s.engine.client.List(ctx, &releases); err != nil {
		return nil, fmt.Errorf("look for releases of assumed charts: %w", err)
	}
	played := map[string]string{}
	for i := range releases.Items {
		if url := s.chartOf(ctx, &releases.Items[i]); slices.Contains(unknown, url) {
			played[releases.Items[i].GetReleaseNamespace()] = url
		}
	}
	return played, nil
}

func chartURL(subject string) string {
	url, _, _ := strings.Cut(subject, " ")
	return url
}

// chartOf returns the URL of a release's chart, "" where its source is not
// there or of a kind that has none.
func (s *Stage) chartOf(ctx context.Context, hr *helmv2.HelmRelease) string {
	if ref := hr.Spec.ChartRef; ref != nil && ref.Kind == sourcev1.OCIRepositoryKind {
		var repository sourcev1.OCIRepository
		key := client.ObjectKey{Namespace: cmp.Or(ref.Namespace, hr.Namespace), Name: ref.Name}
		if s.engine.client.Get(ctx, key, &repository) == nil {
			return strings.TrimRight(repository.Spec.URL, "/")
		}
	}
	if hr.Spec.Chart == nil {
		return ""
	}
	ref := hr.Spec.Chart.Spec.SourceRef
	var repository sourcev1.HelmRepository
	key := client.ObjectKey{Namespace: cmp.Or(ref.Namespace, hr.Namespace), Name: ref.Name}
	if ref.Kind != sourcev1.HelmRepositoryKind || s.engine.client.Get(ctx, key, &repository) != nil {
		return ""
	}
	return strings.TrimRight(repository.Spec.URL, "/") + "/" + hr.Spec.Chart.Spec.Chart
}

// fillHealthChecks makes the objects that Kustomizations wait for and that
// nobody has made.
func (s *Stage) fillHealthChecks(ctx context.Context, played map[string]string) error {
	var errs []error
	for _, o := range s.watcher.Snapshot() {
		if o.Kind != "Kustomization" || o.State != domain.KustomizationApplying {
			continue
		}
		for _, missing := range s.unhealthy(o.Ref) {
			chart, ok := played[missing.Key.Namespace]
			if ok && missing.Status == status.NotFoundStatus && missing.Key.Group != "" && missing.Key.Group != "apps" {
				errs = append(errs, s.make(ctx, missing.Key, chart, s.placeOf(o.Ref)))
			}
		}
	}
	return errors.Join(errs...)
}

// make creates an object of which only its name is known.
func (s *Stage) make(ctx context.Context, key objects.Key, chart string, place domain.Place) error {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(key.GroupVersionKind)
	obj.SetNamespace(key.Namespace)
	obj.SetName(key.Name)
	err := s.engine.client.Create(ctx, obj.DeepCopy(), gapOwner)
	if isUnknownKind(err) {
		if err = s.assumeKind(ctx, key.GroupVersionKind, place); err == nil {
			err = s.engine.client.Create(ctx, obj, gapOwner)
		}
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("%s: make %s in place of the chart %s: %w", place, key, chart, err)
	}
	s.assumptions.Add(domain.AssumedOperator, key.String(), fmt.Sprintf("a health check of %s waits for it, and the chart %s is played by a stand-in", place, chart))
	return nil
}

// fillBackends makes the Services, and the ports of Services, that routes lead
// to and that nobody has made.
func (s *Stage) fillBackends(ctx context.Context, played map[string]string) error {
	var http gatewayv1.HTTPRouteList
	var grpc gatewayv1.GRPCRouteList
	if err := errors.Join(s.engine.client.List(ctx, &http), s.engine.client.List(ctx, &grpc)); err != nil {
		return fmt.Errorf("look for routes to assumed charts: %w", err)
	}
	var errs []error
	fill := func(route client.Object, ref gatewayv1.BackendObjectReference) {
		if ref.Port == nil || ref.Kind != nil && *ref.Kind != "Service" || ref.Group != nil && *ref.Group != "" {
			return
		}
		key := client.ObjectKey{Namespace: route.GetNamespace(), Name: string(ref.Name)}
		if ref.Namespace != nil {
			key.Namespace = string(*ref.Namespace)
		}
		if chart, ok := played[key.Namespace]; ok {
			errs = append(errs, s.makePort(ctx, key, int32(*ref.Port), chart))
		}
	}
	for i := range http.Items {
		for _, rule := range http.Items[i].Spec.Rules {
			for _, backend := range rule.BackendRefs {
				fill(&http.Items[i], backend.BackendObjectReference)
			}
		}
	}
	for i := range grpc.Items {
		for _, rule := range grpc.Items[i].Spec.Rules {
			for _, backend := range rule.BackendRefs {
				fill(&grpc.Items[i], backend.BackendObjectReference)
			}
		}
	}
	return errors.Join(errs...)
}

// makePort makes sure that a Service of a played chart has a port. Services of
// others are left as they are.
func (s *Stage) makePort(ctx context.Context, key client.ObjectKey, port int32, chart string) error {
	service := &corev1.Service{}
	err := s.engine.client.Get(ctx, key, service)
	wanted := corev1.ServicePort{Name: fmt.Sprintf("assumed-%d", port), Port: port, Protocol: corev1.ProtocolTCP}
	switch {
	case apierrors.IsNotFound(err):
		service.Namespace, service.Name = key.Namespace, key.Name
		service.Annotations = map[string]string{source.StandInAnnotation: chart}
		service.Spec.Ports = []corev1.ServicePort{wanted}
		err = s.engine.client.Create(ctx, service, gapOwner)
	case err != nil:
	case hasPort(service, port) || !standsIn(service):
		return nil
	default:
		before := service.DeepCopy()
		service.Spec.Ports = append(service.Spec.Ports, wanted)
		err = s.engine.client.Patch(ctx, service, client.MergeFrom(before), gapOwner)
	}
	if err != nil {
		return fmt.Errorf("make port %d of Service %s in place of the chart %s: %w", port, key, chart, err)
	}
	s.assumptions.Add(domain.AssumedOperator, fmt.Sprintf("Service %s port %d", key, port), fmt.Sprintf("a route leads to it, and the chart %s is played by a stand-in", chart))
	return nil
}

func hasPort(service *corev1.Service, port int32) bool {
	return slices.ContainsFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == port })
}

// standsIn reports whether a Service was made by the chart of a stand-in, or
// in place of it.
func standsIn(service *corev1.Service) bool {
	_, ok := service.Annotations[source.StandInAnnotation]
	return ok
}
