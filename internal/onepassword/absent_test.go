package onepassword_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hearth/internal/domain"
	"hearth/internal/onepassword"
)

// TestServerFollowsFaults injects each fault of a rehearsal into a server, and
// lifts it again.
func TestServerFollowsFaults(t *testing.T) {
	faults := &domain.Faults{}
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, vaultFile), Faults: faults})
	patient, hasty := newClient(t, url, s.Token(), "Kubernetes"), impatient(t, url, s.Token(), "Kubernetes")
	field := func(c *onepassword.Client) error {
		item, err := c.Item(t.Context(), "immich", time.Now())
		if err == nil {
			_, err = item.Lookup("DB_PASSWORD")
		}
		return err
	}
	for text, want := range map[string]string{
		"connect-down":                                "is unreachable",
		"connect-slow":                                "no answer within",
		"connect-garbage":                             "is not the JSON of a Connect server",
		"connect-rate-limited":                        "answered with status 429",
		"token-expired":                               "refuses the token",
		"item-missing=immich":                         `no item "immich"`,
		"item-missing=Kubernetes/immich":              `no item "immich"`,
		"field-missing=immich/DB_PASSWORD":            "has no field DB_PASSWORD",
		"field-missing=immich/database.DB_PASSWORD":   "has no field DB_PASSWORD",
		"field-missing=Kubernetes/immich/DB_PASSWORD": "has no field DB_PASSWORD",
		"item-missing=plex":                           "",
		"item-missing=Other/immich":                   "",
		"field-missing=immich/username":               "",
		"crash=immich":                                "",
	} {
		fault, err := domain.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		c := patient
		if fault.Kind == domain.FaultConnectSlow {
			c = hasty
		}
		faults.Inject(fault)
		err = field(c)
		if told(err) != want && !(want != "" && strings.Contains(told(err), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		faults.Lift(fault)
		if err := field(patient); err != nil {
			t.Errorf("after %s: %v", text, err)
		}
	}
}

func told(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestServerHidesWhatIsMadeUp lets faults take away what no vault has.
func TestServerHidesWhatIsMadeUp(t *testing.T) {
	faults, made := &domain.Faults{}, &domain.Assumptions{}
	assumer := &onepassword.Assumer{Seed: 1}
	assumer.Want(onepassword.Need{Item: "app", Field: "user"}, onepassword.Need{Item: "app", Field: "pass"})
	s, url := serve(t, onepassword.ServerOptions{Assume: assumer.Fields, Assumptions: made, Faults: faults})
	c := newClient(t, url, s.Token(), "Any")
	faults.Inject(domain.Fault{Kind: domain.FaultFieldMissing, Which: "app/pass"})
	item, err := c.Item(t.Context(), "app", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if len(item.Fields) != 1 || item.Fields[0].Label != "user" {
		t.Errorf("%d fields, want the one that is not missing", len(item.Fields))
	}
	if list := made.List(); len(list) != 1 || list[0].Subject != "app/user" {
		t.Errorf("assumptions %v", list)
	}
	faults.Inject(domain.Fault{Kind: domain.FaultItemMissing, Which: "app"})
	var none *onepassword.NoItemError
	if _, err := c.Item(t.Context(), "app", time.Now()); !errors.As(err, &none) {
		t.Errorf("got %v, want a *NoItemError", err)
	}
}

// TestServerRotates gives a field another value while a fault is on.
func TestServerRotates(t *testing.T) {
	faults := &domain.Faults{}
	assumer := &onepassword.Assumer{Seed: 1}
	assumer.Want(onepassword.Need{Item: "app", Field: "user"}, onepassword.Need{Item: "app", Field: "pass"})
	s, url := serve(t, onepassword.ServerOptions{Assume: assumer.Fields, Assumptions: &domain.Assumptions{}, Faults: faults})
	c := newClient(t, url, s.Token(), "Any")
	values := func() map[string]onepassword.Value {
		item, err := c.Item(t.Context(), "app", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		byLabel := map[string]onepassword.Value{}
		for _, f := range item.Fields {
			byLabel[f.Label] = f.Value
		}
		return byLabel
	}
	before := values()
	rotation := domain.Fault{Kind: domain.FaultRotate, Which: "app/pass"}
	faults.Inject(rotation)
	during := values()
	faults.Lift(rotation)
	after := values()
	if during["pass"].Equal(before["pass"]) {
		t.Error("the field has the same value as before the rotation")
	}
	if !during["user"].Equal(before["user"]) {
		t.Error("another field has changed, too")
	}
	if !after["pass"].Equal(before["pass"]) {
		t.Error("the field did not get its value back")
	}
}

// TestServerHidesFiles takes the content of a file away, too.
func TestServerHidesFiles(t *testing.T) {
	faults := &domain.Faults{}
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, vaultFile), Faults: faults})
	c := newClient(t, url, s.Token(), "Kubernetes")
	item, err := c.Item(t.Context(), "kubeconfig", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	file, err := item.LookupFile("admin.conf")
	if err != nil {
		t.Fatal(err)
	}
	faults.Inject(domain.Fault{Kind: domain.FaultFieldMissing, Which: "kubeconfig/admin.conf"})
	if content, err := c.Content(t.Context(), item, file); err == nil {
		t.Errorf("%d bytes of a file that is not there", len(content.Reveal()))
	}
	if item, err = c.Item(t.Context(), "kubeconfig", time.Now()); err != nil {
		t.Fatal(err)
	}
	if len(item.Files) != 1 {
		t.Errorf("%d files, want the one that is not missing", len(item.Files))
	}
}

// TestSlowAnswerEndsWithItsFault lets a request that waits be answered once the
// server is no longer slow.
func TestSlowAnswerEndsWithItsFault(t *testing.T) {
	faults := &domain.Faults{}
	s, err := onepassword.NewServer(onepassword.ServerOptions{File: writeVault(t, vaultFile), Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	slow := domain.Fault{Kind: domain.FaultConnectSlow}
	faults.Inject(slow)
	answer := httptest.NewRecorder()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/heartbeat", nil))
	}()
	faults.Inject(domain.Fault{Kind: domain.FaultCrash, Which: "x"}) // another one changes nothing
	faults.Lift(slow)
	<-answered
	if answer.Code != http.StatusOK || answer.Body.String() != "." {
		t.Errorf("status %d", answer.Code)
	}
}
