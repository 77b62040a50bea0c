package kubelet

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// What counts as a database's host, and what says nothing for certain.
func TestDatabaseHost(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"DB_URL", "postgres://app:p%40ss@db-rw.media.svc.cluster.local:5432/app?sslmode=disable", "db-rw.media.svc.cluster.local"},
		{"ANY", "postgresql+asyncpg://u:p@DB-RW/app", "db-rw"},
		{"SPRING", "jdbc:mariadb://db.media.svc./app", "db.media.svc"},
		{"DB_URL", "postgres://$(DB_USER):$(DB_PASSWORD)@db-rw/app", "db-rw"},
		{"DB_HOSTNAME", "db-rw.media.svc:5432", "db-rw.media.svc"},
		{"SONARR__POSTGRES__HOST", "db-rw.media", "db-rw.media"},
		{"PGHOST", "db-ro", "db-ro"},
		{"PAPERLESS_DBHOST", "db-rw", "db-rw"},
		{"SERVER", "db-rw.media.svc", ""},
		{"REDIS_URL", "redis://cache.media.svc:6379", ""},
		{"DB_HOST", "a:5432,b:5432", ""},
		{"DB_HOST", "/var/run/postgresql", ""},
		{"DB_URL", "postgres:///app", ""},
		{"DB_HOST", "", ""},
	} {
		got, ok := databaseHost(c.name, c.value)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s=%s names %q", c.name, c.value, got)
		}
	}
}

func FuzzDatabaseHost(f *testing.F) {
	f.Add("DB_HOST", "db-rw.media.svc:5432")
	f.Add("DB_URL", "postgres://a:b@c/d")
	f.Fuzz(func(t *testing.T, name, value string) {
		if host, ok := databaseHost(name, value); ok && host == "" {
			t.Errorf("%q=%q names a host without a name", name, value)
		}
	})
}

// A name in a command that nothing defines is left as it is, and is no value
// that an application can use.
func TestUndefined(t *testing.T) {
	defined := []variable{{name: "DB_URL"}}
	for _, c := range []struct {
		command []string
		want    string
	}{
		{[]string{"pg_isready", "--dbname=$(DB_URL)"}, ""},
		{[]string{"pg_isready", "--dbname=$(DB_URI)"}, "DB_URI"},
		{[]string{"app", "--price=$$(DB_URI)"}, ""},
		{[]string{"sh", "-c", "echo $(DATE)"}, ""},
		{[]string{"/bin/bash", "run $(DATE)"}, ""},
		{[]string{"app", "$(date)"}, ""},
		{[]string{"app", "$(KUBERNETES_SERVICE_HOST)"}, ""},
	} {
		if got := undefined(&corev1.Container{Command: c.command[:1], Args: c.command[1:]}, defined); got != c.want {
			t.Errorf("%q: %q is undefined, want %q", c.command, got, c.want)
		}
	}
}
