package nodeapi

import (
	"fmt"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// handler serves the paths that the API server asks a kubelet for.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", s.logs)
	for path, what := range map[string]string{
		"exec":        "no command can be run in it",
		"attach":      "there is nothing to attach to",
		"portForward": "no port can be forwarded to it; hearth trace follows a request to it",
	} {
		refuse := func(w http.ResponseWriter, r *http.Request) {
			say(w, http.StatusNotImplemented, rehearsed(r)+": "+what)
		}
		mux.HandleFunc("/"+path+"/{namespace}/{pod}", refuse)
		mux.HandleFunc("/"+path+"/{namespace}/{pod}/{container}", refuse)
		mux.HandleFunc("/"+path+"/{namespace}/{pod}/{uid}/{container}", refuse)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusNotFound, "this is a rehearsal, and the node is virtual: it has nothing to tell here")
	})
	return mux
}

// rehearsed says what the pod is that somebody asks for.
func rehearsed(r *http.Request) string {
	return fmt.Sprintf("this is a rehearsal, and pod %s/%s is played by Hearth", r.PathValue("namespace"), r.PathValue("pod"))
}

func (s *Server) logs(w http.ResponseWriter, r *http.Request) {
	text := rehearsed(r) + ": its containers run no program, and write no logs"
	if last := s.lastWords(r); last != "" {
		text += "; container " + r.PathValue("container") + " ended since " + last
	}
	say(w, http.StatusOK, text)
}

// lastWords returns what a container said when it ended, if anything.
func (s *Server) lastWords(r *http.Request) string {
	reader := s.reader.Load()
	if reader == nil {
		return ""
	}
	pod := &corev1.Pod{}
	key := client.ObjectKey{Namespace: r.PathValue("namespace"), Name: r.PathValue("pod")}
	if err := (*reader).Get(r.Context(), key, pod); err != nil {
		return "" // gone in the meantime
	}
	for _, c := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if c.Name != r.PathValue("container") {
			continue
		}
		for _, state := range []corev1.ContainerState{c.State, c.LastTerminationState} {
			if state.Terminated != nil && state.Terminated.Message != "" {
				return strings.TrimSpace(state.Terminated.Message)
			}
		}
	}
	return ""
}

func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	// A client that has gone does not need its answer.
	_, _ = fmt.Fprintln(w, text)
}
