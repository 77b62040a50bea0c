package status

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
)

// Bounds of one evaluation.
const (
	maxCost  = 1_000_000
	maxTime  = time.Second
	maxValue = 1 << 20 // bytes of JSON
)

// expression is a compiled CEL expression; nil yields nothing.
type expression struct{ program cel.Program }

// environment is what expressions may use: self, the object; seed, the seed of
// its secrets; password(seed, name), which depends on these two only;
// certificate(names), a new self-signed certificate ("cert", "ca") with its
// "key"; flag(arguments, name), a flag's value or ""; sha256(text), in hexadecimal; and CEL's optional values.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable("self", cel.DynType),
		cel.Variable("seed", cel.StringType),
		cel.OptionalTypes(),
		ext.Strings(),
		ext.Lists(),
		ext.Encoders(),
		cel.Function("password", cel.Overload("password_string_string", []*cel.Type{cel.StringType, cel.StringType}, cel.StringType,
			cel.BinaryBinding(func(seed, name ref.Val) ref.Val { return types.String(password(text(seed), text(name))) }))),
		cel.Function("certificate", cel.Overload("certificate_list", []*cel.Type{cel.ListType(cel.DynType)}, cel.MapType(cel.StringType, cel.StringType),
			cel.UnaryBinding(certificateOf))),
		cel.Function("flag", cel.Overload("flag_list_string", []*cel.Type{cel.ListType(cel.DynType), cel.StringType}, cel.StringType,
			cel.BinaryBinding(flagOf))),
		cel.Function("sha256", cel.Overload("sha256_string", []*cel.Type{cel.StringType}, cel.StringType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.String(fmt.Sprintf("%x", sha256.Sum256([]byte(text(v))))) }))),
	)
})

func text(v ref.Val) string {
	s, _ := v.Value().(string)
	return s
}

// flagOf returns the value of a flag among a program's arguments, written as
// --name=value or --name value; "" is that there is none.
func flagOf(arguments, name ref.Val) ref.Val {
	native, err := arguments.ConvertToNative(reflect.TypeFor[[]string]())
	if err != nil {
		return types.NewErr("flag wants a list of arguments: %v", err)
	}
	list, _ := native.([]string)
	for i, argument := range list {
		flag, value, given := strings.Cut(argument, "=")
		if strings.TrimLeft(flag, "-") != text(name) || flag == text(name) {
			continue
		}
		if !given && i+1 < len(list) {
			value = list[i+1]
		}
		return types.String(value)
	}
	return types.String("")
}

func newExpression(source string) (*expression, error) {
	if strings.TrimSpace(source) == "" {
		return nil, nil
	}
	env, err := environment()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost), cel.InterruptCheckFrequency(100))
	if err != nil {
		return nil, err
	}
	return &expression{program}, nil
}

// eval evaluates the expression for an object into JSON values.
func (e *expression) eval(ctx context.Context, self map[string]any, seed string) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	out, _, err := e.program.ContextEval(ctx, map[string]any{"self": self, "seed": seed})
	if err != nil {
		return nil, err
	}
	native, err := out.ConvertToNative(types.JSONValueType)
	if err != nil {
		return nil, err
	}
	value, ok := native.(*structpb.Value)
	if !ok {
		return nil, errors.New("it yields no JSON value")
	}
	raw, err := protojson.Marshal(value)
	if err != nil {
		return nil, err
	}
	if len(raw) > maxValue {
		return nil, fmt.Errorf("it yields more than %d bytes", maxValue)
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		return nil, err
	}
	return whole(plain), nil
}

// whole turns numbers without a fraction into integers, which is what
// Kubernetes' JSON has.
func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = whole(value)
		}
	case []any:
		for i, value := range v {
			v[i] = whole(value)
		}
	case float64:
		if n := int64(v); float64(n) == v {
			return n
		}
	}
	return v
}

// password returns 32 letters and digits that depend on the seed and the name only.
func password(seed, name string) string {
	mac := hmac.New(sha256.New, []byte(seed))
	mac.Write([]byte(name))
	return strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil))[:32])
}

// seedOf is the seed of one object's passwords.
func seedOf(seed uint64, object string) string {
	return fmt.Sprintf("%016x/%s", seed, object)
}
