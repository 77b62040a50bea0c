package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// answers returns the handler that plays every backend: reviews are posted to
// whatever path a configuration names, APIs are read below /apis.
func answers() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /", answerReview)
	mux.HandleFunc("GET /apis/{group}/{version}", answerDiscovery)
	mux.HandleFunc("GET /apis/{group}/{version}/{resource}", answerList)
	mux.HandleFunc("GET /apis/{group}/{version}/namespaces/{namespace}/{resource}", answerList)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound, "the stand-in does not serve "+r.URL.Path)
	})
	return mux
}

// review is what Hearth reads of an AdmissionReview and a ConversionReview, of
// any version.
type review struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Request    *struct {
		UID               string           `json:"uid"`
		DesiredAPIVersion string           `json:"desiredAPIVersion"`
		Objects           []map[string]any `json:"objects"`
	} `json:"request"`
}

func answerReview(w http.ResponseWriter, r *http.Request) {
	var in review
	err := json.NewDecoder(r.Body).Decode(&in)
	if err != nil || in.Request == nil || slices.ContainsFunc(in.Request.Objects, func(o map[string]any) bool { return o == nil }) {
		refuse(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, "the body is no review")
		return
	}
	var response map[string]any
	switch in.Kind {
	case "AdmissionReview":
		response = map[string]any{"uid": in.Request.UID, "allowed": true}
	case "ConversionReview":
		response = convert(in)
	default:
		refuse(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, fmt.Sprintf("the stand-in answers no %s", in.Kind))
		return
	}
	reply(w, http.StatusOK, map[string]any{"apiVersion": in.APIVersion, "kind": in.Kind, "response": response})
}

// convert gives every object the version that is wanted.
func convert(in review) map[string]any {
	converted := make([]any, 0, len(in.Request.Objects))
	for _, obj := range in.Request.Objects {
		obj["apiVersion"] = in.Request.DesiredAPIVersion
		converted = append(converted, obj)
	}
	return map[string]any{
		"uid":              in.Request.UID,
		"convertedObjects": converted,
		"result":           map[string]any{"status": metav1.StatusSuccess},
	}
}

// resources are the resources of aggregated APIs that clients look for; other
// APIs are there, and have none.
var resources = map[string][]metav1.APIResource{
	"metrics.k8s.io": {
		{Name: "nodes", Kind: "NodeMetrics", Verbs: metav1.Verbs{"get", "list"}},
		{Name: "pods", Kind: "PodMetrics", Namespaced: true, Verbs: metav1.Verbs{"get", "list"}},
	},
}

func answerDiscovery(w http.ResponseWriter, r *http.Request) {
	group, version := r.PathValue("group"), r.PathValue("version")
	list := resources[group]
	if list == nil {
		list = []metav1.APIResource{}
	}
	reply(w, http.StatusOK, metav1.APIResourceList{
		TypeMeta:     metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"},
		GroupVersion: group + "/" + version,
		APIResources: list,
	})
}

func answerList(w http.ResponseWriter, r *http.Request) {
	group, version := r.PathValue("group"), r.PathValue("version")
	for _, known := range resources[group] {
		if known.Name == r.PathValue("resource") {
			reply(w, http.StatusOK, map[string]any{
				"apiVersion": group + "/" + version, "kind": known.Kind + "List",
				"metadata": map[string]any{}, "items": []any{},
			})
			return
		}
	}
	refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound, "the stand-in knows no "+strings.TrimPrefix(r.URL.Path, "/apis/"))
}

func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	reply(w, code, metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Reason: reason, Message: message, Code: int32(code),
	})
}

func reply(w http.ResponseWriter, code int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// A client that has gone does not need its answer.
	_, _ = w.Write(raw)
}
