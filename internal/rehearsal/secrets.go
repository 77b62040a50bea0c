package rehearsal

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/onepassword"
	"hearth/internal/secrets"
)

// openVault starts the Connect server that stands in for 1Password. Without a
// vault file, or where secrets are to be assumed, it makes values up; without
// either, and with a lock, only for the fields that the lock lists.
func (s *Stage) openVault(ctx context.Context, e *engine) error {
	file := s.options.Vault
	if configured := s.cluster.Config.Vault; file == "" && configured != "" {
		file = filepath.Join(s.repository.Root, configured)
	}
	e.vaultFile = file
	o := onepassword.ServerOptions{File: file, Assumptions: s.assumptions, Faults: s.faults}
	if file == "" || s.options.AssumeSecrets {
		e.assumer = &onepassword.Assumer{Seed: s.options.Seed}
		o.Assume = e.assumer.Fields
	}
	var err error
	if file == "" && !s.options.AssumeSecrets {
		if err = s.lockVault(e, &o); err != nil {
			return &MisuseError{err}
		}
	}
	if e.vault, err = onepassword.NewServer(o); err != nil {
		return &MisuseError{err}
	}
	if e.assumer != nil {
		e.plan = s.planSecrets(ctx, e)
	}
	if e.vaultURL, _, err = e.vault.Listen(ctx, "127.0.0.1:0"); err != nil {
		return err
	}
	go s.followFaults(ctx, e)
	return nil
}

// followFaults has all secrets read again when a fault of the Connect server
// begins or ends: in life it would be noticed at the next refresh.
func (s *Stage) followFaults(ctx context.Context, e *engine) {
	changed, stop := s.faults.Changes()
	defer stop()
	var known []domain.Fault
	for {
		now := slices.DeleteFunc(s.faults.Active(), func(f domain.Fault) bool { return !onepassword.Concerns(f.Kind) })
		if !slices.Equal(now, known) {
			known = now
			e.trigger.Refresh()
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// lockVault keeps what is made up to what the repository's lock lists.
func (s *Stage) lockVault(e *engine, o *onepassword.ServerOptions) error {
	lock, err := secrets.ReadLock(s.repository.Root)
	if err != nil || lock == nil {
		return err
	}
	vaults, listed := lock.Clusters[s.cluster.Name]
	if !listed {
		return nil
	}
	e.gate = secrets.NewGate(vaults)
	e.assumer.Want(e.gate.Needs()...)
	o.Vaults = e.gate.Shells()
	o.Reason = "no vault is at hand; " + secrets.LockFile + " lists the field"
	o.Assume = func(vault, item string) []onepassword.Field {
		return e.gate.Pass(vault, item, e.assumer.Fields(vault, item))
	}
	return nil
}

// connect leads every store to the stand-in server.
func (e *engine) connect(string) (url, token string, ok bool) {
	return e.vaultURL, e.vault.Token(), true
}

// prepare tells the vault which fields an ExternalSecret is going to read.
func (e *engine) prepare(ctx context.Context, es *esv1.ExternalSecret) {
	if e.assumer == nil {
		return
	}
	plan := e.plan(ctx)
	needs := onepassword.Needs(ctx, es, onepassword.NeedsOptions{
		Known:    onepassword.Known(e.vault.Vaults()),
		WantKeys: plan.Keys(es.Namespace),
		Text:     func(kind, name, key string) (string, bool) { return e.text(ctx, kind, es.Namespace, name, key) },
		Provider: func(ref esv1.SecretStoreRef) string { return e.provider(ctx, es.Namespace, ref) },
	})
	if e.gate != nil && !secrets.IsOnePassword(e.provider(ctx, es.Namespace, es.Spec.SecretStoreRef)) {
		for _, n := range needs {
			e.gate.Free(n.Item) // a lock lists nothing of other stores
		}
	}
	e.assumer.Want(plan.Unpushed(needs)...)
}

// text returns a key of a ConfigMap that holds templates. Secrets are not
// looked into.
func (e *engine) text(ctx context.Context, kind, namespace, name, key string) (string, bool) {
	if kind != "ConfigMap" {
		return "", false
	}
	var config corev1.ConfigMap
	if err := e.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &config); err != nil {
		return "", false
	}
	text, ok := config.Data[key]
	return text, ok
}

// provider names the provider of a store; 1Password Connect where the store
// cannot be had.
func (e *engine) provider(ctx context.Context, namespace string, ref esv1.SecretStoreRef) string {
	var spec esv1.SecretStoreSpec
	if ref.Kind == esv1.ClusterSecretStoreKind {
		var store esv1.ClusterSecretStore
		if e.client.Get(ctx, client.ObjectKey{Name: ref.Name}, &store) == nil {
			spec = store.Spec
		}
	} else {
		var store esv1.SecretStore
		if e.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, &store) == nil {
			spec = store.Spec
		}
	}
	return spec.Provider.Name()
}

// available says whether the store's Connect server could be reached in life:
// it can while its Service has a ready endpoint. A Service that is not there
// may be taken to be once all is calm; see fillConnect.
func (s *Stage) available(ctx context.Context, storeHost string) error {
	namespace, name, ok := inCluster(storeHost)
	if !ok {
		return nil
	}
	key := client.ObjectKey{Namespace: namespace, Name: name}
	var service corev1.Service
	err := s.engine.client.Get(ctx, key, &service)
	if apierrors.IsNotFound(err) {
		if s.connectAssumed(key) {
			return nil
		}
		return fmt.Errorf("Service %s does not exist: is 1Password Connect deployed?", key)
	}
	if err != nil {
		return fmt.Errorf("reach 1Password Connect: %w", err)
	}
	var slices discoveryv1.EndpointSliceList
	if err := s.engine.client.List(ctx, &slices, client.InNamespace(namespace), client.MatchingLabels{discoveryv1.LabelServiceName: name}); err != nil {
		return fmt.Errorf("reach 1Password Connect: %w", err)
	}
	if !anyReady(slices.Items) {
		return fmt.Errorf("Service %s has no ready endpoints: is 1Password Connect running?", key)
	}
	return nil
}

func anyReady(list []discoveryv1.EndpointSlice) bool {
	return slices.ContainsFunc(list, func(slice discoveryv1.EndpointSlice) bool {
		return slices.ContainsFunc(slice.Endpoints, func(e discoveryv1.Endpoint) bool {
			return e.Conditions.Ready == nil || *e.Conditions.Ready
		})
	})
}

// connectAssumed reports whether a Connect Service that is not there is taken
// to be, and notes that it is missed.
func (s *Stage) connectAssumed(key client.ObjectKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connects == nil {
		s.connects = map[client.ObjectKey]bool{}
	}
	s.connects[key] = s.connects[key]
	return s.connects[key]
}

// fillConnect takes the Connect Services that are missed, and that a played
// chart would have made, to be there. It reports whether there were any.
func (s *Stage) fillConnect(played map[string]string) (filled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, assumed := range s.connects {
		chart, ok := played[key.Namespace]
		if assumed || !ok {
			continue
		}
		s.connects[key], filled = true, true
		s.assumptions.Add(domain.AssumedOperator, "Service "+key.String(), fmt.Sprintf("the secret store needs it, and the chart %s is played by a stand-in", chart))
	}
	return filled
}

// inCluster reads the Service that a URL leads to.
func inCluster(host string) (namespace, name string, ok bool) {
	parsed, err := url.Parse(host)
	if err != nil {
		return "", "", false
	}
	labels := strings.Split(strings.TrimSuffix(parsed.Hostname(), "."), ".")
	if len(labels) >= 3 && labels[2] == "svc" || len(labels) == 2 {
		return labels[1], labels[0], true
	}
	return "", "", false
}
