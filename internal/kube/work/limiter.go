package work

import (
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	firstRetry = 5 * time.Millisecond
	lastRetry  = 10 * time.Second
)

// Limiter says when a reconcile that ended with an error is tried again. An
// error means that the API server could not be asked, or that somebody else
// wrote first; so the wait grows, but not beyond a few seconds: however long
// the server was away, work goes on soon after it is back.
func Limiter() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry)
}
