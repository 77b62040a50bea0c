package helmstore

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	chartcommon "helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/release"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"
	"k8s.io/client-go/kubernetes/fake"
)

func demo() *releasev1.Release {
	return &releasev1.Release{
		Name: "demo", Namespace: "ns", Version: 1, Manifest: "a: 1\n",
		Info:   &releasev1.Info{Status: common.StatusDeployed, FirstDeployed: time.Unix(1e9, 5).UTC(), Description: "Install complete"},
		Config: map[string]any{"a": map[string]any{"b": "c"}},
		Chart: &chart.Chart{
			Metadata:  &chart.Metadata{Name: "demo", Version: "1.0.0", APIVersion: "v2"},
			Templates: []*chartcommon.File{{Name: "templates/a.yaml", Data: []byte("a: 1")}},
		},
		Hooks:  []*releasev1.Hook{{Name: "h", Events: []releasev1.HookEvent{releasev1.HookPreInstall}}},
		Labels: map[string]string{"team": "home"},
	}
}

// member is a chart as helm.Chart.Stored makes it.
func member(t *testing.T, c *chart.Chart) []byte {
	t.Helper()
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	if err := json.NewEncoder(zip).Encode(c); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestHelmReads holds the records against Helm's own driver, both ways.
func TestHelmReads(t *testing.T) {
	secrets := fake.NewClientset().CoreV1().Secrets("ns")
	theirs := driver.NewSecrets(secrets)
	for _, shared := range []bool{false, true} {
		rel := demo()
		ours := &Driver{Secrets: secrets}
		if shared {
			ours.Stored = func(c *chart.Chart) ([]byte, error) { return member(t, c), nil }
		}
		if err := ours.Create("sh.helm.release.v1.demo.v1", rel); err != nil {
			t.Fatal(err)
		}
		if err := ours.Create("sh.helm.release.v1.demo.v1", rel); !errors.Is(err, driver.ErrReleaseExists) {
			t.Errorf("made twice: %v", err)
		}
		got, err := theirs.Get("sh.helm.release.v1.demo.v1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(encoded(t, rel), encoded(t, got)); diff != "" {
			t.Errorf("Helm reads (-want +got):\n%s", diff)
		}
		if got.(*releasev1.Release).Labels["team"] != "home" {
			t.Error("the labels are gone")
		}
		found, err := theirs.Query(map[string]string{"name": "demo", "owner": "helm", "status": "deployed", "version": "1"})
		if err != nil || len(found) != 1 {
			t.Errorf("Helm finds %d records: %v", len(found), err)
		}
		rel.SetStatus(common.StatusFailed, "changed by Helm")
		if err := theirs.Update("sh.helm.release.v1.demo.v1", rel); err != nil {
			t.Fatal(err)
		}
		back, err := ours.Get("sh.helm.release.v1.demo.v1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(encoded(t, rel), encoded(t, back)); diff != "" {
			t.Errorf("what Helm wrote (-want +got):\n%s", diff)
		}
		if _, err := ours.Delete("sh.helm.release.v1.demo.v1"); err != nil {
			t.Fatal(err)
		}
	}
	ours := &Driver{Secrets: secrets}
	for name, err := range map[string]error{
		"get":    second(ours.Get("sh.helm.release.v1.demo.v1")),
		"delete": second(ours.Delete("sh.helm.release.v1.demo.v1")),
		"query":  secondOf(ours.Query(map[string]string{"name": "demo"})),
		"update": ours.Update("sh.helm.release.v1.demo.v1", demo()),
	} {
		if !errors.Is(err, driver.ErrReleaseNotFound) {
			t.Errorf("%s of what is not there: %v", name, err)
		}
	}
}

func second(_ release.Releaser, err error) error { return err }

func secondOf(_ []release.Releaser, err error) error { return err }

func encoded(t *testing.T, r release.Releaser) string {
	t.Helper()
	content, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestWrittenIsNoAlias(t *testing.T) {
	secrets := fake.NewClientset().CoreV1().Secrets("ns")
	d := &Driver{Secrets: secrets, Written: &Written{}}
	rel := demo()
	if err := d.Create("k", rel); err != nil {
		t.Fatal(err)
	}
	rel.Info.Status = common.StatusFailed
	rel.Config["a"].(map[string]any)["b"] = "changed"
	rel.Hooks[0].Events[0] = releasev1.HookPostInstall
	got, err := d.Get("k")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(encoded(t, demo()), encoded(t, got)); diff != "" {
		t.Errorf("a record changed after it was written (-want +got):\n%s", diff)
	}
}

func TestRefusedAfterTheEnd(t *testing.T) {
	gone := errors.New("gone")
	d := &Driver{Secrets: fake.NewClientset().CoreV1().Secrets("ns"), Refuse: func() error { return gone }}
	if err := d.Create("k", demo()); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	data, err := Encode(demo(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("e30="))
	f.Fuzz(func(t *testing.T, data []byte) {
		if rel, err := Decode(data); err == nil && rel.Info == nil {
			t.Error("a record without info")
		}
	})
}
