package domain

import (
	"maps"
	"slices"
)

// databases are the kinds whose operator deletes the data with the object.
var databases = map[[2]string]bool{
	{"postgresql.cnpg.io", "Cluster"}:                        true,
	{"acid.zalan.do", "postgresql"}:                          true,
	{"postgres-operator.crunchydata.com", "PostgresCluster"}: true,
	{"pgv2.percona.com", "PerconaPGCluster"}:                 true,
	{"pxc.percona.com", "PerconaXtraDBCluster"}:              true,
	{"psmdb.percona.com", "PerconaServerMongoDB"}:            true,
	{"k8s.mariadb.com", "MariaDB"}:                           true,
	{"mysql.oracle.com", "InnoDBCluster"}:                    true,
	{"mongodbcommunity.mongodb.com", "MongoDBCommunity"}:     true,
	{"clickhouse.altinity.com", "ClickHouseInstallation"}:    true,
	{"elasticsearch.k8s.elastic.co", "Elasticsearch"}:        true,
	{"cassandra.datastax.com", "CassandraDatacenter"}:        true,
	{"rabbitmq.com", "RabbitmqCluster"}:                      true,
	{"apps.kubeblocks.io", "Cluster"}:                        true,
	{"kubedb.com", "Postgres"}:                               true,
	{"stackgres.io", "SGCluster"}:                            true,
}

// DatabaseKind reports whether a kind of objects is a database, whose operator
// deletes the data with the object.
func DatabaseKind(group, kind string) bool { return databases[[2]string{group, kind}] }

// DatabaseKinds calls f for the API group and kind of every kind of database
// that is known, in their order.
func DatabaseKinds(f func(group, kind string)) {
	kinds := slices.SortedFunc(maps.Keys(databases), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	for _, k := range kinds {
		f(k[0], k[1])
	}
}
