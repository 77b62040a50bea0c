package domain

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestParseFault(t *testing.T) {
	digest := "ghcr.io/a/b:1@sha256:0123"
	for text, want := range map[string]Fault{
		"connect-down":                     {Kind: FaultConnectDown},
		"connect-down@30s":                 {Kind: FaultConnectDown, After: 30 * time.Second},
		"connect-down@30s..5m":             {Kind: FaultConnectDown, After: 30 * time.Second, Until: 5 * time.Minute},
		"registry-down..5m":                {Kind: FaultRegistryDown, Until: 5 * time.Minute},
		"node-down=k8s-2@settled":          {Kind: FaultNodeDown, Which: "k8s-2", Settled: true},
		"node-down=k8s-2@settled+1m..2m":   {Kind: FaultNodeDown, Which: "k8s-2", Settled: true, After: time.Minute, Until: 2 * time.Minute},
		"image-missing=" + digest:          {Kind: FaultImageMissing, Which: digest},
		"image-missing=" + digest + "@1s":  {Kind: FaultImageMissing, Which: digest, After: time.Second},
		"field-missing=immich/DB_PASSWORD": {Kind: FaultFieldMissing, Which: "immich/DB_PASSWORD"},
		"edit=a/b.yaml:spec.path=../x":     {Kind: FaultEdit, Which: "a/b.yaml:spec.path=../x"},
	} {
		got, err := ParseFault(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"fire":                    "choose one of connect-down",
		"":                        "choose one of",
		"node-down":               "node-down=NODE",
		"dns-down=x":              "names nothing",
		"connect-down@5m..1m":     "before it begins",
		"connect-down@-5m":        "before the beginning",
		strings.Repeat("x", 5000): "longer than",
	} {
		if got, err := ParseFault(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %+v, %v; want %q", text, got, err, want)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	f.Add("node-down=k8s-2@settled+1m..2m")
	f.Add("image-missing=a@sha256:1@1s")
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := ParseFault(text)
		if err != nil {
			return
		}
		again, err := ParseFault(fault.String())
		if err != nil || again != fault {
			t.Errorf("%q is %+v, written %q and read as %+v, %v", text, fault, fault, again, err)
		}
	})
}

func TestFaults(t *testing.T) {
	var nobody *Faults
	if nobody.On(FaultCrash, "a/b") || nobody.Active() != nil {
		t.Error("nobody has faults")
	}
	var faults Faults
	changes, stop := faults.Changes()
	defer stop()
	crash := Fault{Kind: FaultCrash, Which: "immich-*"}
	faults.Inject(crash)
	faults.Inject(crash)
	<-changes
	if !faults.On(FaultCrash, "media/immich-server") || faults.On(FaultCrash, "media/jellyfin") || faults.On(FaultNodeDown, "media/immich-server") {
		t.Errorf("on are %v", faults.Active())
	}
	faults.Inject(Fault{Kind: FaultRegistryDown})
	if !faults.On(FaultRegistryDown, "ghcr.io") {
		t.Error("a fault without a name befalls everybody")
	}
	faults.Lift(crash)
	if len(faults.Active()) != 1 || faults.On(FaultCrash, "media/immich-server") {
		t.Errorf("on are %v", faults.Active())
	}
}

func TestFollowTellsOfEachChangeUntilItsEnd(t *testing.T) {
	faults := &Faults{}
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		faults.Follow(ctx, func(context.Context) { told <- faults.On(FaultDNSDown) })
	}()
	fault := Fault{Kind: FaultDNSDown}
	for !followed(faults) {
		runtime.Gosched()
	}
	faults.Inject(fault)
	if !<-told {
		t.Error("a fault that began is not on")
	}
	faults.Lift(fault)
	if <-told {
		t.Error("a fault that was lifted is on")
	}
	cancel()
	<-ended
}

func followed(f *Faults) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.watchers) > 0
}
