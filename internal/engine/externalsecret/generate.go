package externalsecret

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/api/externalsecrets/generators"
	v1 "hearth/internal/api/externalsecrets/v1"
)

// generate asks a generator for values, new ones each time.
func generate(ctx context.Context, live client.Reader, namespace string, ref v1.GeneratorRef) (map[string][]byte, error) {
	what := fmt.Sprintf("the generator %s %q", ref.Kind, ref.Name)
	if ref.APIVersion != "" && ref.APIVersion != generators.GroupVersion.String() {
		return nil, fmt.Errorf("%s is of %s, which is none of %s", what, ref.APIVersion, generators.GroupVersion)
	}
	switch ref.Kind {
	case generators.PasswordKind:
		var g generators.Password
		if err := readGenerator(ctx, live, types.NamespacedName{Namespace: namespace, Name: ref.Name}, ref.Kind, &g); err != nil {
			return nil, err
		}
		return passwords(what, g.Spec)
	case generators.UUIDKind:
		var g generators.UUID
		if err := readGenerator(ctx, live, types.NamespacedName{Namespace: namespace, Name: ref.Name}, ref.Kind, &g); err != nil {
			return nil, err
		}
		return uuids()
	case generators.ClusterGeneratorKind:
		var g generators.ClusterGenerator
		if err := readGenerator(ctx, live, types.NamespacedName{Name: ref.Name}, ref.Kind, &g); err != nil {
			return nil, err
		}
		switch {
		case g.Spec.Generator.PasswordSpec != nil:
			return passwords(what, *g.Spec.Generator.PasswordSpec)
		case g.Spec.Generator.UUIDSpec != nil:
			return uuids()
		}
	}
	return nil, fmt.Errorf("%s is none that Hearth plays (Password, UUID)", what)
}

// readGenerator reads an object past the cache: generators are few, and asked
// seldom.
func readGenerator(ctx context.Context, live client.Reader, name types.NamespacedName, kind string, into any) error {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(generators.GroupVersion.WithKind(kind))
	err := live.Get(ctx, name, obj)
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("the generator %s %q does not exist", kind, name.Name)
	case meta.IsNoMatchError(err):
		return fmt.Errorf("the generator %s %q cannot be read: the cluster does not know the kind; install the definitions of External Secrets", kind, name.Name)
	case err != nil:
		return fmt.Errorf("read the generator %s %q: %w", kind, name.Name, err)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, into); err != nil {
		return fmt.Errorf("the generator %s %q has fields of wrong types: %w", kind, name.Name, err)
	}
	return nil
}

func uuids() (map[string][]byte, error) {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, fmt.Errorf("make up a UUID: %w", err)
	}
	id[6] = id[6]&0x0f | 0x40 // version 4, RFC 9562
	id[8] = id[8]&0x3f | 0x80
	text := fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	return map[string][]byte{"uuid": []byte(text)}, nil
}

const (
	lowerLetters = "abcdefghijklmnopqrstuvwxyz"
	digits       = "0123456789"
	// defaultSymbols are the operator's own.
	defaultSymbols = "~!@#$%^&*()_+`-={}|[]\\:\"<>?,./"
	defaultLength  = 24
	maxLength      = 4096
	maxPasswords   = 100
)

// passwords makes one password a key.
func passwords(what string, spec generators.PasswordSpec) (map[string][]byte, error) {
	keys := spec.SecretKeys
	if len(keys) == 0 {
		keys = []string{"password"}
	}
	if len(keys) > maxPasswords {
		return nil, fmt.Errorf("%s asks for %d passwords; at most %d are made", what, len(keys), maxPasswords)
	}
	out := map[string][]byte{}
	for _, key := range keys {
		text, err := password(spec)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		if out[key], err = encoded(spec.Encoding, text); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
	}
	return out, nil
}

func encoded(encoding, text string) ([]byte, error) {
	switch encoding {
	case "", "raw":
		return []byte(text), nil
	case "base64":
		return []byte(base64.StdEncoding.EncodeToString([]byte(text))), nil
	case "base64url":
		return []byte(base64.URLEncoding.EncodeToString([]byte(text))), nil
	case "base32":
		return []byte(base32.StdEncoding.EncodeToString([]byte(text))), nil
	case "hex":
		return []byte(hex.EncodeToString([]byte(text))), nil
	}
	return nil, fmt.Errorf("the encoding %q is none of raw, base64, base64url, base32, hex", encoding)
}

// password makes one password: so many digits, so many symbols, and letters,
// in an order of chance.
func password(spec generators.PasswordSpec) (string, error) {
	length := spec.Length
	if length == 0 {
		length = defaultLength
	}
	count := func(given *int) int {
		if given == nil {
			return length / 4
		}
		return *given
	}
	symbols := defaultSymbols
	if spec.SymbolCharacters != nil {
		symbols = *spec.SymbolCharacters
	}
	letters := lowerLetters
	if !spec.NoUpper {
		letters += strings.ToUpper(lowerLetters)
	}
	nDigits, nSymbols := count(spec.Digits), count(spec.Symbols)
	switch {
	case length < 1 || length > maxLength:
		return "", fmt.Errorf("the length %d is not between 1 and %d", length, maxLength)
	case nDigits < 0 || nSymbols < 0 || nDigits+nSymbols > length:
		return "", fmt.Errorf("%d digits and %d symbols do not fit a length of %d", nDigits, nSymbols, length)
	}
	var out []rune
	for _, part := range []struct {
		from  string
		count int
	}{{letters, length - nDigits - nSymbols}, {digits, nDigits}, {symbols, nSymbols}} {
		drawn, err := draw([]rune(part.from), part.count, spec.AllowRepeat)
		if err != nil {
			return "", err
		}
		out = append(out, drawn...)
	}
	if err := shuffle(out); err != nil {
		return "", err
	}
	return string(out), nil
}

// draw takes so many of some characters.
func draw(from []rune, count int, repeat bool) ([]rune, error) {
	if count > 0 && len(from) == 0 || !repeat && count > len(from) {
		return nil, fmt.Errorf("%d characters are to be chosen from %d without repeating one: set allowRepeat, or ask for fewer", count, len(from))
	}
	left := append([]rune{}, from...)
	out := make([]rune, 0, count)
	for range count {
		i, err := below(len(left))
		if err != nil {
			return nil, err
		}
		out = append(out, left[i])
		if !repeat {
			left[i] = left[len(left)-1]
			left = left[:len(left)-1]
		}
	}
	return out, nil
}

func shuffle(list []rune) error {
	for i := len(list) - 1; i > 0; i-- {
		j, err := below(i + 1)
		if err != nil {
			return err
		}
		list[i], list[j] = list[j], list[i]
	}
	return nil
}

// below returns a number from 0 to n-1. It is never drawn from the seed: a
// password must not be guessed from it.
func below(n int) (int, error) {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0, errors.New("the system has no randomness for a password")
	}
	return int(i.Int64()), nil
}
