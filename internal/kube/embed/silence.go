package embed

import (
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	"google.golang.org/grpc/grpclog"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"

	_ "hearth/internal/kube/embed/internal/etcdlog" // before kube-apiserver makes its etcd client
)

// logTarget is where the control planes of this process log to; nil means
// nowhere. Kubernetes logs through one global logger, so there is one target.
var logTarget atomic.Pointer[logr.LogSink]

var quietenOnce sync.Once

// quieten takes Kubernetes' global log away from standard error, and keeps its
// fatal errors from ending a process that is more than an API server.
func quieten(log io.Writer) {
	if log != nil {
		sink := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(log), textlogger.Verbosity(2))).GetSink()
		logTarget.Store(&sink)
	}
	quietenOnce.Do(func() {
		klog.SetLogger(logr.New(redirect{}))
		// A failed start hook shows in /readyz; the goroutine that met it ends.
		klog.OsExit = func(int) { runtime.Goexit() }
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
		utilruntime.ErrorHandlers = nil
		rest.SetDefaultWarningHandler(rest.NoWarnings{})
	})
}

// redirect is a log sink that forwards to logTarget, if there is one.
type redirect struct{}

func (redirect) Init(logr.RuntimeInfo) {}

func (redirect) Enabled(level int) bool {
	sink := logTarget.Load()
	return sink != nil && (*sink).Enabled(level)
}

func (redirect) Info(level int, msg string, keysAndValues ...any) {
	if sink := logTarget.Load(); sink != nil {
		(*sink).Info(level, msg, keysAndValues...)
	}
}

func (redirect) Error(err error, msg string, keysAndValues ...any) {
	if sink := logTarget.Load(); sink != nil {
		(*sink).Error(err, msg, keysAndValues...)
	}
}

func (r redirect) WithValues(keysAndValues ...any) logr.LogSink {
	if sink := logTarget.Load(); sink != nil {
		return (*sink).WithValues(keysAndValues...)
	}
	return r
}

func (r redirect) WithName(name string) logr.LogSink {
	if sink := logTarget.Load(); sink != nil {
		return (*sink).WithName(name)
	}
	return r
}
