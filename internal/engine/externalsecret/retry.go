package externalsecret

import (
	"context"
	"errors"
	"net/http"
	"time"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/onepassword"
)

// Bounds of what a store may ask for in spec.retrySettings.
const (
	maxRetries       = 10
	maxRetryInterval = time.Minute
	// retryInterval is the wait where the store names none.
	retryInterval = time.Second
)

// retrying asks a store again that did not answer, as often as it says.
type retrying struct {
	provider
	retries  int
	interval time.Duration
}

// withRetries returns the provider as the store's settings want it.
func withRetries(p provider, settings *v1.SecretStoreRetrySettings) (provider, error) {
	if settings == nil || settings.MaxRetries == nil || *settings.MaxRetries <= 0 {
		return p, nil
	}
	out := &retrying{provider: p, retries: min(int(*settings.MaxRetries), maxRetries), interval: retryInterval}
	if settings.RetryInterval != nil {
		d, err := time.ParseDuration(*settings.RetryInterval)
		if err != nil || d < 0 {
			return nil, errors.New("spec.retrySettings.retryInterval is no duration such as 10s")
		}
		out.interval = min(d, maxRetryInterval)
	}
	return out, nil
}

func (r *retrying) value(ctx context.Context, ref v1.RemoteRef, since time.Time) (out []byte, err error) {
	err = r.try(ctx, func() error { out, err = r.provider.value(ctx, ref, since); return err })
	return out, err
}

func (r *retrying) fields(ctx context.Context, ref v1.RemoteRef, since time.Time) (out map[string][]byte, err error) {
	err = r.try(ctx, func() error { out, err = r.provider.fields(ctx, ref, since); return err })
	return out, err
}

func (r *retrying) find(ctx context.Context, f v1.Find, since time.Time) (out map[string][]byte, err error) {
	err = r.try(ctx, func() error { out, err = r.provider.find(ctx, f, since); return err })
	return out, err
}

func (r *retrying) try(ctx context.Context, ask func() error) error {
	for left := r.retries; ; left-- {
		err := ask()
		if err == nil || left == 0 || !mayPass(err) {
			return err
		}
		timer := time.NewTimer(r.interval)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// mayPass reports whether a failure may be gone a moment later.
func mayPass(err error) bool {
	var (
		unreachable *onepassword.UnreachableError
		response    *onepassword.ResponseError
	)
	return errors.As(err, &unreachable) || errors.As(err, &response) && (response.Status >= 500 || response.Status == http.StatusTooManyRequests)
}
