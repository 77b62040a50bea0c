package graph

// databaseMakers are kinds of databases and what their operators make.
var databaseMakers = makerTable{
	postgresKind:                  postgresProducts,
	{postgresGroup, "Pooler"}:     func(p *products) { p.services(p.name) },
	{dragonflyGroup, "Dragonfly"}: func(p *products) { p.services(p.at("spec", "serviceSpec", "name").textOr(p.name)) },
	{"hyperspike.io", "Valkey"}:   func(p *products) { p.suffixed(serviceKind, "", "-headless"); p.secrets(p.name) },
	{mariadbGroup, "MariaDB"}: func(p *products) {
		p.suffixed(serviceKind, "", "-primary", "-secondary", "-internal", "-metrics")
		p.suffixed(secretKind, "-root", "-password", "-metrics", "-ca", "-server-ca-bundle")
		for _, value := range p.at("spec").entries() {
			if value.at("generate").isTrue() {
				p.secrets(value.at("name").text())
			}
		}
	},
	{mariadbGroup, "Connection"}: func(p *products) { p.secrets(p.at("spec", "secretName").textOr(p.name)) },
	{"acid.zalan.do", "postgresql"}: func(p *products) {
		p.suffixed(serviceKind, "", "-repl", "-config", "-pooler")
		users := []string{"postgres", "standby", "pooler"}
		for user := range p.at("spec", "users").entries() {
			users = append(users, user)
		}
		for _, user := range users {
			p.secrets(user + "." + p.name + ".credentials.postgresql.acid.zalan.do")
		}
	},
	{"postgres-operator.crunchydata.com", "PostgresCluster"}: func(p *products) {
		p.suffixed(serviceKind, "-primary", "-replicas", "-ha", "-pods", "-pgbouncer")
		p.suffixed(secretKind, "-pguser-"+p.name, "-cluster-cert", "-replication-cert")
		for user := range p.at("spec", "users").items() {
			p.secrets(p.name + "-pguser-" + user.at("name").text())
		}
	},
	{"mysql.oracle.com", "InnoDBCluster"}: func(p *products) { p.suffixed(serviceKind, "", "-instances") },
	{"redis.redis.opstreelabs.in", "Redis"}: func(p *products) {
		p.suffixed(serviceKind, "", "-headless", "-additional")
	},
	{"redis.redis.opstreelabs.in", "RedisCluster"}: func(p *products) {
		p.suffixed(serviceKind, "-leader", "-follower", "-master", "-leader-headless", "-follower-headless")
	},
	{"redis.redis.opstreelabs.in", "RedisReplication"}: func(p *products) {
		p.suffixed(serviceKind, "", "-headless", "-master", "-replica", "-additional")
	},
	{"mongodbcommunity.mongodb.com", "MongoDBCommunity"}: func(p *products) {
		p.suffixed(serviceKind, "-svc")
		for user := range p.at("spec", "users").items() {
			p.secrets(user.at("connectionStringSecretName").textOr(p.name + "-" + user.at("db").text() + "-" + user.at("name").text()))
		}
	},
	{"elasticsearch.k8s.elastic.co", "Elasticsearch"}: func(p *products) {
		p.suffixed(serviceKind, "-es-http", "-es-transport", "-es-internal-http")
		p.suffixed(secretKind, "-es-elastic-user", "-es-http-certs-public", "-es-http-certs-internal")
	},
	{"kibana.k8s.elastic.co", "Kibana"}: func(p *products) { p.suffixed(serviceKind, "-kb-http") },
	{"rabbitmq.com", "RabbitmqCluster"}: func(p *products) {
		p.suffixed(serviceKind, "", "-nodes")
		p.suffixed(secretKind, "-default-user", "-erlang-cookie")
	},
	{"kafka.strimzi.io", "Kafka"}: func(p *products) {
		p.suffixed(serviceKind, "-kafka-bootstrap", "-kafka-brokers")
		p.suffixed(secretKind, "-cluster-ca-cert", "-clients-ca-cert")
	},
	{"kafka.strimzi.io", "KafkaUser"}: func(p *products) { p.secrets(p.name) },
}

// postgresProducts follows CloudNative-PG: three Services, unless they are
// switched off, and the Secrets that the specification does not bring itself.
func postgresProducts(p *products) {
	spec := p.at("spec")
	off := map[string]bool{}
	for name := range spec.at("managed", "services", "disabledDefaultServices").items() {
		off[name.text()] = true
	}
	for _, role := range []string{"rw", "ro", "r"} {
		if !off[role] {
			p.services(p.name + "-" + role)
		}
	}
	p.services(p.name + "-any")
	for extra := range spec.at("managed", "services", "additional").items() {
		p.services(extra.at("serviceTemplate", "metadata", "name").text())
	}
	p.add(serviceAccountKind, p.name)
	p.add(configMapKind, "cnpg-default-monitoring")
	if p.makesOwner(spec.at("bootstrap")) {
		p.secrets(p.name + "-app")
	}
	if spec.at("enableSuperuserAccess").isTrue() && !spec.at("superuserSecret", "name").exists() {
		p.secrets(p.name + "-superuser")
	}
	for suffix, own := range map[string]string{
		"-ca": "serverCASecret", "-server": "serverTLSSecret", "-replication": "replicationTLSSecret",
	} {
		if !spec.at("certificates", own).exists() {
			p.secrets(p.name + suffix)
		}
	}
}

// makesOwner reports whether the operator makes the Secret of the database's
// owner: a new database always has one, a restored one where it is named.
func (p *products) makesOwner(bootstrap field) bool {
	for _, way := range []string{"recovery", "pg_basebackup"} {
		if f := bootstrap.at(way); f.exists() {
			return f.at("owner").exists() && f.at("database").exists() && !f.at("secret", "name").exists()
		}
	}
	return !bootstrap.at("initdb", "secret", "name").exists()
}
