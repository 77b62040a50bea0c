package domain

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// FaultKind names what can be made to go wrong.
type FaultKind string

// The faults. What each befalls is said by [FaultKinds].
const (
	FaultConnectDown         FaultKind = "connect-down"
	FaultConnectSlow         FaultKind = "connect-slow"
	FaultConnectGarbage      FaultKind = "connect-garbage"
	FaultConnectRateLimited  FaultKind = "connect-rate-limited"
	FaultTokenExpired        FaultKind = "token-expired"
	FaultItemMissing         FaultKind = "item-missing"
	FaultFieldMissing        FaultKind = "field-missing"
	FaultRotate              FaultKind = "rotate"
	FaultGitDown             FaultKind = "git-down"
	FaultSourceRefused       FaultKind = "source-refused"
	FaultChartMissing        FaultKind = "chart-missing"
	FaultRegistryDown        FaultKind = "registry-down"
	FaultRegistryRateLimited FaultKind = "registry-rate-limited"
	FaultImageMissing        FaultKind = "image-missing"
	FaultImageRefused        FaultKind = "image-refused"
	FaultImagePlatform       FaultKind = "image-platform"
	FaultImageChanged        FaultKind = "image-changed"
	FaultSlowPull            FaultKind = "slow-pull"
	FaultNodeDown            FaultKind = "node-down"
	FaultNodePressure        FaultKind = "node-pressure"
	FaultCrash               FaultKind = "crash"
	FaultOutOfMemory         FaultKind = "out-of-memory"
	FaultUnhealthy           FaultKind = "unhealthy"
	FaultDiskFull            FaultKind = "disk-full"
	FaultSlowDisk            FaultKind = "slow-disk"
	FaultClassMissing        FaultKind = "class-missing"
	FaultNFSDown             FaultKind = "nfs-down"
	FaultGatewayDown         FaultKind = "gateway-down"
	FaultPoolEmpty           FaultKind = "pool-empty"
	FaultDNSDown             FaultKind = "dns-down"
	FaultCertificateExpired  FaultKind = "certificate-expired"
	FaultCertificateRefused  FaultKind = "certificate-refused"
	FaultOperatorDown        FaultKind = "operator-down"
	FaultAPIServerDown       FaultKind = "apiserver-down"
	FaultReleaseLocked       FaultKind = "release-locked"
	FaultFinalizerStuck      FaultKind = "finalizer-stuck"
	FaultKubectlEdit         FaultKind = "kubectl-edit"
	FaultEdit                FaultKind = "edit"
	FaultOverlay             FaultKind = "overlay"
)

// FaultInfo describes one kind of fault.
type FaultInfo struct {
	Kind FaultKind `json:"kind"`
	// Which says what a fault of the kind names; empty where it names nothing.
	Which string `json:"which,omitempty"`
	// Needed says that it has to name something; otherwise it befalls all.
	Needed bool `json:"needed,omitempty"`
	// Title says in one line what happens.
	Title string `json:"title"`
}

// FaultKinds returns every kind of fault, in the order in which they are told.
func FaultKinds() []FaultInfo {
	return []FaultInfo{
		{FaultConnectDown, "", false, "the 1Password Connect server does not answer"},
		{FaultConnectSlow, "", false, "the 1Password Connect server answers later than anybody waits"},
		{FaultConnectGarbage, "", false, "something else answers in the Connect server's place"},
		{FaultConnectRateLimited, "", false, "the Connect server refuses requests as too many"},
		{FaultTokenExpired, "", false, "the Connect server refuses the token"},
		{FaultItemMissing, "ITEM", true, "the vault has no such item"},
		{FaultFieldMissing, "ITEM/FIELD", true, "the item has no such field"},
		{FaultRotate, "ITEM/FIELD", true, "the field has another value"},
		{FaultGitDown, "", false, "the Git repository cannot be reached"},
		{FaultSourceRefused, "HOST", false, "the server refuses the credentials with which Git and charts are fetched"},
		{FaultChartMissing, "CHART", true, "the chart cannot be had where it is asked for"},
		{FaultRegistryDown, "HOST", false, "the registry does not answer"},
		{FaultRegistryRateLimited, "HOST", false, "the registry refuses pulls as too many"},
		{FaultImageMissing, "IMAGE", true, "the registry has no such image"},
		{FaultImageRefused, "IMAGE", true, "the registry gives the image to nobody without credentials"},
		{FaultImageChanged, "IMAGE", true, "the tag stands for another image, which crashes"},
		{FaultImagePlatform, "IMAGE", true, "the registry has the image for other platforms only"},
		{FaultSlowPull, "IMAGE", false, "pulls take five times as long as they ever do"},
		{FaultNodeDown, "NODE", true, "the node stops answering"},
		{FaultNodePressure, "NODE", true, "the node runs out of disk space, and evicts pods"},
		{FaultCrash, "NAMESPACE/WORKLOAD", true, "the containers of the workload exit right after they started"},
		{FaultOutOfMemory, "NAMESPACE/WORKLOAD", true, "the containers of the workload are ended for want of memory"},
		{FaultUnhealthy, "NAMESPACE/WORKLOAD", true, "the probes of the workload's containers fail"},
		{FaultDiskFull, "STORAGECLASS", false, "the storage behind the class is full"},
		{FaultSlowDisk, "STORAGECLASS", false, "volumes of the class take minutes to be made and attached"},
		{FaultClassMissing, "STORAGECLASS", true, "nobody provisions volumes of the class"},
		{FaultNFSDown, "SERVER", false, "the NFS server does not answer"},
		{FaultGatewayDown, "GATEWAY", false, "the gateway's proxies do not run"},
		{FaultPoolEmpty, "", false, "there is no address left for load balancers"},
		{FaultDNSDown, "", false, "the DNS provider cannot be reached"},
		{FaultCertificateExpired, "NAMESPACE/CERTIFICATE", false, "the certificate has expired, and is not renewed"},
		{FaultCertificateRefused, "NAMESPACE/CERTIFICATE", false, "the authority refuses to issue the certificate"},
		{FaultOperatorDown, "OPERATOR", true, "the operator's pods crash, and nobody does its work"},
		{FaultAPIServerDown, "", false, "the API server does not answer"},
		{FaultReleaseLocked, "NAMESPACE/RELEASE", true, "helm uninstall is killed halfway, and the release's record says so for ever"},
		{FaultFinalizerStuck, "KIND/NAMESPACE/NAME", true, "the object has a finalizer that nobody takes off"},
		{FaultKubectlEdit, "KIND/NAMESPACE/NAME:PATH=VALUE", true, "somebody edits an object by hand"},
		{FaultEdit, "FILE:PATH=VALUE", true, "a mistake is made in the repository"},
		{FaultOverlay, "FOLDER", true, "the files of a folder are laid over the repository's"},
	}
}

// Fault is something that is made to go wrong, to see what becomes of it.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// Which is what it befalls, in the form that its kind asks for; empty is all.
	Which string `json:"which,omitempty"`
	// Settled says that it begins once the homelab has settled, and not at once.
	Settled bool `json:"settled,omitempty"`
	// After is how long after that it begins.
	After time.Duration `json:"after,omitempty"`
	// Until is how long after the same moment it is lifted; 0 is never.
	Until time.Duration `json:"until,omitempty"`
}

// maxFault bounds the text of a fault, in bytes.
const maxFault = 4096

// settledWord stands in a fault's text for the moment at which all has settled.
const settledWord = "settled"

// ParseFault reads WHAT[=WHICH][@AFTER][..UNTIL], such as "connect-down",
// "image-missing=ghcr.io/x/y@30s..5m" or "node-down=k8s-2@settled". AFTER and
// UNTIL are durations since the beginning; "settled", or "settled+10s", counts
// from the moment at which the homelab has settled.
func ParseFault(text string) (Fault, error) {
	if len(text) > maxFault {
		return Fault{}, fmt.Errorf("a fault of %d bytes is longer than %d", len(text), maxFault)
	}
	var f Fault
	rest, until, lifted := cutLast(text, "..")
	if lifted {
		d, err := time.ParseDuration(until)
		if lifted = err == nil; lifted {
			f.Until = d
		} else {
			rest = text // two dots that belong to a name
		}
	}
	if what, after, found := cutLast(rest, "@"); found && f.begin(after) {
		rest = what
	}
	kind, which, named := strings.Cut(rest, "=")
	f.Kind, f.Which = FaultKind(kind), which
	info, ok := faultInfo(f.Kind)
	switch {
	case !ok:
		return Fault{}, fmt.Errorf("fault %q: there is no %q: choose one of %s", text, kind, strings.Join(faultNames(), ", "))
	case info.Which == "" && named:
		return Fault{}, fmt.Errorf("fault %q: %s befalls the whole homelab and names nothing", text, kind)
	case info.Needed && which == "":
		return Fault{}, fmt.Errorf("fault %q: say what it befalls: %s=%s", text, kind, info.Which)
	case lifted && f.Until <= f.After:
		return Fault{}, fmt.Errorf("fault %q: it is lifted after %s, before it begins after %s", text, f.Until, f.After)
	case f.After < 0:
		return Fault{}, fmt.Errorf("fault %q: it cannot begin before the beginning", text)
	}
	return f, nil
}

// begin reads when a fault begins, and reports whether the text says so: what
// follows an at sign may also be a digest.
func (f *Fault) begin(text string) bool {
	rest, settled := strings.CutPrefix(text, settledWord)
	if settled && rest == "" {
		f.Settled = true
		return true
	}
	if settled {
		var plus bool
		if rest, plus = strings.CutPrefix(rest, "+"); !plus {
			return false
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		return false
	}
	f.Settled, f.After = settled, d
	return true
}

// String returns the text that ParseFault reads.
func (f Fault) String() string {
	text := string(f.Kind)
	if f.Which != "" {
		text += "=" + f.Which
	}
	switch {
	case f.Settled && f.After > 0:
		text += "@" + settledWord + "+" + f.After.String()
	case f.Settled:
		text += "@" + settledWord
	case f.After > 0:
		text += "@" + f.After.String()
	}
	if f.Until > 0 {
		text += ".." + f.Until.String()
	}
	return text
}

// Befalls reports whether the fault concerns any of the names. A fault without
// a name concerns all. Names and what a fault names match as paths do, "*"
// included; a fault that names "b" concerns "a/b", too.
func (f Fault) Befalls(names ...string) bool {
	if f.Which == "" {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool {
		return match(f.Which, name) || match("*/"+f.Which, name)
	})
}

func match(pattern, name string) bool {
	if pattern == name {
		return true
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

func faultInfo(kind FaultKind) (FaultInfo, bool) {
	for _, info := range FaultKinds() {
		if info.Kind == kind {
			return info, true
		}
	}
	return FaultInfo{}, false
}

func faultNames() []string {
	var names []string
	for _, info := range FaultKinds() {
		names = append(names, string(info.Kind))
	}
	return names
}

// cutLast cuts s around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
