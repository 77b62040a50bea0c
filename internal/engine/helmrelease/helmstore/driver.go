// Package helmstore keeps release records where Helm keeps them, in Secrets of
// type helm.sh/release.v1, byte for byte in a form that Helm reads.
//
// It differs from Helm's own driver in cost: the chart, which is most of a
// record, is compressed once for all releases of it, and what was written
// need not be decoded again.
package helmstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/release"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// secretType is how Helm marks its records.
const secretType corev1.SecretType = "helm.sh/release.v1"

// requestTimeout bounds each access: Helm's driver interface has no context.
const requestTimeout = time.Minute

// Driver is the driver.Driver of one action. Its methods may be called
// concurrently.
type Driver struct {
	// Secrets of the storage namespace.
	Secrets typedcorev1.SecretInterface
	// Written are the records written by this process; nil decodes each anew.
	Written *Written
	// Stored returns the gzip member of a chart, or nil for a chart that is
	// not known. It may be nil.
	Stored func(*chart.Chart) ([]byte, error)
	// Observe is told of each record after it was written. It may be nil.
	Observe func(*releasev1.Release)
	// Refuse ends the access of an action that was given up. It may be nil.
	Refuse func() error
}

var _ driver.Driver = (*Driver)(nil)

// Name is the name that Helm gives this kind of storage.
func (d *Driver) Name() string { return driver.SecretsDriverName }

// Get returns a record, or driver.ErrReleaseNotFound.
func (d *Driver) Get(key string) (release.Releaser, error) {
	ctx, cancel, err := d.begin()
	if err != nil {
		return nil, err
	}
	defer cancel()
	secret, err := d.Secrets.Get(ctx, key, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, driver.ErrReleaseNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading the release record %s: %w", key, err)
	}
	return d.decoded(secret)
}

// List returns the records that a filter lets through.
func (d *Driver) List(filter func(release.Releaser) bool) ([]release.Releaser, error) {
	all, err := d.query(labels.Set{"owner": "helm"})
	if err != nil {
		return nil, err
	}
	var list []release.Releaser
	for _, r := range all {
		if filter(r) {
			list = append(list, r)
		}
	}
	return list, nil
}

// Query returns the records with the labels, or driver.ErrReleaseNotFound.
func (d *Driver) Query(wanted map[string]string) ([]release.Releaser, error) {
	for _, value := range wanted {
		if errs := validation.IsValidLabelValue(value); len(errs) > 0 {
			return nil, fmt.Errorf("invalid label value: %q: %s", value, strings.Join(errs, "; "))
		}
	}
	list, err := d.query(labels.Set(wanted))
	if err == nil && len(list) == 0 {
		return nil, driver.ErrReleaseNotFound
	}
	return list, err
}

func (d *Driver) query(wanted labels.Set) ([]release.Releaser, error) {
	ctx, cancel, err := d.begin()
	if err != nil {
		return nil, err
	}
	defer cancel()
	secrets, err := d.Secrets.List(ctx, metav1.ListOptions{LabelSelector: wanted.AsSelector().String()})
	if err != nil {
		return nil, fmt.Errorf("listing release records: %w", err)
	}
	var list []release.Releaser
	for i := range secrets.Items {
		// As in Helm, a record that cannot be read does not hide the others.
		if r, err := d.decoded(&secrets.Items[i]); err == nil {
			list = append(list, r)
		}
	}
	return list, nil
}

// Create stores a new record, or fails with driver.ErrReleaseExists.
func (d *Driver) Create(key string, r release.Releaser) error {
	ctx, cancel, err := d.begin()
	if err != nil {
		return err
	}
	defer cancel()
	rel, chart, secret, err := d.encode(key, r, "createdAt")
	if err != nil {
		return err
	}
	secret, err = d.Secrets.Create(ctx, secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return driver.ErrReleaseExists
	}
	if err != nil {
		return fmt.Errorf("storing the release record %s: %w", key, err)
	}
	d.wrote(secret, rel, chart)
	return nil
}

// Update stores a changed record.
func (d *Driver) Update(key string, r release.Releaser) error {
	ctx, cancel, err := d.begin()
	if err != nil {
		return err
	}
	defer cancel()
	rel, chart, secret, err := d.encode(key, r, "modifiedAt")
	if err != nil {
		return err
	}
	secret, err = d.Secrets.Update(ctx, secret, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return driver.ErrReleaseNotFound
	}
	if err != nil {
		return fmt.Errorf("storing the release record %s: %w", key, err)
	}
	d.wrote(secret, rel, chart)
	return nil
}

// Delete removes a record and returns it.
func (d *Driver) Delete(key string) (release.Releaser, error) {
	r, err := d.Get(key)
	if err != nil {
		return nil, err
	}
	ctx, cancel, err := d.begin()
	if err != nil {
		return nil, err
	}
	defer cancel()
	if err := d.Secrets.Delete(ctx, key, metav1.DeleteOptions{}); err != nil {
		return nil, fmt.Errorf("deleting the release record %s: %w", key, err)
	}
	return r, nil
}

func (d *Driver) begin() (context.Context, context.CancelFunc, error) {
	if d.Refuse != nil {
		if err := d.Refuse(); err != nil {
			return nil, nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	return ctx, cancel, nil
}

func (d *Driver) wrote(secret *corev1.Secret, rel *releasev1.Release, chart []byte) {
	d.Written.add(secret, rel, chart)
	if d.Observe != nil {
		d.Observe(rel)
	}
}

func (d *Driver) decoded(secret *corev1.Secret) (*releasev1.Release, error) {
	if rel := d.Written.get(secret); rel != nil {
		return rel, nil
	}
	rel, err := Decode(secret.Data["release"])
	if err != nil {
		return nil, fmt.Errorf("reading the release record %s: %w", secret.Name, err)
	}
	rel.Labels = customLabels(secret.Labels)
	return rel, nil
}

func (d *Driver) encode(key string, r release.Releaser, timeLabel string) (*releasev1.Release, []byte, *corev1.Secret, error) {
	rel, ok := r.(*releasev1.Release)
	if !ok {
		return nil, nil, nil, errors.New("a release record of an unknown version")
	}
	chart, err := d.chart(rel)
	if err != nil {
		return nil, nil, nil, err
	}
	data, err := Encode(rel, chart)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("encoding the release record %s: %w", key, err)
	}
	marks := customLabels(rel.Labels)
	marks["name"], marks["owner"] = rel.Name, "helm"
	marks["status"], marks["version"] = rel.Info.Status.String(), strconv.Itoa(rel.Version)
	marks[timeLabel] = strconv.FormatInt(time.Now().Unix(), 10)
	return rel, chart, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: key, Labels: marks},
		Type:       secretType,
		Data:       map[string][]byte{"release": data},
	}, nil
}

// chart returns the gzip member of a record's chart, or nil for a chart that
// was not seen before.
func (d *Driver) chart(rel *releasev1.Release) ([]byte, error) {
	if rel.Chart == nil {
		return nil, nil
	}
	if d.Stored != nil {
		if member, err := d.Stored(rel.Chart); member != nil || err != nil {
			return member, err
		}
	}
	return d.Written.chart(rel.Chart), nil
}

// customLabels returns the labels that are not Helm's own.
func customLabels(all map[string]string) map[string]string {
	custom := map[string]string{}
	for key, value := range all {
		if !driver.ContainsSystemLabels(map[string]string{key: ""}) {
			custom[key] = value
		}
	}
	return custom
}
