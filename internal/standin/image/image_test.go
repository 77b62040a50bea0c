package image

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/domain"
)

const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func parsed(t testing.TB, given string) Reference {
	t.Helper()
	r, err := Parse(given)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// https://kubernetes.io/docs/concepts/containers/images/#image-names
func TestParse(t *testing.T) {
	for given, want := range map[string]struct {
		full, tag, host string
	}{
		"nginx":                          {"docker.io/library/nginx:latest", "latest", "registry-1.docker.io"},
		"nginx:1.29":                     {"docker.io/library/nginx:1.29", "1.29", "registry-1.docker.io"},
		"docker.io/redis":                {"docker.io/library/redis:latest", "latest", "registry-1.docker.io"},
		"ghcr.io/a/b:v1@" + digest:       {"ghcr.io/a/b@" + digest, "v1", "ghcr.io"},
		"ghcr.io/a/b@" + digest:          {"ghcr.io/a/b@" + digest, "", "ghcr.io"},
		"registry.example:5000/team/app": {"registry.example:5000/team/app:latest", "latest", "registry.example:5000"},
	} {
		r := parsed(t, given)
		if r.String() != want.full || r.Tag != want.tag || r.host() != want.host {
			t.Errorf("%s is %s with tag %q at %s", given, r, r.Tag, r.host())
		}
	}
	for given, want := range map[string]string{
		"":                "invalid reference format",
		"ghcr.io/a/b:":    "invalid reference format",
		"ghcr.io/A/b:v1":  "repository name must be lowercase",
		"ghcr.io/a b:v1":  "invalid reference format",
		"a/b@sha256:1234": "invalid reference format",
	} {
		if r, err := Parse(given); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %+v, %v", given, r, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("nginx")
	f.Add("ghcr.io/a/b:v1@" + digest)
	f.Add("a:5000/b@")
	f.Fuzz(func(t *testing.T, given string) {
		r, err := Parse(given)
		if err != nil {
			return
		}
		if r.Registry == "" || r.Repository == "" || r.Tag == "" && r.Digest == "" {
			t.Errorf("%q is %+v", given, r)
		}
	})
}

func TestImagesComeFromRegistryPeerOrCache(t *testing.T) {
	s := NewStock(1, 1)
	r, now := parsed(t, "img"), time.Now()
	for _, node := range []string{"a", "c"} {
		s.Serve(node, "spegel-on-"+"x")
	}
	first := s.Pull("a", r, false, now)
	if usual := domain.ImagePullUncached.Typical(); first.Takes < usual.Min || first.Takes > usual.Max {
		t.Errorf("the first pull is %+v", first)
	}
	half := now.Add(first.Takes / 2)
	if joined := s.Pull("a", r, false, half); !joined.Until.Equal(first.Until) {
		t.Errorf("a second pod on the node pulls on its own: %+v", joined)
	}
	if s.Has("a", r, half) || !s.Pulling("a", r, half) || !s.Has("a", r, first.Until) {
		t.Error("the image is there before its pull has ended, or is not afterwards")
	}
	if own := s.Pull("b", r, false, first.Until); own.Takes != first.Takes {
		t.Errorf("a node without a mirror pulls from %+v", own)
	}
	peer := s.Pull("c", r, false, first.Until)
	if usual := domain.ImagePullCached.Typical(); peer.Takes < usual.Min || peer.Takes > usual.Max {
		t.Errorf("the pull from a peer takes %s", peer.Takes)
	}
	s.Unserve("a", "spegel-on-x")
	if s.Peer("c", r, first.Until) {
		t.Error("a node whose mirror has ended serves its peers")
	}
}

func TestSlowPullGoesOnFasterOnceLifted(t *testing.T) {
	s := NewStock(1, 1)
	r, now := parsed(t, "img"), time.Now()
	slow := s.Pull("a", r, true, now)
	if want := 5 * domain.ImagePullUncached.Typical().Max; slow.Takes != want {
		t.Errorf("a slow pull takes %s, want %s", slow.Takes, want)
	}
	if usual := s.Pull("a", r, false, now); usual.Takes > domain.ImagePullUncached.Typical().Max {
		t.Errorf("once it is slow no more, it still takes %s", usual.Takes)
	}
}

// The words are those of containerd's resolver and puller; see
// https://github.com/containerd/containerd/tree/main/core/remotes/docker and
// https://docs.docker.com/docker-hub/usage/pulls/ for Docker's limit.
func TestRefused(t *testing.T) {
	r := parsed(t, "nginx:1.29")
	for fault, want := range map[string]string{
		"registry-down=docker.io":                     `failed to do request: Head "https://registry-1.docker.io/v2/library/nginx/manifests/1.29"`,
		"registry-rate-limited":                       "unexpected status from HEAD request to https://registry-1.docker.io/v2/library/nginx/manifests/1.29: 429 Too Many Requests",
		"image-missing=nginx:1.29":                    `rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.29": failed to resolve reference "docker.io/library/nginx:1.29": docker.io/library/nginx:1.29: not found`,
		"image-missing=docker.io/library/nginx":       "not found",
		"image-platform=nginx":                        `rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.29": no match for platform in manifest: not found`,
		"image-missing=nginx":                         "not found",
		"image-missing=docker.io/library/nginx:other": "",
		"registry-down=ghcr.io":                       "",
	} {
		parsedFault, err := domain.ParseFault(fault)
		if err != nil {
			t.Fatal(err)
		}
		faults := &domain.Faults{}
		faults.Inject(parsedFault)
		got := ""
		if err := r.Refused(faults); err != nil {
			got = err.Error()
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q", fault, got)
		}
		faults.Lift(parsedFault)
		if err := r.Refused(faults); err != nil {
			t.Errorf("%s is lifted, and yet: %v", fault, err)
		}
	}
	if diff := cmp.Diff("nginx", r.Base()); diff != "" {
		t.Error(diff)
	}
}
