package status

import (
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"hearth/internal/standin/certificate"
)

// certificateOf makes a certificate for a list of names: a map of "cert",
// "key" and "ca", in PEM. The certificate is its own authority.
func certificateOf(names ref.Val) ref.Val {
	native, err := names.ConvertToNative(reflect.TypeFor[[]string]())
	if err != nil {
		return types.NewErr("certificate wants a list of names: %v", err)
	}
	cert, key, err := certificate.SelfSigned(native.([]string))
	if err != nil {
		return types.NewErr("make a certificate: %v", err)
	}
	return types.DefaultTypeAdapter.NativeToValue(map[string]string{"cert": string(cert), "key": string(key), "ca": string(cert)})
}
