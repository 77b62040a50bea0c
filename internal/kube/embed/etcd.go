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
	endpoint string
	fail     func(error) // called when it no longer serves

	mu     sync.Mutex
	server *etcd.Etcd
}

func newStorage(s *state, fail func(error)) *storage {
	return &storage{endpoint: "unix://" + s.runtimeFile("etcd.sock"), fail: fail}
}

// start returns once etcd answers; a cause of ctx's end, such as fail's error,
// becomes the error. durable has every write reach the disk
// before it is acknowledged, so that even a power cut loses nothing.
func (e *storage) start(ctx context.Context, folder string, durable bool) error {
	cfg, err := e.config(folder, durable)
	if err != nil {
		return err
	}
	// On its own goroutine, since a fatal error of etcd ends the goroutine.
	started := make(chan error, 1)
	go func() {
		server, err := etcd.StartEtcd(cfg)
		e.mu.Lock()
		e.server = server
		e.mu.Unlock()
		started <- err
	}()
	select {
	case err = <-started:
	case <-ctx.Done():
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

func (e *storage) config(folder string, durable bool) (*etcd.Config, error) {
	client, err := url.Parse(e.endpoint)
	if err != nil {
		return nil, err
	}
	// A single member talks to no peers, but has to have an address for them.
	peer := url.URL{Scheme: "unix", Host: "no-peers"}

	cfg := etcd.NewConfig()
	cfg.Dir = folder
	cfg.UnsafeNoFsync = !durable
	cfg.TickMs, cfg.ElectionMs = 10, 100
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = nil, []url.URL{peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.EnableGRPCGateway = false
	cfg.ZapLoggerBuilder = etcd.NewZapLoggerBuilder(zap.NewNop().WithOptions(
		zap.WithFatalHook(lastWords{e}), zap.WithPanicHook(lastWords{e}),
	))
	return cfg, nil
}

// watch passes on what makes etcd stop serving.
func (e *storage) watch() {
	if err, ok := <-e.server.Err(); ok && err != nil {
		e.fail(err)
	}
}

// stop ends etcd, giving up waiting when ctx is done. It may be called more
// than once.
func (e *storage) stop(ctx context.Context) error {
	e.mu.Lock()
	server := e.server
	e.server = nil
	e.mu.Unlock()
	if server == nil {
		return nil
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		server.Close()
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
	w.fail(errors.New(strings.Join(words, ": ")))
	runtime.Goexit()
}
