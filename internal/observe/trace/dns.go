package trace

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/routing"
)

// dnsTimeout bounds how long a DNS server may take to answer.
const dnsTimeout = 5 * time.Second

// resolve finds where the name leads. Addresses are none where no server was
// asked and no record is known to have any: then the routes tell the gateway.
func (w *walk) resolve(ctx context.Context) (addresses []netip.Addr, ok bool, err error) {
	if ip, err := netip.ParseAddr(w.host); err == nil {
		w.goesOn(StepDNS, w.host, "is an address, and needs no record")
		return []netip.Addr{ip}, true, nil
	}
	if w.Server != "" {
		if addresses, ok = w.query(ctx); ok || len(w.Steps) > 0 {
			return addresses, ok, nil
		}
	}
	targets, from, err := w.record(ctx)
	if err != nil {
		return nil, false, err
	}
	if len(targets) == 0 {
		w.goesOn(StepDNS, w.host, "no DNS server was asked (--dns ADDRESS asks one)")
		return nil, true, nil
	}
	for _, target := range targets {
		if ip, err := netip.ParseAddr(target); err == nil {
			addresses = append(addresses, ip)
		}
	}
	w.goesOn(StepDNS, w.host, "%s asks for a record to %s; no DNS server was asked (--dns ADDRESS asks one)", from, strings.Join(targets, ", "))
	return addresses, true, nil
}

// query asks the DNS server. One that answers for some zones only and refuses
// the name says nothing of it, and ends nothing.
func (w *walk) query(ctx context.Context) ([]netip.Addr, bool) {
	ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, w.Server)
	}}
	found, err := resolver.LookupNetIP(ctx, "ip", w.host+".")
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		w.ends(StepDNS, w.host, "the DNS server %s has no record of it: look at External-DNS, which makes it", w.Server)
		return nil, false
	case err != nil && w.SomeZones:
		return nil, false
	case err != nil:
		w.ends(StepDNS, w.host, "the DNS server %s does not answer: %s", w.Server, reason(err))
		return nil, false
	}
	var text []string
	for i := range found {
		found[i] = found[i].Unmap()
		text = append(text, found[i].String())
	}
	slices.Sort(text)
	w.goesOn(StepDNS, w.host, "the DNS server %s answers %s", w.Server, strings.Join(text, ", "))
	return found, true
}

// reason returns the cause of a failed lookup.
func reason(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.Err
	}
	return err.Error()
}

// endpoints is the kind by which records are asked for directly.
var endpoints = schema.GroupVersionKind{Group: "externaldns.k8s.io", Version: "v1alpha1", Kind: "DNSEndpointList"}

// record returns the targets that a DNSEndpoint asks for the name.
func (w *walk) record(ctx context.Context) (targets []string, from string, err error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(endpoints)
	err = w.judge.List(ctx, list)
	if apimeta.IsNoMatchError(err) || apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("list DNSEndpoints: %w", err)
	}
	for _, item := range list.Items {
		records, _, _ := unstructured.NestedSlice(item.Object, "spec", "endpoints")
		for _, r := range records {
			if record, ok := r.(map[string]any); ok && w.isFor(record) {
				targets, _, _ = unstructured.NestedStringSlice(record, "targets")
				return targets, "DNSEndpoint " + client.ObjectKeyFromObject(&item).String(), nil
			}
		}
	}
	return nil, "", nil
}

func (w *walk) isFor(record map[string]any) bool {
	name, _, _ := unstructured.NestedString(record, "dnsName")
	return name != "" && routing.Matches(strings.TrimSuffix(strings.ToLower(name), "."), w.host)
}
