package nodeapi

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func TestAnswersForKubelets(t *testing.T) {
	s, err := Serve()
	if err != nil {
		t.Fatal(err)
	}
	crashed := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "immich"},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "app", LastTerminationState: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Message: "there is no Service media/immich-rw"},
		}}}},
	}
	s.See(fake.NewClientBuilder().WithObjects(crashed).Build())
	transport := &http.Transport{DialContext: s.Dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	for name, c := range map[string]struct {
		method, path string
		code         int
		want         string
	}{
		"logs":         {"GET", "/containerLogs/apps/web/app?follow=true", 200, "this is a rehearsal, and pod apps/web is played by Hearth"},
		"crashed":      {"GET", "/containerLogs/media/immich/app", 200, "container app ended since there is no Service media/immich-rw"},
		"exec":         {"POST", "/exec/apps/web/app?command=sh", 501, "no command can be run in it"},
		"attach":       {"POST", "/attach/apps/web/app", 501, "nothing to attach to"},
		"port-forward": {"POST", "/portForward/apps/web", 501, "no port can be forwarded"},
		"anything":     {"GET", "/configz", 404, "this is a rehearsal"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, "https://198.18.0.1:10250"+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.code || !strings.Contains(string(body), c.want) {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Dial(context.Background(), "tcp", "198.18.0.1:10250"); err == nil {
		t.Error("it answers after its end")
	}
}
