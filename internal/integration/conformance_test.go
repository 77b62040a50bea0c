package integration_test

import (
	"cmp"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/config"
	"sigs.k8s.io/gateway-api/conformance/utils/grpc"
	"sigs.k8s.io/gateway-api/conformance/utils/roundtripper"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"

	"hearth/internal/kube/scheme"
	"hearth/internal/standin"
	"hearth/internal/standin/gateway"
	"hearth/internal/standin/gateway/proxy"
)

// conformanceVariable chooses which tests of the Gateway API's own suite run:
// "all", or names separated by commas. Without it, it is a few of HTTP's core.
const conformanceVariable = "HEARTH_CONFORMANCE"

// core are the tests that always run: those that are quick, and between them
// cross every part of the path. Those of TLSRoute and TCPRoute connect to the
// gateway's own port, which takes the right to open ports below 1024.
var core = []string{
	"HTTPRouteSimpleSameNamespace", "HTTPRouteMatching", "HTTPRouteHeaderMatching", "HTTPRouteHostnameIntersection",
	"HTTPRouteHTTPSListener", "HTTPRouteNoBackendRefs", "HTTPRouteInvalidNonExistentBackendRef", "HTTPRouteReferenceGrant",
	"HTTPRouteRequestHeaderModifier", "HTTPRouteRedirectHostAndStatus", "GRPCExactMethodMatching",
}

// doors knows where gateways answer on this machine.
type doors struct {
	mu sync.Mutex
	at map[string]string
}

func (d *doors) open(mappings []proxy.Mapping) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = map[string]string{}
	for _, m := range mappings {
		d.at[net.JoinHostPort(m.Address.String(), strconv.Itoa(int(m.Port)))] = m.Loopback.String()
	}
}

// to returns where to connect to for a gateway's address, as `curl --connect-to`
// would be told.
func (d *doors) to(address string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at, ok := d.at[address]; ok {
		return at
	}
	return address
}

// CaptureRoundTrip makes the suite's requests arrive.
func (d *doors) CaptureRoundTrip(r roundtripper.Request) (*roundtripper.CapturedRequest, *roundtripper.CapturedResponse, error) {
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	if r.URL.Port() == "" {
		r.URL.Host = net.JoinHostPort(r.URL.Host, map[string]string{"http": "80", "https": "443"}[r.URL.Scheme])
	}
	r.URL.Host = d.to(r.URL.Host)
	through := roundtripper.DefaultRoundTripper{TimeoutConfig: suitePatience()}
	return through.CaptureRoundTrip(r)
}

// SendRPC makes the suite's calls arrive.
func (d *doors) SendRPC(t *testing.T, address string, expected grpc.ExpectedResponse, timeout time.Duration) (*grpc.Response, error) {
	metadata := grpc.RequestMetadata{Authority: address}
	if expected.RequestMetadata != nil {
		metadata.Metadata, metadata.Authority = expected.RequestMetadata.Metadata, cmp.Or(expected.RequestMetadata.Authority, address)
	}
	expected.RequestMetadata = &metadata
	through := &grpc.DefaultClient{}
	defer through.Close()
	return through.SendRPC(t, d.to(address), expected, timeout)
}

// Close has nothing to close.
func (d *doors) Close() {}

// suitePatience is how long the suite waits: long enough for a machine that is busy.
func suitePatience() config.TimeoutConfig {
	c := config.DefaultTimeoutConfig()
	c.MaxTimeToConsistency, c.RequestTimeout = 2*time.Minute, time.Minute
	return c
}

// TestGatewayConformance runs tests of the Gateway API's own conformance suite
// against the stand-in, on a control plane of its own.
func TestGatewayConformance(t *testing.T) {
	t.Parallel()
	var d doors
	s := openStage(t, standin.Options{Listening: d.open, AddressPool: []netip.Prefix{netip.MustParsePrefix("127.0.113.0/24")}})
	class := &gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "conformance"}, Spec: gatewayv1.GatewayClassSpec{ControllerName: "example.org/gateway"}}
	s.make(t, class)
	cfg := s.Config()
	c, err := client.New(cfg, client.Options{Scheme: scheme.New()})
	if err != nil {
		t.Fatal(err)
	}
	set, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	run, err := suite.NewConformanceTestSuite(suite.ConformanceOptions{
		Client: c, ClientOptions: client.Options{Scheme: scheme.New()}, Clientset: set, RestConfig: cfg,
		RoundTripper: &d, GRPCClient: &d, ManifestFS: []fs.FS{&conformance.Manifests},
		ConfigurableOptions: suite.ConfigurableOptions{
			GatewayClassName: class.Name, TimeoutConfig: suitePatience(), AllowCRDsMismatch: true,
			CleanupTestResources: true, SupportedFeatures: gateway.Features(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	chosen := chosenTests(t)
	run.Setup(t, chosen)
	if err := run.Run(t, chosen); err != nil {
		t.Fatal(err)
	}
}

// chosenTests returns the tests to run.
func chosenTests(t *testing.T) []suite.ConformanceTest {
	names := core
	switch v := os.Getenv(conformanceVariable); v {
	case "":
	case "all":
		return tests.ConformanceTests
	default:
		names = strings.Split(v, ",")
	}
	var chosen []suite.ConformanceTest
	for _, name := range names {
		i := slices.IndexFunc(tests.ConformanceTests, func(c suite.ConformanceTest) bool { return c.ShortName == name })
		if i < 0 {
			t.Fatalf("the suite has no test %q", name)
		}
		chosen = append(chosen, tests.ConformanceTests[i])
	}
	return chosen
}
