package notification

import (
	"context"
	"fmt"
	"strings"

	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	fluxcel "github.com/fluxcd/pkg/runtime/cel"
	"github.com/google/cel-go/cel"
)

// variable compiles an expression over a token's claims and the variables
// before it; validation one that has to be true.
func variable(source string) (*fluxcel.Expression, error) {
	return fluxcel.NewExpression(source, fluxcel.WithCompile(), fluxcel.WithStructVariables("claims", "vars"))
}

func validation(source string) (*fluxcel.Expression, error) {
	return fluxcel.NewExpression(source, fluxcel.WithCompile(), fluxcel.WithOutputType(cel.BoolType), fluxcel.WithStructVariables("claims", "vars"))
}

// validate returns the messages of those validations that do not hold.
func validate(ctx context.Context, provider notificationv1.OIDCProvider, claims map[string]any) error {
	vars := map[string]any{}
	data := map[string]any{"claims": claims, "vars": vars}
	for _, v := range provider.Variables {
		expression, err := variable(v.Expression)
		if err != nil {
			return fmt.Errorf("the expression of the variable %q is invalid: %w", v.Name, err)
		}
		if vars[v.Name], err = expression.Evaluate(ctx, data); err != nil {
			return fmt.Errorf("failed to evaluate the variable %q: %w", v.Name, err)
		}
	}
	var broken []string
	for _, v := range provider.Validations {
		expression, err := validation(v.Expression)
		if err != nil {
			return fmt.Errorf("the expression of the validation %q is invalid: %w", v.Message, err)
		}
		holds, err := expression.EvaluateBoolean(ctx, data)
		if err != nil {
			return fmt.Errorf("failed to evaluate the validation %q: %w", v.Message, err)
		}
		if !holds {
			broken = append(broken, v.Message)
		}
	}
	if len(broken) > 0 {
		return fmt.Errorf("token validation failed: %s", strings.Join(broken, "; "))
	}
	return nil
}

// checkIssuers returns what is wrong with a Receiver's issuers. A signature
// alone authorizes nobody: public issuers sign for everybody.
func checkIssuers(spec *notificationv1.ReceiverSpec) (invalid, uncompiled error) {
	oidc := spec.Type == notificationv1.GenericOIDCReceiver
	switch {
	case oidc && len(spec.OIDCProviders) == 0:
		return fmt.Errorf("oidcProviders is required when type is %s", notificationv1.GenericOIDCReceiver), nil
	case oidc && spec.SecretRef != nil:
		return fmt.Errorf("secretRef must not be set when type is %s", notificationv1.GenericOIDCReceiver), nil
	case !oidc && len(spec.OIDCProviders) > 0:
		return fmt.Errorf("oidcProviders must not be set when type is not %s", notificationv1.GenericOIDCReceiver), nil
	}
	seen := map[string]bool{}
	for i, provider := range spec.OIDCProviders {
		switch {
		case !strings.HasPrefix(provider.IssuerURL, "https://") && !strings.HasPrefix(provider.IssuerURL, "http://"):
			return fmt.Errorf("oidcProviders[%d]: issuerURL %q must start with http:// or https://", i, provider.IssuerURL), nil
		case seen[provider.IssuerURL]:
			return fmt.Errorf("oidcProviders[%d]: duplicate issuerURL %q", i, provider.IssuerURL), nil
		case len(provider.Validations) == 0:
			return fmt.Errorf("oidcProviders[%d]: at least one validation is required, or whoever gets a token of this issuer is believed", i), nil
		}
		seen[provider.IssuerURL] = true
		for _, v := range provider.Variables {
			if _, err := variable(v.Expression); err != nil {
				return nil, fmt.Errorf("oidcProviders[%d]: invalid expression for variable %q: %w", i, v.Name, err)
			}
		}
		for _, v := range provider.Validations {
			if _, err := validation(v.Expression); err != nil {
				return nil, fmt.Errorf("oidcProviders[%d]: invalid expression for validation %q: %w", i, v.Message, err)
			}
		}
	}
	return nil, nil
}
