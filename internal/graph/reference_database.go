package graph

import "strings"

const (
	postgresGroup  = "postgresql.cnpg.io"
	barmanGroup    = "barmancloud.cnpg.io"
	dragonflyGroup = "dragonflydb.io"
	mariadbGroup   = "k8s.mariadb.com"
)

var postgresKind = kind{postgresGroup, "Cluster"}

// databaseKinds are the kinds of databases that operators run.
var databaseKinds = map[kind]bool{
	postgresKind:                                             true,
	{dragonflyGroup, "Dragonfly"}:                            true,
	{mariadbGroup, "MariaDB"}:                                true,
	{"acid.zalan.do", "postgresql"}:                          true,
	{"postgres-operator.crunchydata.com", "PostgresCluster"}: true,
	{"mysql.oracle.com", "InnoDBCluster"}:                    true,
	{"redis.redis.opstreelabs.in", "Redis"}:                  true,
	{"redis.redis.opstreelabs.in", "RedisCluster"}:           true,
	{"redis.redis.opstreelabs.in", "RedisReplication"}:       true,
	{"mongodbcommunity.mongodb.com", "MongoDBCommunity"}:     true,
	{"psmdb.percona.com", "PerconaServerMongoDB"}:            true,
	{"hyperspike.io", "Valkey"}:                              true,
	{"elasticsearch.k8s.elastic.co", "Elasticsearch"}:        true,
	{"influxdata.com", "InfluxDB"}:                           true,
	{"clickhouse.altinity.com", "ClickHouseInstallation"}:    true,
}

// databaseReaders read the kinds of databases.
var databaseReaders = readerTable{
	postgresKind:                       readPostgres,
	{postgresGroup, "Pooler"}:          readPooler,
	{postgresGroup, "Database"}:        readPostgresPart,
	{postgresGroup, "DatabaseRole"}:    readPostgresPart,
	{postgresGroup, "Subscription"}:    readPostgresPart,
	{postgresGroup, "Publication"}:     readPostgresPart,
	{postgresGroup, "Backup"}:          readPostgresPart,
	{postgresGroup, "ScheduledBackup"}: readPostgresPart,
	{barmanGroup, "ObjectStore"}:       func(c *collector) { c.keys(c.at("spec"), "stores with", maxDepth) },
	{dragonflyGroup, "Dragonfly"}:      readDragonfly,
	{mariadbGroup, "*"}:                readMariaDB,
}

func readPostgres(c *collector) {
	spec := c.at("spec")
	c.target(spec.at("imageCatalogRef"), kind{postgresGroup, "ImageCatalog"}, "takes its image from")
	for pull := range spec.at("imagePullSecrets").items() {
		c.secret(pull, "pulls images with", optional)
	}
	c.postgresBootstrap(spec.at("bootstrap"))
	c.secret(spec.at("superuserSecret"), "takes the superuser's password from")
	for role := range spec.at("managed", "roles").items() {
		c.secret(role.at("passwordSecret"), "takes a role's password from")
	}
	for _, name := range []string{"serverCASecret", "serverTLSSecret", "replicationTLSSecret", "clientCASecret"} {
		c.name(spec.at("certificates", name), secretKind, "is secured by")
	}
	c.volume(spec.at("storage"))
	c.volume(spec.at("walStorage"))
	for space := range spec.at("tablespaces").items() {
		c.volume(space.at("storage"))
	}
	for part := range spec.at("projectedVolumeTemplate", "sources").items() {
		c.secret(part.at("secret"), "mounts")
		c.configMap(part.at("configMap"), "mounts")
	}
	c.container(spec)
	c.keys(spec.at("backup"), "backs up with", maxDepth)
	for external := range spec.at("externalClusters").items() {
		c.keys(external, "reads another cluster with", maxDepth)
		c.barman(external.at("plugin"))
	}
	for plugin := range spec.at("plugins").items() {
		c.barman(plugin)
	}
	for item := range spec.at("monitoring", "customQueriesConfigMap").items() {
		c.configMap(item, "takes queries from", optional)
	}
	for item := range spec.at("monitoring", "customQueriesSecret").items() {
		c.secret(item, "takes queries from", optional)
	}
}

func (c *collector) postgresBootstrap(bootstrap field) {
	for _, way := range bootstrap.entries() {
		c.secret(way.at("secret"), "takes the owner's password from")
		for _, list := range []string{"postInitSQLRefs", "postInitApplicationSQLRefs", "postInitTemplateSQLRefs"} {
			for item := range way.at(list, "secretRefs").items() {
				c.secret(item, "takes statements from")
			}
			for item := range way.at(list, "configMapRefs").items() {
				c.configMap(item, "takes statements from")
			}
		}
	}
	c.name(bootstrap.at("recovery", "backup", "name"), kind{postgresGroup, "Backup"}, "is restored from")
	c.target(bootstrap.at("recovery", "volumeSnapshots", "storage"), kind{"snapshot.storage.k8s.io", "VolumeSnapshot"}, "is restored from")
}

// barman reads the plugin that archives to object storage.
func (c *collector) barman(plugin field) {
	if plugin.at("name").text() == "barman-cloud.cloudnative-pg.io" {
		c.name(plugin.at("parameters", "barmanObjectName"), kind{barmanGroup, "ObjectStore"}, "archives to")
	}
}

// volume reads how a database asks for storage.
func (c *collector) volume(storage field) {
	c.name(storage.at("storageClass"), storageClassKind, "is provisioned by")
	c.claim(storage.at("pvcTemplate"))
}

// keys adds every mapping of a name and a key, which for databases is a Secret.
func (c *collector) keys(f field, why string, depth int) {
	if depth == 0 {
		return
	}
	for item := range f.items() {
		c.keys(item, why, depth-1)
	}
	for _, value := range f.entries() {
		if value.at("name").text() != "" && value.at("key").text() != "" {
			c.secret(value, why)
			continue
		}
		c.keys(value, why, depth-1)
	}
}

func readPooler(c *collector) {
	c.selector(c.at("spec", "cluster"), postgresKind, "pools connections to")
	c.secret(c.at("spec", "pgbouncer", "authQuerySecret"), "asks with")
}

func readPostgresPart(c *collector) {
	c.selector(c.at("spec", "cluster"), postgresKind, "belongs to")
	c.secret(c.at("spec", "passwordSecret"), "takes its password from")
}

func readDragonfly(c *collector) {
	spec := c.at("spec")
	c.secret(spec.at("authentication", "passwordFromSecret"), "takes its password from")
	c.secret(spec.at("authentication", "clientCaCertSecret"), "trusts")
	c.secret(spec.at("tlsSecretRef"), "is secured by")
	c.secret(spec.at("aclFromSecret"), "takes its access rules from")
	c.container(spec)
	c.name(spec.at("serviceAccountName"), serviceAccountKind, "runs as")
	c.claim(spec.at("snapshot", "persistentVolumeClaimSpec"))
}

// readMariaDB reads the kinds of the MariaDB operator, whose references to
// Secrets end in SecretKeyRef and say so where the operator makes them.
func readMariaDB(c *collector) {
	c.selector(c.at("spec", "mariaDbRef"), kind{mariadbGroup, "MariaDB"}, "belongs to")
	c.name(c.at("spec", "storage", "storageClassName"), storageClassKind, "is provisioned by")
	for name, value := range c.at("spec").entries() {
		if strings.HasSuffix(name, "SecretKeyRef") && !value.at("generate").isTrue() {
			c.secret(value, "takes a password from")
		}
	}
}
