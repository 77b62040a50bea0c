package integration_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"hearth/internal/domain"
	"hearth/internal/kube"
	"hearth/internal/kube/crds"
	"hearth/internal/kube/embed"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
	"hearth/internal/standin"
	"hearth/internal/standin/nodeapi"
	"hearth/internal/standin/status"
	"hearth/internal/standin/webhook"
)

// stage is a control plane of its own, with all stand-ins: the one that other
// tests share has no nodes.
type stage struct {
	kube.Cluster
	client.WithWatch
	gate        *work.Gate
	objects     *objects.Objects
	assumptions *domain.Assumptions
	durations   *durations
	faults      *domain.Faults
}

// durations collects what the stand-ins say they simulate.
type durations struct {
	mu   sync.Mutex
	list map[string]time.Duration
}

func (d *durations) add(obj domain.Ref, step string, long time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list[obj.String()+" "+step] = long
}

func (d *durations) of(ref domain.Ref, step string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.list[ref.String()+" "+step]
}

// TestStandins checks each stand-in against the documented contract of what it
// plays, all on one control plane.
func TestStandins(t *testing.T) {
	t.Parallel()
	s := openStage(t, standin.Options{BackoffPace: 1000, VerifyImage: refuseImages})
	for _, check := range []struct {
		name string
		f    func(*testing.T, *stage)
	}{
		{"NodesAreReady", checkNodesAreReady},
		{"DeploymentBecomesAvailable", checkDeploymentBecomesAvailable},
		{"PodWaitsForWhatItRefersTo", checkPodWaitsForWhatItRefersTo},
		{"MissingKeyIsNamed", checkMissingKeyIsNamed},
		{"InitContainersRunInOrder", checkInitContainersRunInOrder},
		{"JobCompletes", checkJobCompletes},
		{"CrashBackOff", checkCrashBackOff},
		{"CrashWithoutRestartFails", checkCrashWithoutRestartFails},
		{"ImageThatCannotBePulled", checkImageThatCannotBePulled},
		{"DeviceResourcesAndLabelsAreAssumed", checkDeviceResourcesAndLabelsAreAssumed},
		{"ClaimedDevicesAreAssumed", checkClaimedDevicesAreAssumed},
		{"LoadBalancerAddresses", checkLoadBalancerAddresses},
		{"RoutesAreJudged", checkRoutesAreJudged},
		{"GatewayFaults", checkGatewayFaults},
		{"OperatorWhosePodsAreDownDoesNothing", checkOperatorWhosePodsAreDownDoesNothing},
		{"UnknownKindIsReadyByConvention", checkUnknownKindIsReadyByConvention},
		{"StatefulSetGetsVolumesOfItsFirstConsumer", checkStatefulSetGetsVolumesOfItsFirstConsumer},
		{"VolumeIsExpandedAndDeleted", checkVolumeIsExpandedAndDeleted},
		{"MissingClassIsAssumedUnlessAVolumeHasItsName", checkMissingClassIsAssumedUnlessAVolumeHasItsName},
		{"DefaultClassIsAssumed", checkDefaultClassIsAssumed},
		{"WebhookAnswersOnlyWhileItsPodsRun", checkWebhookAnswersOnlyWhileItsPodsRun},
		{"AggregatedAPIIsThereAndEmpty", checkAggregatedAPIIsThereAndEmpty},
		{"Kubelets", checkKubelets},
	} {
		t.Run(check.name, func(t *testing.T) { check.f(t, s) })
	}
}

// openStage starts a control plane and its stand-ins; they end with the test.
func openStage(t testing.TB, o standin.Options) *stage {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log.SetLogger(logr.Discard())
	backend, err := webhook.Listen()
	if err != nil {
		t.Fatal(err)
	}
	kubelets, err := nodeapi.Serve()
	if err != nil {
		t.Fatal(err)
	}
	o.Kubelets = kubelets
	c, err := embed.Starter{}.Start(ctx, kube.Options{ResolveService: backend.Resolve, DialNode: kubelets.Dial})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	t.Cleanup(func() {
		cancel()
		stopping, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := errors.Join(<-ended, c.Stop(stopping), backend.Close(), kubelets.Close()); err != nil {
			t.Errorf("closing the stage: %v", err)
		}
	})
	s, mgr, err := raise(ctx, c, backend, o)
	if err != nil {
		ended <- nil
		t.Fatal(err)
	}
	go func() { ended <- mgr.Start(ctx) }()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		t.Fatal("the caches do not fill")
	}
	return s
}

// raise puts the stand-ins on a control plane.
func raise(ctx context.Context, c kube.Cluster, backend *webhook.Backend, o standin.Options) (*stage, manager.Manager, error) {
	all, err := crds.All()
	if err != nil {
		return nil, nil, err
	}
	if err := crds.Install(ctx, c.Config(), append(all, customKinds()...)...); err != nil {
		return nil, nil, err
	}
	mgr, err := manager.New(c.Config(), manager.Options{
		Scheme:  scheme.New(),
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
	})
	if err != nil {
		return nil, nil, err
	}
	s := &stage{
		Cluster: c, gate: work.NewGate(4), assumptions: &domain.Assumptions{},
		objects:   objects.New(mgr.GetCache(), mgr.GetScheme()),
		durations: &durations{list: map[string]time.Duration{}},
		faults:    &domain.Faults{},
	}
	o.Faults = s.faults
	o.Gate, o.Objects, o.Assumptions, o.Simulated = s.gate, s.objects, s.assumptions, s.durations.add
	o.PodCIDR, o.Version, o.Webhooks = c.PodCIDR(), c.Version(), backend
	if o.Rows, err = status.Parse([]byte("- {group: stand.example.org, kind: Configuration, leave: true}\n")); err != nil {
		return nil, nil, err
	}
	if err := standin.Setup(mgr, o); err != nil {
		return nil, nil, err
	}
	s.WithWatch, err = client.NewWithWatch(c.Config(), client.Options{Scheme: mgr.GetScheme()})
	return s, mgr, err
}

// namespace makes a fresh namespace on the stage.
func (s *stage) namespace(t testing.TB) string {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	s.make(t, ns)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Delete(ctx, ns); err != nil {
			t.Errorf("deleting the test's namespace %s: %v", ns.Name, err)
		}
	})
	return ns.Name
}

func (s *stage) make(t testing.TB, objs ...client.Object) {
	t.Helper()
	for _, obj := range objs {
		if err := s.Create(t.Context(), obj); err != nil {
			t.Fatalf("make %T %s: %v", obj, obj.GetName(), err)
		}
	}
}

// await watches an object until ok says so, and returns it as it was then.
func await[T client.Object](t testing.TB, s *stage, obj T, list client.ObjectList, what string, ok func(T) bool) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var last T
	for {
		w, err := s.Watch(ctx, list, client.InNamespace(obj.GetNamespace()), client.MatchingFieldsSelector{
			Selector: fields.OneTermEqualSelector("metadata.name", obj.GetName()),
		})
		if err != nil {
			t.Fatalf("watch %T: %v; last seen: %+v", obj, err, last)
		}
		for event := range w.ResultChan() {
			if got, is := event.Object.(T); is {
				last = got
				if ok(got) {
					w.Stop()
					return got
				}
			}
		}
		if ctx.Err() != nil {
			t.Fatalf("%T %s/%s: not %s within a minute; last seen: %+v", obj, obj.GetNamespace(), obj.GetName(), what, last)
		}
	}
}

func awaitPod(t testing.TB, s *stage, pod *corev1.Pod, what string, ok func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	return await(t, s, pod, &corev1.PodList{}, what, ok)
}

// awaitGone waits until an object is no more.
func (s *stage) awaitGone(t testing.TB, obj client.Object) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) {
		if err := s.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			if client.IgnoreNotFound(err) != nil {
				t.Fatal(err)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%T %s is still there after a minute", obj, obj.GetName())
}

// awaitEvent waits for an event of an object whose message contains text.
func (s *stage) awaitEvent(t testing.TB, namespace, object, reason, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w, err := s.Watch(ctx, &corev1.EventList{}, client.InNamespace(namespace))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	var seen []string
	for event := range w.ResultChan() {
		e, ok := event.Object.(*corev1.Event)
		if !ok || e.InvolvedObject.Name != object {
			continue
		}
		if e.Reason == reason && strings.Contains(e.Message, text) {
			return
		}
		seen = append(seen, e.Reason+": "+e.Message)
	}
	t.Fatalf("no event %s %q of %s; there were:\n%s", reason, text, object, strings.Join(seen, "\n"))
}

func isReady(pod *corev1.Pod) bool { return podCondition(pod, corev1.PodReady) == corev1.ConditionTrue }

func podCondition(pod *corev1.Pod, kind corev1.PodConditionType) corev1.ConditionStatus {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return corev1.ConditionUnknown
}

// waitingReason returns why a container of a pod waits.
func waitingReason(pod *corev1.Pod, container string) (reason, message string) {
	for _, c := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if c.Name == container && c.State.Waiting != nil {
			return c.State.Waiting.Reason, c.State.Waiting.Message
		}
	}
	return "", ""
}

// podOf returns a pod with one container.
func podOf(namespace, name string, change func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Annotations: map[string]string{}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "example.org/app:1"}}},
	}
	if change != nil {
		change(pod)
	}
	return pod
}

// fault lets something go wrong until the function that is returned is called,
// or the test ends.
func (s *stage) fault(t testing.TB, text string) (lift func()) {
	t.Helper()
	f, err := domain.ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	s.faults.Inject(f)
	lift = func() { s.faults.Lift(f) }
	t.Cleanup(lift)
	return lift
}
