package embed

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/kube"
)

func TestStateOutlivesTheProcess(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "state")
	first, err := Starter{}.Start(t.Context(), kube.Options{StateDir: folder})
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "kept"}, StringData: map[string]string{"k": "v"}}
	_, err = clientOf(t, first).CoreV1().Secrets("default").Create(t.Context(), secret, metav1.CreateOptions{})
	if err != nil {
		t.Error(err)
	}
	kubeconfig, err := os.ReadFile(first.KubeconfigPath())
	if err != nil {
		t.Error(err)
	}
	copied := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(copied, kubeconfig, 0o600); err != nil {
		t.Error(err)
	}
	stop(t, first)

	second, err := Starter{}.Start(t.Context(), kube.Options{StateDir: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, second)
	kept, err := clientOf(t, second).CoreV1().Secrets("default").Get(t.Context(), "kept", metav1.GetOptions{})
	if err != nil {
		t.Fatalf("the Secret of the first start: %v", err)
	}
	if string(kept.Data["k"]) != "v" {
		t.Error("the Secret of the first start does not decrypt to what it was")
	}
	cfg, err := kube.Connect(copied, "")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Host != second.(*cluster).api.loopback.Host {
		t.Errorf("the second start moved from %s to %s", cfg.Host, second.Config().Host)
	}
	private(t, folder)
}

// private checks that nobody else can read what lies in a folder.
func private(t *testing.T, folder string) {
	t.Helper()
	err := filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestStateInUse(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "state")
	first, err := Starter{}.Start(t.Context(), kube.Options{StateDir: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, first)
	refused(t, kube.Options{StateDir: folder}, "in use by another process")
	if _, err := clientOf(t, first).Discovery().ServerVersion(); err != nil {
		t.Errorf("the refused start disturbed the first: %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, recordFile)); err != nil {
		t.Errorf("the refused start removed the first one's record: %v", err)
	}
}

func TestStateThatCannotBeUsed(t *testing.T) {
	record := func(t *testing.T, r stateRecord) string {
		folder := t.TempDir()
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, recordFile), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return folder
	}
	good := stateRecord{Layout: stateLayout, Kubernetes: Version, ServiceCIDR: defaultServiceCIDR}
	for _, test := range []struct {
		name, want string
		options    func(t *testing.T) kube.Options
	}{
		{"other layout", "layout 99", func(t *testing.T) kube.Options {
			r := good
			r.Layout = 99
			return kube.Options{StateDir: record(t, r)}
		}},
		{"other Kubernetes", "written for Kubernetes v1.30.1", func(t *testing.T) kube.Options {
			r := good
			r.Kubernetes = "v1.30.1"
			return kube.Options{StateDir: record(t, r)}
		}},
		{"other service range", "cannot become 10.43.0.0/16", func(t *testing.T) kube.Options {
			return kube.Options{StateDir: record(t, good), ServiceCIDR: "10.43.0.0/16"}
		}},
		{"keys gone", "its keys are gone", func(t *testing.T) kube.Options {
			folder := record(t, good)
			if err := os.Mkdir(filepath.Join(folder, etcdFolder), 0o700); err != nil {
				t.Fatal(err)
			}
			return kube.Options{StateDir: folder}
		}},
		{"broken record", "cannot be read", func(t *testing.T) kube.Options {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, recordFile), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
			return kube.Options{StateDir: folder}
		}},
		{"somebody else's folder", "not a state folder of Hearth", func(t *testing.T) kube.Options {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "thesis.tex"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return kube.Options{StateDir: folder}
		}},
		{"a file", "making the state folder", func(t *testing.T) kube.Options {
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return kube.Options{StateDir: filepath.Join(file, "state")}
		}},
	} {
		t.Run(test.name, func(t *testing.T) { refused(t, test.options(t), test.want) })
	}
}

// refused checks that a start fails with a sentence, and changes no file.
func refused(t *testing.T, o kube.Options, want string) {
	t.Helper()
	before := listing(o.StateDir)
	c, err := Starter{}.Start(t.Context(), o)
	if err == nil {
		stop(t, c)
		t.Fatal("started")
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
	if after := listing(o.StateDir); after != before {
		t.Errorf("the refused start left files: %s before, %s after", before, after)
	}
}

func listing(folder string) string {
	var names []string
	_ = filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		if err == nil && filepath.Base(path) != lockFile {
			names = append(names, path)
		}
		return nil
	})
	return strings.Join(names, " ")
}

func TestSecretsAreEncryptedAtRest(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	const plain = "correct-horse-battery-staple"
	meta := metav1.ObjectMeta{Name: "canary"}
	if _, err := client.CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{ObjectMeta: meta, StringData: map[string]string{"p": plain}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"p": plain}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if raw := stored(t, "configmaps", ns, "canary"); !bytes.Contains(raw, []byte(plain)) {
		t.Fatal("the ConfigMap is not stored where the test looks, so it proves nothing")
	}
	if raw := stored(t, "secrets", ns, "canary"); bytes.Contains(raw, []byte(plain)) {
		t.Error("etcd holds the Secret in plain text")
	}
}

// stored reads an object as it lies in etcd.
func stored(t *testing.T, resource, namespace, name string) []byte {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{shared.etcd.endpoint()}, DialTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	answer, err := client.Get(t.Context(), "/registry/"+resource+"/"+namespace+"/"+name)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Kvs) != 1 {
		t.Fatalf("etcd has %d values for %s %s/%s", len(answer.Kvs), resource, namespace, name)
	}
	return answer.Kvs[0].Value
}
