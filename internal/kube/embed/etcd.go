package embed

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"sync"

	etcd "go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func init() {
	// A write-ahead log file is allocated in full when it is begun, and so is
	// its successor; 64 MB each is more than a homelab ever writes to one.
	wal.SegmentSizeBytes = 16 << 20
}

// storage is the etcd that the API server keeps its objects in. It listens on
// a socket in a private folder, since etcd itself asks nobody for credentials.
type storage struct {
	socket string
	fail   func(error) // called when it no longer serves

	started chan struct{} // closed once server is set, or never will be
	server  *etcd.Etcd
	once    sync.Once
}

func newStorage(s *state, fail func(error)) *storage {
	return &storage{socket: s.runtimeFile("etcd.sock"), fail: fail, started: make(chan struct{})}
}

// endpoint is where etcd answers; it is known before etcd is started.
func (e *storage) endpoint() string { return "unix://" + e.socket }

// start returns once etcd answers. The cause of ctx's end, such as what fail was
// called with, becomes the error. durable has every write reach the disk before
// it is acknowledged, so that even a power cut loses nothing.
func (e *storage) start(ctx context.Context, folder string, durable bool) error {
	cfg := e.config(folder, durable)
	// On its own goroutine, since a fatal error of etcd ends the goroutine.
	var refusal error
	go func() {
		defer close(e.started)
		e.server, refusal = etcd.StartEtcd(cfg)
	}()
	var err error
	select {
	case <-e.started:
		err = refusal
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err == nil && e.server == nil {
		<-ctx.Done() // etcd has failed, and said why to fail
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("starting etcd: %w", err)
	}
	select {
	case <-e.server.Server.ReadyNotify():
		go e.watch()
		return nil
	case err = <-e.server.Err():
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return fmt.Errorf("starting etcd: %w", err)
}

func (e *storage) config(folder string, durable bool) *etcd.Config {
	client := url.URL{Scheme: "unix", Path: e.socket}
	// A single member talks to no peers, but has to have an address for them.
	peer := url.URL{Scheme: "unix", Host: "no-peers"}

	cfg := etcd.NewConfig()
	cfg.Dir = folder
	cfg.UnsafeNoFsync = !durable
	cfg.TickMs, cfg.ElectionMs = 10, 100
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = nil, []url.URL{peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.EnableGRPCGateway = false
	cfg.ZapLoggerBuilder = etcd.NewZapLoggerBuilder(zap.NewNop().WithOptions(
		zap.WithFatalHook(lastWords{e}), zap.WithPanicHook(lastWords{e}),
	))
	return cfg
}

// watch passes on what makes etcd stop serving.
func (e *storage) watch() {
	if err, ok := <-e.server.Err(); ok && err != nil {
		e.fail(err)
	}
}

// stop ends etcd, giving up waiting when ctx is done. It is called after start,
// and may be called more than once.
func (e *storage) stop(ctx context.Context) error {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		<-e.started
		if e.server != nil {
			e.once.Do(e.server.Close) // closing twice panics
		}
	}()
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return errors.New("etcd did not stop in time")
	}
}

// lastWords takes the place of ending the whole process on an error that etcd
// cannot go on after, such as a full disk: only its goroutine ends.
type lastWords struct{ *storage }

func (w lastWords) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	words := []string{entry.Message}
	for _, field := range fields {
		if err, ok := field.Interface.(error); ok {
			words = append(words, err.Error())
		}
	}
	w.fail(fmt.Errorf("etcd cannot go on: %s", strings.Join(words, ": ")))
	runtime.Goexit()
}
