package integration_test

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// manyConfigMaps holds objects that stay, with a value, and some that only this
// value has.
func manyConfigMaps(value string) map[string]string {
	files := map[string]string{}
	for i := range 30 {
		files[fmt.Sprintf("apps/stays-%02d.yaml", i)] = plain(fmt.Sprintf("stays-%02d", i), value)
	}
	for i := range 6 {
		name := fmt.Sprintf("only-%s-%d", value, i)
		files["apps/"+name+".yaml"] = plain(name, value)
	}
	return files
}

// without removes what only a value had.
func without(files map[string]string, value string) map[string]string {
	for i := range 6 {
		files[fmt.Sprintf("apps/only-%s-%d.yaml", value, i)] = ""
	}
	return files
}

// outage lets the connection to the API server fail in the middle of an apply,
// and something else be pushed while it is away.
func outage(t *testing.T, fail func(*wire), away time.Duration) {
	w := newWire(t)
	l := newSite(t, manyConfigMaps("one")).newLab(t)
	failed := make(chan struct{})
	l.start(func(config *rest.Config) {
		w.connect(config)
		// Of the second revision, as it creates what the first had not.
		atWrite(config, "/configmaps/only-two-", 3, func() {
			fail(w)
			close(failed)
		})
	})
	begin := func(l *lab) {
		l.kustomization("apps", "{}")
		l.ready("apps")
	}
	begin(l)
	before := l.uids()

	l.push(without(manyConfigMaps("two"), "one"))
	<-failed
	l.site.commit(without(manyConfigMaps("three"), "two"))
	l.fetch()
	time.Sleep(away)
	l.keeps(before)
	if !l.exists("only-two-0") {
		t.Error("the connection did not fail in the middle of an apply")
	}
	w.Mend()

	l.ready("apps")
	for i := range 6 {
		delete(before, fmt.Sprintf("only-one-%d", i))
	}
	l.keeps(before)
	l.equalsUndisturbed(begin)
}

// TestFaultServerStopped takes the API server away for twenty seconds.
func TestFaultServerStopped(t *testing.T) {
	t.Parallel()
	outage(t, (*wire).Cut, 20*time.Second)
}

// TestFaultServerSilent lets connections hang that nobody ends.
func TestFaultServerSilent(t *testing.T) {
	// How long a connection may be silent before it is taken for dead. By
	// default that is 45 s.
	t.Setenv("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "1")
	t.Setenv("HTTP2_PING_TIMEOUT_SECONDS", "1")
	outage(t, (*wire).Kill, 3*time.Second)
}
