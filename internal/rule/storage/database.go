package storage

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/graph"
	"hearth/internal/render/desired"
)

// server is a database server that is known by its image.
type server struct {
	// images are the last elements of repositories that serve it.
	images []string
	// folders are where it keeps its data.
	folders []string
}

// servers are the database servers that homelabs run in pods of their own.
var servers = []server{
	{[]string{"postgres", "postgresql", "pgvector", "postgis", "timescaledb", "timescaledb-ha", "pgvecto-rs"},
		[]string{"/var/lib/postgresql", "/bitnami/postgresql", "/home/postgres/pgdata"}},
	{[]string{"mariadb", "mariadb-galera", "mysql", "mysql-server", "percona", "percona-server"},
		[]string{"/var/lib/mysql", "/bitnami/mariadb", "/bitnami/mysql"}},
	{[]string{"mongo", "mongodb", "mongodb-community-server", "ferretdb"}, []string{"/data/db", "/bitnami/mongodb"}},
	{[]string{"redis", "valkey", "keydb", "redis-stack", "redis-stack-server", "dragonfly"}, []string{"/data", "/bitnami/redis/data", "/bitnami/valkey/data"}},
	{[]string{"influxdb"}, []string{"/var/lib/influxdb", "/var/lib/influxdb2", "/var/lib/influxdb3", "/bitnami/influxdb"}},
	{[]string{"clickhouse", "clickhouse-server"}, []string{"/var/lib/clickhouse"}},
	{[]string{"elasticsearch"}, []string{"/usr/share/elasticsearch/data"}},
	{[]string{"opensearch"}, []string{"/usr/share/opensearch/data"}},
	{[]string{"couchdb"}, []string{"/opt/couchdb/data"}},
	{[]string{"cassandra"}, []string{"/var/lib/cassandra"}},
	{[]string{"neo4j"}, []string{"/data"}},
}

// serverOf returns the database server that an image holds.
func serverOf(image string) (server, bool) {
	image, _, _ = strings.Cut(image, "@")
	name, _, _ := strings.Cut(path.Base(image), ":")
	for _, s := range servers {
		if slices.Contains(s.images, name) {
			return s, true
		}
	}
	return server{}, false
}

// dataVolume is a volume that a database server keeps its data on.
type dataVolume struct {
	image string
	corev1.Volume
	// path leads to the volume in the object.
	path []string
	// template says that the StatefulSet makes a claim of this name itself.
	template bool
}

// dataVolumes lists the volumes that the database servers of a workload keep
// their data on. Jobs are left out: they dump and restore.
func dataVolumes(o *desired.Object) []dataVolume {
	if kind := o.GetKind(); kind == "Job" || kind == "CronJob" {
		return nil
	}
	var list []dataVolume
	for _, pods := range graph.PodSpecs(o) {
		for _, c := range pods.Spec.Containers {
			s, ok := serverOf(c.Image)
			if !ok {
				continue
			}
			for _, m := range c.VolumeMounts {
				if s.keepsDataIn(m.MountPath) {
					list = append(list, volumeOf(pods, m.Name, c.Image))
				}
			}
		}
	}
	return list
}

// keepsDataIn reports whether a mount holds the server's data: it is the
// folder of the data, or lies in it, or the other way round.
func (s server) keepsDataIn(mount string) bool {
	mount = path.Clean(mount)
	return slices.ContainsFunc(s.folders, func(folder string) bool {
		return within(folder, mount) || mount != "/" && within(mount, folder)
	})
}

func within(folder, file string) bool { return file == folder || strings.HasPrefix(file, folder+"/") }

// volumeOf returns the volume of a name; the one of a claim template is in no
// list of the pod's.
func volumeOf(pods graph.PodSpec, name, image string) dataVolume {
	for i, v := range pods.Spec.Volumes {
		if v.Name == name {
			return dataVolume{image: image, Volume: v, path: append(slices.Clip(pods.Path), "volumes", index(i))}
		}
	}
	return dataVolume{image: image, Volume: corev1.Volume{Name: name}, template: true}
}
