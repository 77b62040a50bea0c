package notification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/google/cel-go/cel"

	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	fluxcel "github.com/fluxcd/pkg/runtime/cel"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// filterExpression compiles a condition on a resource's metadata, res, and a
// request's body, req; and its sender's claims, where an issuer vouches for them.
func filterExpression(spec *notificationv1.ReceiverSpec, source string) (*fluxcel.Expression, error) {
	known := []string{"res", "req"}
	if spec.Type == notificationv1.GenericOIDCReceiver {
		known = append(known, "claims")
	}
	return fluxcel.NewExpression(source, fluxcel.WithCompile(), fluxcel.WithOutputType(cel.BoolType), fluxcel.WithStructVariables(known...))
}

// filter tells which resources a request is for: those for which all of its
// expressions hold.
type filter struct {
	expressions  []*fluxcel.Expression
	body, claims map[string]any
}

// filtersOf returns one filter for each of a Receiver's resources; claims are
// nil but for Receivers that believe an issuer.
func filtersOf(spec *notificationv1.ReceiverSpec, header http.Header, body []byte, claims map[string]any) ([]filter, error) {
	filters := make([]filter, len(spec.Resources))
	var read map[string]any
	for i, resource := range spec.Resources {
		for _, source := range []string{spec.ResourceFilter, resource.Filter} {
			if source == "" {
				continue
			}
			expression, err := filterExpression(spec, source)
			if err != nil {
				return nil, err
			}
			filters[i].expressions = append(filters[i].expressions, expression)
		}
		if len(filters[i].expressions) == 0 {
			continue
		}
		if read == nil {
			var err error
			if read, err = jsonBody(header, body); err != nil {
				return nil, err
			}
		}
		filters[i].body, filters[i].claims = read, claims
	}
	return filters, nil
}

// jsonBody reads a body that says to be JSON; another one is as good as empty.
func jsonBody(header http.Header, body []byte) (map[string]any, error) {
	read := map[string]any{}
	for _, value := range strings.Split(header.Get("Content-Type"), ",") {
		kind, _, err := mime.ParseMediaType(value)
		if err != nil {
			break
		}
		if kind != "application/json" {
			continue
		}
		if err := json.Unmarshal(body, &read); err != nil || read == nil {
			return nil, errors.New("failed to parse request body as a JSON object")
		}
		break
	}
	return read, nil
}

// accepts reports whether a request is for a resource.
func (f filter) accepts(ctx context.Context, obj client.Object) (bool, error) {
	if len(f.expressions) == 0 {
		return true, nil
	}
	raw, err := json.Marshal(obj)
	if err != nil {
		return false, fmt.Errorf("evaluate the filter: %w", err)
	}
	var res map[string]any
	if err := json.Unmarshal(raw, &res); err != nil {
		return false, fmt.Errorf("evaluate the filter: %w", err)
	}
	for _, expression := range f.expressions {
		data := map[string]any{"res": res, "req": f.body}
		if f.claims != nil {
			data["claims"] = f.claims
		}
		accepted, err := expression.EvaluateBoolean(ctx, data)
		if err != nil || !accepted {
			return false, err
		}
	}
	return true, nil
}
