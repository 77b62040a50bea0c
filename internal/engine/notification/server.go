package notification

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/net/netutil"

	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	"github.com/fluxcd/pkg/runtime/conditions"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// Bounds of the webhook server. Those of sizes and of reading are Flux's.
const (
	maxBody        = 3 << 20
	maxHeader      = 256 << 10
	headerTimeout  = 10 * time.Second
	readTimeout    = 30 * time.Second
	handleTimeout  = 30 * time.Second
	maxConnections = 256
	maxRequests    = 16 // that are worked on at once

	// replayed is how long a delivery's name is remembered, and repeated how
	// long a signed body: some senders have only one thing to say.
	replayed = time.Hour
	repeated = time.Minute
)

// Server answers the webhooks of Receivers: a request that its Receiver
// believes asks the resources it names to reconcile at once.
type Server struct {
	o      Options
	client client.Client // reads from the cache
	live   client.Reader
	log    logr.Logger
	slots  chan struct{}
	ids    *recent[[sha256.Size]byte]
	bodies *recent[[sha256.Size]byte]
	issued *identities
}

func newServer(mgr manager.Manager, o Options) *Server {
	return &Server{
		o: o, client: mgr.GetClient(), live: mgr.GetAPIReader(), log: mgr.GetLogger().WithName("receiver-server"),
		slots:  make(chan struct{}, maxRequests),
		ids:    newRecent[[sha256.Size]byte](replayed, maxRemembered),
		bodies: newRecent[[sha256.Size]byte](repeated, maxRemembered),
		issued: newIdentities(guard{private: o.AllowPrivate}),
	}
}

// CheckAddress returns what is wrong with an address to answer webhooks on:
// unless they are to be exposed it has to be on loopback.
func CheckAddress(address string, exposed bool) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("serve webhooks on %q: %w", address, err)
	}
	if ip := net.ParseIP(host); !exposed && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("serve webhooks on %q: it is not on loopback: put a proxy before it", address)
	}
	return nil
}

// Listen serves on an address, such as "127.0.0.1:9292", until ctx ends; empty
// means a free port on loopback. It returns the URL once it can be reached.
// Done is closed when all has ended. Addresses beyond loopback are refused
// unless the options allow them.
func (s *Server) Listen(ctx context.Context, address string) (url string, done <-chan struct{}, err error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	if err := CheckAddress(address, s.o.AllowExposed); err != nil {
		return "", nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, fmt.Errorf("serve webhooks on %q: %w", address, err)
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      readTimeout + handleTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(netutil.LimitListener(listener, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
			server.Close()
		}
	}()
	context.AfterFunc(ctx, func() { server.Close() })
	return "http://" + listener.Addr().String(), ended, nil
}

// ServeHTTP answers one request. Its answer says nothing beyond its status.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), handleTimeout)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(s.answer(ctx, w, r))
}

// answer acts on a request and returns the status of its answer.
func (s *Server) answer(ctx context.Context, w http.ResponseWriter, r *http.Request) int {
	receiver, token, err := s.receiver(ctx, r.URL.Path)
	switch {
	case err != nil:
		s.log.Error(err, "unable to list receivers")
		return http.StatusInternalServerError
	case receiver == nil:
		return http.StatusNotFound
	}
	log := s.log.WithValues("name", receiver.Name, "namespace", receiver.Namespace)
	if receiver.Spec.Suspend || !conditions.IsReady(receiver) {
		log.Info("unable to process request: the receiver is suspended or not ready")
		return http.StatusServiceUnavailable
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case err != nil:
		return http.StatusBadRequest
	}
	return s.handle(ctx, log, receiver, token, r.Header, body)
}

// handle acts on what a Receiver was sent, once.
func (s *Server) handle(ctx context.Context, log logr.Logger, receiver *notificationv1.Receiver, token []byte, header http.Header, body []byte) int {
	h, claims, err := s.believe(ctx, &receiver.Spec, token, header, body)
	if err != nil {
		log.Error(err, "unable to validate payload")
		return http.StatusBadRequest
	}
	fresh, forget := s.remember(receiver, h, body)
	if !fresh {
		log.Info("not acted on again: the same was received a moment ago")
		return http.StatusOK
	}
	filters, err := filtersOf(&receiver.Spec, header, body, claims)
	if err == nil {
		err = s.request(ctx, receiver, filters)
	}
	if err != nil {
		forget() // so that the sender may try again
		log.Error(err, "unable to request reconciliation")
		return http.StatusInternalServerError
	}
	log.Info("requested reconciliation", "event", h.event)
	return http.StatusOK
}

// believe checks who sends a request: who knows the token, or who has one of an
// issuer that the Receiver believes.
func (s *Server) believe(ctx context.Context, spec *notificationv1.ReceiverSpec, token []byte, header http.Header, body []byte) (h hit, claims map[string]any, err error) {
	if spec.Type != notificationv1.GenericOIDCReceiver {
		h, err = verify(spec, token, header, body)
		return h, nil, err
	}
	claims, err = s.issued.claims(ctx, spec.OIDCProviders, header)
	return hit{event: noEvents}, claims, err
}

// hookPath is the form of every webhook's path.
var hookPath = regexp.MustCompile(`^` + notificationv1.ReceiverWebhookPath + `[0-9a-f]{64}$`)

// receiver returns the Receiver of a path, with its token; nil for none. The
// path may be all that a sender must know, so it is compared in constant time,
// and with what follows from the token, not with what a status says.
func (s *Server) receiver(ctx context.Context, path string) (found *notificationv1.Receiver, token []byte, err error) {
	if !hookPath.MatchString(path) {
		return nil, nil, nil
	}
	var list notificationv1.ReceiverList
	if err := s.client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, nil, err
	}
	for i := range list.Items {
		candidate, err := tokenOf(ctx, s.client, &list.Items[i])
		if err == nil && same(path, []byte(list.Items[i].GetWebhookPath(string(candidate)))) {
			found, token = list.Items[i].DeepCopy(), candidate
		}
	}
	return found, token, nil
}

// remember notes a delivery and reports whether it is a new one. What it
// returns forgets it again.
func (s *Server) remember(receiver *notificationv1.Receiver, h hit, body []byte) (fresh bool, forget func()) {
	id := sha256.Sum256([]byte(string(receiver.UID) + "\x00" + h.id))
	signed := sha256.Sum256(append([]byte(string(receiver.UID)+"\x00"), body...))
	if h.id != "" && !s.ids.first(id) {
		return false, nil
	}
	if h.signed && !s.bodies.first(signed) {
		return false, nil // its id stays known: it is a replay under another name
	}
	return true, func() {
		s.ids.forget(id)
		s.bodies.forget(signed)
	}
}
