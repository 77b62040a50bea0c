package integration_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	corev1 "k8s.io/api/core/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/engine/externalsecret"
	"hearth/internal/onepassword"
)

// fetches counts how often each item is fetched from a Connect server.
type fetches struct {
	behind http.Handler
	mu     sync.Mutex
	counts map[string]int // by id
}

func (f *fetches) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if dir, id := path.Split(r.URL.Path); strings.HasSuffix(dir, "/items/") {
		f.mu.Lock()
		f.counts[id]++
		f.mu.Unlock()
	}
	f.behind.ServeHTTP(w, r)
}

// take returns how many items were fetched since it was called last, and how
// often the one was that was fetched most.
func (f *fetches) take() (items, most int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.counts {
		most = max(most, n)
	}
	items = len(f.counts)
	f.counts = map[string]int{}
	return items, most
}

// startCounting runs the reconcilers against a vault of so many items, over HTTP.
func startCounting(t testing.TB, items int) (*secrets, *fetches) {
	t.Helper()
	f := &fetches{counts: map[string]int{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	var behind *onepassword.Server
	s := startSecrets(t, func(o *externalsecret.Options, so *onepassword.ServerOptions) {
		var err error
		if behind, err = onepassword.NewServer(*so); err != nil {
			t.Fatal(err)
		}
		f.behind = behind
		o.Connect = func(string) (string, string, bool) { return server.URL, "", true }
	})
	var vault strings.Builder
	vault.WriteString("vaults:\n- name: Homelab\n  items:\n")
	for i := range items {
		fmt.Fprintf(&vault, "  - {title: item-%d, fields: [{label: A, value: a%d}, {label: B, value: b}]}\n", i, i)
	}
	s.vault(vault.String())
	if err := behind.Reload(); err != nil {
		t.Fatal(err)
	}
	return s, f
}

// readers creates so many ExternalSecrets on so many items.
func (s *secrets) readers(n, items int) []*esv1.ExternalSecret {
	s.t.Helper()
	all := make([]*esv1.ExternalSecret, n)
	for i := range all {
		all[i] = s.reader(fmt.Sprintf("app-%d", i), i%items)
	}
	return all
}

// reader creates an ExternalSecret on an item.
func (s *secrets) reader(name string, item int) *esv1.ExternalSecret {
	s.t.Helper()
	return s.externalSecret(name, fmt.Sprintf(`{refreshInterval: 12h, target: {template: {data: {X: "{{ .A }}{{ .B }}"}}}, dataFrom: [{extract: {key: item-%d}}]}`, item))
}

// refresh has everything read again, and waits until it was. It returns how
// many Secrets were written.
func (s *secrets) refresh(all []*esv1.ExternalSecret) (writes int) {
	s.t.Helper()
	versions, last := map[string]string{}, all[0].Status.RefreshTime.Time
	for _, es := range all {
		versions[es.Name] = s.secret(es.Name).ResourceVersion
		if at := es.Status.RefreshTime.Time; at.After(last) {
			last = at
		}
	}
	time.Sleep(time.Until(last.Add(time.Second))) // statuses tell times to the second
	s.trigger.Refresh()
	for _, es := range all {
		s.await(es, "refreshed", func() bool { return es.Status.RefreshTime.After(last) && esv1.IsReady(es.Status.Conditions) })
		if s.secret(es.Name).ResourceVersion != versions[es.Name] {
			writes++
		}
	}
	return writes
}

// TestExternalSecretRounds has several ExternalSecrets share items: each item
// is fetched once in a round, and a round without changes writes no Secret.
func TestExternalSecretRounds(t *testing.T) {
	t.Parallel()
	s, f := startCounting(t, 3)
	s.connectStore(true)
	all := s.readers(9, 3)
	for _, es := range all {
		s.synced(es)
	}
	f.take()
	if writes := s.refresh(all); writes != 0 {
		t.Errorf("%d Secrets were written without a change", writes)
	}
	if items, most := f.take(); items != 3 || most != 1 {
		t.Errorf("%d items were fetched, one of them %d times", items, most)
	}
}

// BenchmarkExternalSecrets syncs 200 ExternalSecrets on 60 items, from the
// moment at which their store appears, and refreshes them once more.
func BenchmarkExternalSecrets(b *testing.B) {
	s, f := startCounting(b, 60)
	s.token()
	for b.Loop() {
		b.StopTimer()
		all := s.readers(200, 60)
		s.awaitReady(all[len(all)-1], corev1.ConditionUnknown, "does not exist")
		f.take()
		b.StartTimer()
		store := s.storeObject()
		if err := s.client.Create(b.Context(), store); err != nil {
			b.Fatal(err)
		}
		for _, es := range all {
			s.synced(es)
		}
		b.StopTimer()
		_, most := f.take()
		b.ReportMetric(float64(most), "fetches/item")
		b.ReportMetric(float64(s.refresh(all)), "writes/refresh")
		_, most = f.take()
		b.ReportMetric(float64(most), "refetches/item")
		s.remove(store)
		for _, es := range all {
			s.remove(es)
		}
		b.StartTimer()
	}
}

// BenchmarkExternalSecretsMemory tells what one ExternalSecret and its Secret
// cost, the API server's memory included, which lives in the same process: of
// 1,000, of 2,500, of 5,000 and of 10,000 in one cluster that grows. An
// unchanging cost is linear memory.
func BenchmarkExternalSecretsMemory(b *testing.B) {
	steps := []int{1000, 2500, 5000, 10000}
	most := steps[len(steps)-1]
	s, _ := startCounting(b, most)
	s.connectStore(true)
	s.synced(s.reader("first", 0)) // what is there once, whatever comes after
	before, made := heap(), 0
	for b.Loop() {
		for _, n := range steps {
			var all []*esv1.ExternalSecret
			for ; made < n; made++ {
				all = append(all, s.reader(fmt.Sprintf("app-%d", made), made))
			}
			for _, es := range all {
				s.synced(es)
			}
			b.ReportMetric(float64(heap()-before)/float64(n)/1024, fmt.Sprintf("KiB/secret-of-%d", n))
		}
	}
}

// heap returns the bytes that are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// remove deletes an object, and waits until it is gone.
func (s *secrets) remove(obj client.Object) {
	s.t.Helper()
	if err := s.client.Delete(s.t.Context(), obj); err != nil {
		s.t.Fatal(err)
	}
	for !apierrors.IsNotFound(s.client.Get(s.t.Context(), client.ObjectKeyFromObject(obj), obj)) {
		time.Sleep(10 * time.Millisecond)
	}
}
