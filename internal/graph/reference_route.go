package graph

const (
	gatewayGroup = "gateway.networking.k8s.io"
	envoyGroup   = "gateway.envoyproxy.io"
)

var (
	gatewayKind      = kind{gatewayGroup, "Gateway"}
	gatewayClassKind = kind{gatewayGroup, "GatewayClass"}
	ingressClassKind = kind{"networking.k8s.io", "IngressClass"}
	ingressKind      = kind{"networking.k8s.io", "Ingress"}
)

// routeKinds are the kinds of routes of the Gateway API.
var routeKinds = map[kind]bool{
	{gatewayGroup, "HTTPRoute"}: true,
	{gatewayGroup, "GRPCRoute"}: true,
	{gatewayGroup, "TLSRoute"}:  true,
	{gatewayGroup, "TCPRoute"}:  true,
	{gatewayGroup, "UDPRoute"}:  true,
}

// routeReaders read routes, gateways and what is attached to them.
var routeReaders = readerTable{
	ingressKind:                          readIngress,
	ingressClassKind:                     func(c *collector) { c.parameters(c.at("spec", "parameters")) },
	gatewayClassKind:                     func(c *collector) { c.parameters(c.at("spec", "parametersRef")) },
	gatewayKind:                          readGateway,
	{gatewayGroup, "BackendTLSPolicy"}:   readBackendTLS,
	{gatewayGroup, "ReferenceGrant"}:     func(*collector) {},
	{envoyGroup, "SecurityPolicy"}:       readEnvoyPolicy,
	{envoyGroup, "ClientTrafficPolicy"}:  readEnvoyPolicy,
	{envoyGroup, "EnvoyExtensionPolicy"}: readEnvoyPolicy,
	{envoyGroup, "BackendTrafficPolicy"}: readEnvoyPolicy,
	{envoyGroup, "EnvoyPatchPolicy"}:     readEnvoyPolicy,
	{envoyGroup, "HTTPRouteFilter"}:      func(c *collector) { c.envoySecrets(c.at("spec"), maxDepth) },
	{"traefik.io", "IngressRoute"}:       readIngressRoute,
	{"traefik.io", "IngressRouteTCP"}:    readIngressRoute,
	{"traefik.io", "IngressRouteUDP"}:    readIngressRoute,
}

// routesReaders read the kinds of routes.
func routesReaders() readerTable {
	table := readerTable{}
	for k := range routeKinds {
		table[k] = readRoute
	}
	return table
}

func readRoute(c *collector) {
	for parent := range c.at("spec", "parentRefs").items() {
		c.target(parent, gatewayKind, "is attached to", withKey(parent.at("sectionName").text()))
	}
	for rule := range c.at("spec", "rules").items() {
		c.filters(rule)
		for backend := range rule.at("backendRefs").items() {
			c.backend(backend)
			c.filters(backend)
		}
	}
}

func (c *collector) backend(f field) {
	c.target(f, serviceKind, "sends requests to", withKey(f.at("port").text()))
}

func (c *collector) filters(f field) {
	for filter := range f.at("filters").items() {
		c.backendOf(filter.at("requestMirror", "backendRef"), "mirrors requests to")
		c.target(filter.at("extensionRef"), kind{}, "is filtered by")
	}
}

func (c *collector) backendOf(f field, why string) {
	c.target(f, serviceKind, why, withKey(f.at("port").text()))
}

func readGateway(c *collector) {
	c.name(c.at("spec", "gatewayClassName"), gatewayClassKind, "is played by")
	c.parameters(c.at("spec", "infrastructure", "parametersRef"))
	for listener := range c.at("spec", "listeners").items() {
		for certificate := range listener.at("tls", "certificateRefs").items() {
			c.target(certificate, secretKind, "is secured by")
		}
		for authority := range listener.at("tls", "frontendValidation", "caCertificateRefs").items() {
			c.target(authority, configMapKind, "trusts")
		}
	}
}

func (c *collector) parameters(f field) { c.target(f, kind{}, "is configured by") }

func readBackendTLS(c *collector) {
	for authority := range c.at("spec", "validation", "caCertificateRefs").items() {
		c.target(authority, configMapKind, "trusts")
	}
}

func readIngress(c *collector) {
	c.name(c.at("spec", "ingressClassName"), ingressClassKind, "is played by")
	c.ingressBackend(c.at("spec", "defaultBackend"))
	for rule := range c.at("spec", "rules").items() {
		for path := range rule.at("http", "paths").items() {
			c.ingressBackend(path.at("backend"))
		}
	}
	for tls := range c.at("spec", "tls").items() {
		c.name(tls.at("secretName"), secretKind, "is secured by", optional)
	}
}

func (c *collector) ingressBackend(f field) {
	port := f.at("service", "port", "number").text() + f.at("service", "port", "name").text()
	c.name(f.at("service", "name"), serviceKind, "sends requests to", withKey(port))
	c.target(f.at("resource"), kind{}, "sends requests to")
}

func readIngressRoute(c *collector) {
	for route := range c.at("spec", "routes").items() {
		for service := range route.at("services").items() {
			to := service.at("kind").textOr("Service")
			switch {
			case to == "Service":
				c.selector(service, serviceKind, "sends requests to", withKey(service.at("port").text()))
			case service.at("name").text() != "api@internal":
				c.selector(service, kind{"traefik.io", to}, "sends requests to")
			}
		}
		for middleware := range route.at("middlewares").items() {
			c.selector(middleware, kind{"traefik.io", "Middleware"}, "is filtered by")
		}
	}
	c.name(c.at("spec", "tls", "secretName"), secretKind, "is secured by")
}

// readEnvoyPolicy reads what a policy of Envoy Gateway is applied to and uses.
func readEnvoyPolicy(c *collector) {
	c.target(c.at("spec", "targetRef"), kind{gatewayGroup, ""}, "applies to")
	c.envoySecrets(c.at("spec"), maxDepth)
}

// envoySecrets finds Secrets, authorities and backends, whose fields have the
// same names in all kinds of Envoy Gateway.
func (c *collector) envoySecrets(f field, depth int) {
	if depth == 0 {
		return
	}
	for item := range f.items() {
		c.envoySecrets(item, depth-1)
	}
	for name, value := range f.entries() {
		switch name {
		case "targetRef", "targetRefs", "targetSelectors":
		case "clientSecret", "users", "valueRef":
			c.target(value, secretKind, "authenticates with")
		case "credentialRefs", "caCertificateRefs":
			for item := range value.items() {
				c.target(item, secretKind, "authenticates with")
			}
		case "backendRef":
			c.backendOf(value, "asks")
		case "backendRefs":
			for item := range value.items() {
				c.backendOf(item, "asks")
			}
		default:
			c.envoySecrets(value, depth-1)
		}
	}
}
