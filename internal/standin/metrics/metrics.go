// Package metrics answers in metrics-server's place what nodes and pods use,
// so that kubectl top and horizontal autoscalers have something to read.
//
// It promises the shape of the resource metrics API, for the pods that run and
// the nodes that are there. The numbers are made up: every container uses a
// tenth of what it asks for, or a little where it asks for nothing, which is
// what an idle homelab looks like. Autoscalers therefore keep to their minimum.
package metrics

import (
	"encoding/json"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	metricsv1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Group is the API group that is answered for.
const Group = "metrics.k8s.io"

// window is over what time metrics-server says that it has measured.
const window = 15 * time.Second

// share is the part of its requests that a container uses.
const share = 10

// What a container uses that asks for nothing.
var (
	littleCPU    = resource.MustParse("1m")
	littleMemory = resource.MustParse("32Mi")
)

// Handler answers below /apis/metrics.k8s.io from what reader knows.
func Handler(reader client.Reader) http.Handler {
	a := answers{reader}
	mux := http.NewServeMux()
	const base = "GET /apis/" + Group + "/v1beta1"
	mux.HandleFunc(base, a.discovery)
	mux.HandleFunc(base+"/nodes", a.nodes)
	mux.HandleFunc(base+"/nodes/{name}", a.node)
	mux.HandleFunc(base+"/pods", a.pods)
	mux.HandleFunc(base+"/namespaces/{namespace}/pods", a.pods)
	mux.HandleFunc(base+"/namespaces/{namespace}/pods/{name}", a.pod)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { notFound(w, r.URL.Path) })
	return mux
}

type answers struct{ client.Reader }

func (a answers) discovery(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, metav1.APIResourceList{
		TypeMeta:     metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"},
		GroupVersion: Group + "/v1beta1",
		APIResources: []metav1.APIResource{
			{Name: "nodes", Kind: "NodeMetrics", Verbs: metav1.Verbs{"get", "list"}},
			{Name: "pods", Kind: "PodMetrics", Namespaced: true, Verbs: metav1.Verbs{"get", "list"}},
		},
	})
}

// selector reads which objects a request is about.
func selector(r *http.Request) (client.ListOption, error) {
	s, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	return client.MatchingLabelsSelector{Selector: s}, err
}

func (a answers) pods(w http.ResponseWriter, r *http.Request) {
	which, err := selector(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
		return
	}
	pods := &corev1.PodList{}
	if err := a.List(r.Context(), pods, client.InNamespace(r.PathValue("namespace")), which, client.UnsafeDisableDeepCopy); err != nil {
		refuse(w, http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, err.Error())
		return
	}
	list := metricsv1.PodMetricsList{TypeMeta: kindOf("PodMetricsList"), Items: []metricsv1.PodMetrics{}}
	for i := range pods.Items {
		if m, ok := ofPod(&pods.Items[i]); ok {
			list.Items = append(list.Items, m)
		}
	}
	reply(w, http.StatusOK, list)
}

func (a answers) pod(w http.ResponseWriter, r *http.Request) {
	pod := &corev1.Pod{}
	err := a.Get(r.Context(), client.ObjectKey{Namespace: r.PathValue("namespace"), Name: r.PathValue("name")}, pod)
	m, ok := ofPod(pod)
	if err != nil || !ok {
		notFound(w, r.URL.Path)
		return
	}
	reply(w, http.StatusOK, m)
}

func (a answers) nodes(w http.ResponseWriter, r *http.Request) {
	which, err := selector(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
		return
	}
	a.answerNodes(w, r, which, func(list []metricsv1.NodeMetrics) {
		reply(w, http.StatusOK, metricsv1.NodeMetricsList{TypeMeta: kindOf("NodeMetricsList"), Items: list})
	})
}

func (a answers) node(w http.ResponseWriter, r *http.Request) {
	a.answerNodes(w, r, client.MatchingLabels{}, func(list []metricsv1.NodeMetrics) {
		for _, m := range list {
			if m.Name == r.PathValue("name") {
				reply(w, http.StatusOK, m)
				return
			}
		}
		notFound(w, r.URL.Path)
	})
}

// answerNodes hands on what the nodes use that a selector wants: the sum of
// their pods.
func (a answers) answerNodes(w http.ResponseWriter, r *http.Request, which client.ListOption, answer func([]metricsv1.NodeMetrics)) {
	nodes, pods := &corev1.NodeList{}, &corev1.PodList{}
	err := a.List(r.Context(), nodes, which)
	if err == nil {
		err = a.List(r.Context(), pods, client.UnsafeDisableDeepCopy)
	}
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, err.Error())
		return
	}
	used := map[string]corev1.ResourceList{}
	for i := range pods.Items {
		m, _ := ofPod(&pods.Items[i])
		for _, c := range m.Containers {
			used[pods.Items[i].Spec.NodeName] = sum(used[pods.Items[i].Spec.NodeName], c.Usage)
		}
	}
	list := []metricsv1.NodeMetrics{}
	for _, node := range nodes.Items {
		list = append(list, metricsv1.NodeMetrics{
			TypeMeta:   kindOf("NodeMetrics"),
			ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: node.Labels, CreationTimestamp: metav1.Now()},
			Timestamp:  metav1.Now(), Window: metav1.Duration{Duration: window},
			Usage: sum(corev1.ResourceList{corev1.ResourceCPU: littleCPU, corev1.ResourceMemory: littleMemory}, used[node.Name]),
		})
	}
	answer(list)
}

// ofPod returns what a pod uses; ok is false unless it runs.
func ofPod(pod *corev1.Pod) (m metricsv1.PodMetrics, ok bool) {
	if pod.Status.Phase != corev1.PodRunning {
		return m, false
	}
	m = metricsv1.PodMetrics{
		TypeMeta:   kindOf("PodMetrics"),
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, Labels: pod.Labels, CreationTimestamp: metav1.Now()},
		Timestamp:  metav1.Now(), Window: metav1.Duration{Duration: window},
	}
	for _, c := range pod.Spec.Containers {
		m.Containers = append(m.Containers, metricsv1.ContainerMetrics{Name: c.Name, Usage: corev1.ResourceList{
			corev1.ResourceCPU:    part(c.Resources.Requests[corev1.ResourceCPU], littleCPU),
			corev1.ResourceMemory: part(c.Resources.Requests[corev1.ResourceMemory], littleMemory),
		}})
	}
	return m, true
}

func part(request, little resource.Quantity) resource.Quantity {
	if request.IsZero() {
		return little
	}
	return *resource.NewMilliQuantity(max(request.MilliValue()/share, 1), request.Format)
}

func sum(a, b corev1.ResourceList) corev1.ResourceList {
	total := a.DeepCopy()
	if total == nil {
		total = corev1.ResourceList{}
	}
	for name, q := range b {
		have := total[name]
		have.Add(q)
		total[name] = have
	}
	return total
}

func kindOf(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: Group + "/v1beta1", Kind: kind}
}

func notFound(w http.ResponseWriter, path string) {
	refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound, "nothing is measured at "+path)
}

func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	reply(w, code, metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Reason: reason, Message: message, Code: int32(code),
	})
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// A client that has gone does not need its answer.
	_ = json.NewEncoder(w).Encode(body)
}
