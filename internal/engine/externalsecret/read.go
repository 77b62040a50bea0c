package externalsecret

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"time"

	"hearth/internal/api/externalsecrets/keys"
	v1 "hearth/internal/api/externalsecrets/v1"
)

// content is what the stores hold for one ExternalSecret.
type content struct {
	data map[string][]byte
	// missing says what the stores lack, if the ExternalSecret may do without.
	missing []error
}

// read collects the values that an ExternalSecret names: those of dataFrom,
// then those of data, which win.
func (r *reconciler) read(ctx context.Context, es *v1.ExternalSecret, since time.Time) (*content, error) {
	out := &content{data: map[string][]byte{}}
	var lacking []error
	lacks := func(err error) error {
		if err != nil && isMissing(err) {
			lacking = append(lacking, err)
			return nil
		}
		return err
	}
	for i, from := range es.Spec.DataFrom {
		values, err := r.readSet(ctx, es, from, since)
		if err := lacks(err); err != nil {
			return nil, fmt.Errorf("dataFrom[%d]: %w", i, err)
		}
		maps.Copy(out.data, values)
	}
	for i, d := range es.Spec.Data {
		value, err := r.readOne(ctx, es, d, since)
		if err := lacks(err); err != nil {
			return nil, fmt.Errorf("data[%d]: %w", i, err)
		}
		if err == nil {
			out.data[d.SecretKey] = value
		}
	}
	if len(lacking) > 0 && !mayLack(es) {
		return nil, lackingError(lacking)
	}
	out.missing = lacking
	return out, nil
}

// mayLack reports whether the stores may lose values: the policy says what
// becomes of the Secret, which they once made.
func mayLack(es *v1.ExternalSecret) bool {
	policy := es.Spec.Target.DeletionPolicy
	return (policy == v1.DeletionDelete || policy == v1.DeletionMerge) && !es.Status.RefreshTime.IsZero()
}

// lackingError says all that is missing in one error, each thing once.
func lackingError(lacking []error) error {
	seen := map[string]bool{}
	var distinct []error
	for _, err := range lacking {
		if !seen[err.Error()] {
			seen[err.Error()] = true
			distinct = append(distinct, err)
		}
	}
	if len(distinct) == 1 {
		return distinct[0]
	}
	return errors.Join(distinct...)
}

// store opens the store of one entry.
func (r *reconciler) store(ctx context.Context, es *v1.ExternalSecret, source *v1.SourceRef) (provider, error) {
	key := keyOfRef(storeRef(es, source), es.Namespace)
	if key.name == "" {
		return nil, errors.New("no store is named: set spec.secretStoreRef")
	}
	store, err := getStore(ctx, r.client, key)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", key, err)
	}
	if err := r.admitted(ctx, es.Namespace, store); err != nil {
		return nil, err
	}
	return r.providers.open(ctx, store)
}

func (r *reconciler) readSet(ctx context.Context, es *v1.ExternalSecret, from v1.ExternalSecretDataFrom, since time.Time) (map[string][]byte, error) {
	values, conversion, decoding, err := r.readRaw(ctx, es, from, since)
	if err != nil {
		return nil, err
	}
	if len(from.Rewrite) == 0 {
		values, err = keys.ConvertAll(conversion, values)
	} else {
		values, err = keys.Rewrite(ctx, from.Rewrite, values)
	}
	if err != nil {
		return nil, err
	}
	return decodeAll(decoding, values)
}

// readRaw reads what an entry names, as the store has it.
func (r *reconciler) readRaw(ctx context.Context, es *v1.ExternalSecret, from v1.ExternalSecretDataFrom, since time.Time) (map[string][]byte, v1.ConversionStrategy, v1.DecodingStrategy, error) {
	if from.SourceRef != nil && from.SourceRef.GeneratorRef != nil {
		values, err := generate(ctx, r.live, es.Namespace, *from.SourceRef.GeneratorRef)
		return values, "", "", err
	}
	p, err := r.store(ctx, es, from.SourceRef)
	switch {
	case err != nil:
		return nil, "", "", err
	case from.Extract != nil:
		values, err := p.fields(ctx, *from.Extract, since)
		return values, from.Extract.ConversionStrategy, from.Extract.DecodingStrategy, err
	case from.Find != nil:
		values, err := p.find(ctx, *from.Find, since)
		return values, from.Find.ConversionStrategy, from.Find.DecodingStrategy, err
	}
	return nil, "", "", errors.New("it has none of extract, find, sourceRef.generatorRef")
}

func (r *reconciler) readOne(ctx context.Context, es *v1.ExternalSecret, d v1.ExternalSecretData, since time.Time) ([]byte, error) {
	if d.SourceRef != nil && d.SourceRef.GeneratorRef != nil {
		return nil, errors.New("a generator makes many values: name it in dataFrom.sourceRef")
	}
	p, err := r.store(ctx, es, d.SourceRef)
	if err != nil {
		return nil, err
	}
	value, err := p.value(ctx, d.RemoteRef, since)
	if err != nil {
		return nil, err
	}
	return decode(d.RemoteRef.DecodingStrategy, d.SecretKey, value)
}

func decodeAll(strategy v1.DecodingStrategy, values map[string][]byte) (map[string][]byte, error) {
	out := make(map[string][]byte, len(values))
	for key, value := range values {
		if !keys.Valid(key) {
			return nil, fmt.Errorf("%q cannot be a key of a Secret: rewrite it", key)
		}
		decoded, err := decode(strategy, key, value)
		if err != nil {
			return nil, err
		}
		out[key] = decoded
	}
	return out, nil
}

// decode undoes the encoding that a store has values in.
func decode(strategy v1.DecodingStrategy, key string, value []byte) ([]byte, error) {
	standard, notStandard := base64.StdEncoding.DecodeString(string(value))
	urlSafe, notURLSafe := base64.URLEncoding.DecodeString(string(value))
	switch {
	case strategy == v1.DecodeBase64 && notStandard == nil, strategy == v1.DecodeAuto && notStandard == nil:
		return standard, nil
	case strategy == v1.DecodeBase64URL && notURLSafe == nil, strategy == v1.DecodeAuto && notURLSafe == nil:
		return urlSafe, nil
	case strategy == v1.DecodeBase64, strategy == v1.DecodeBase64URL:
		return nil, fmt.Errorf("the value of %q is no %s, which its decodingStrategy says it is", key, strategy)
	}
	return value, nil
}
