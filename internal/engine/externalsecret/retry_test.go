package externalsecret

import (
	"context"
	"errors"
	"testing"
	"time"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/onepassword"
)

// failing fails so many times.
type failing struct {
	provider
	left int
	err  error
}

func (f *failing) value(context.Context, v1.RemoteRef, time.Time) ([]byte, error) {
	if f.left > 0 {
		f.left--
		return nil, f.err
	}
	return []byte("ok"), nil
}

func TestRetrying(t *testing.T) {
	down := &onepassword.UnreachableError{Err: errors.New("refused")}
	busy := &onepassword.ResponseError{Status: 503}
	wrong := &onepassword.ResponseError{Status: 400}
	two, wait := int32(2), "1ms"
	for _, tt := range []struct {
		fails int
		err   error
		fine  bool
	}{{2, down, true}, {3, down, false}, {1, busy, true}, {1, wrong, false}, {1, missingError("x"), false}} {
		p, err := withRetries(&failing{left: tt.fails, err: tt.err}, &v1.SecretStoreRetrySettings{MaxRetries: &two, RetryInterval: &wait})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.value(t.Context(), v1.RemoteRef{}, time.Time{}); (err == nil) != tt.fine {
			t.Errorf("%d times %v: %v", tt.fails, tt.err, err)
		}
	}
	many, bad := int32(1000), "never"
	p, err := withRetries(&failing{}, &v1.SecretStoreRetrySettings{MaxRetries: &many})
	if r, ok := p.(*retrying); err != nil || !ok || r.retries != maxRetries || r.interval != retryInterval {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := withRetries(&failing{}, &v1.SecretStoreRetrySettings{MaxRetries: &two, RetryInterval: &bad}); err == nil {
		t.Error("any interval will do")
	}
	for _, none := range []*v1.SecretStoreRetrySettings{nil, {}} {
		if p, err := withRetries(&failing{}, none); err != nil || p.(*failing) == nil {
			t.Error("a store without settings is asked again")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	hour := time.Minute.String()
	p, _ = withRetries(&failing{left: 9, err: down}, &v1.SecretStoreRetrySettings{MaxRetries: &two, RetryInterval: &hour})
	if _, err := p.value(ctx, v1.RemoteRef{}, time.Time{}); !errors.Is(err, context.Canceled) {
		t.Errorf("it does not stop: %v", err)
	}
}
