// Package helmfile installs the Helm releases that a bootstrap installs before
// Flux runs, as `helmfile sync` would: a release's CRDs first, then the release
// itself, waiting until it is ready. Flux takes the releases over later, since
// they are kept where Helm keeps them.
//
// Which releases there are, in which order, and where their charts and values
// come from is left to the caller.
package helmfile

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"hearth/internal/engine/helmrelease/helmkube"
	"hearth/internal/kube/crds"
	"hearth/internal/render/helm"
)

// Installer installs releases into one cluster. Its methods may be called
// concurrently for different releases.
type Installer struct {
	// Config and Connection lead to the cluster.
	Config     *rest.Config
	Connection *helmkube.Connection
	// UnknownKind is asked about kinds that the cluster does not know; nil
	// means that a release with one fails.
	UnknownKind helmkube.UnknownKind
	// Timeout bounds how long one release may take to become ready.
	Timeout time.Duration
}

// Release says what to install.
type Release struct {
	Namespace, Name string
	Chart           *helm.Chart
	// Version replaces the chart's own.
	Version string
	Values  map[string]any
}

// Install installs a release and waits until it is ready. A release that
// exists already is left as it is.
func (i *Installer) Install(ctx context.Context, r Release) error {
	config, client, err := i.action(ctx, r)
	if err != nil {
		return r.failed(err)
	}
	if history, err := config.Releases.History(r.Name); err == nil && len(history) > 0 {
		return nil
	}
	if err := i.installFolderCRDs(ctx, r); err != nil {
		return r.failed(err)
	}
	if config.Capabilities, err = i.Connection.Capabilities(); err != nil {
		return r.failed(err)
	}
	install := action.NewInstall(config)
	install.ReleaseName, install.Namespace = r.Name, r.Namespace
	install.CreateNamespace = true
	install.SkipCRDs = true
	install.TakeOwnership = true
	install.ServerSideApply = true
	install.WaitStrategy = kube.StatusWatcherStrategy
	install.WaitForJobs = true
	install.Timeout = i.Timeout
	if _, err := install.RunWithContext(ctx, r.Chart.Copy(r.Version), r.Values); err != nil {
		client.Abandon()
		return r.failed(err)
	}
	return nil
}

// InstallCRDs installs only the CRDs of a chart: those of its crds folders and
// those that its templates make.
func (i *Installer) InstallCRDs(ctx context.Context, r Release) error {
	capabilities, err := i.Connection.Capabilities()
	if err != nil {
		return r.failed(err)
	}
	rendered, err := helm.Render(ctx, helm.Request{
		Chart: r.Chart, Version: r.Version, Values: helm.Values{Map: r.Values},
		Name: r.Name, Namespace: r.Namespace, Capabilities: capabilities,
	})
	if err != nil {
		return r.failed(err)
	}
	if err := i.install(ctx, rendered); err != nil {
		return r.failed(err)
	}
	return nil
}

// installFolderCRDs installs what stands in the chart's crds folders, which
// Helm does before it renders templates.
func (i *Installer) installFolderCRDs(ctx context.Context, r Release) error {
	var all []*unstructured.Unstructured
	for _, file := range r.Chart.Copy(r.Version).CRDObjects() {
		objects, err := helmkube.Decode(bytes.NewReader(file.File.Data))
		if err != nil {
			return fmt.Errorf("read %s: %w", file.Filename, err)
		}
		all = append(all, objects...)
	}
	return i.install(ctx, all)
}

func (i *Installer) install(ctx context.Context, objects []*unstructured.Unstructured) error {
	var list []*apiextensionsv1.CustomResourceDefinition
	for _, obj := range objects {
		if obj.GetKind() != "CustomResourceDefinition" {
			continue
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, crd); err != nil {
			return fmt.Errorf("read the CRD %s: %w", obj.GetName(), err)
		}
		list = append(list, crd)
	}
	if len(list) == 0 {
		return nil
	}
	return crds.Install(ctx, i.Config, list...)
}

// action sets up what Helm's install works with.
func (i *Installer) action(ctx context.Context, r Release) (*action.Configuration, *helmkube.Client, error) {
	capabilities, err := i.Connection.Capabilities()
	if err != nil {
		return nil, nil, err
	}
	client := i.Connection.Client(ctx, helmkube.Options{Namespace: r.Namespace, UnknownKind: i.UnknownKind})
	config := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	config.Capabilities = capabilities
	config.KubeClient = client
	config.Releases = storage.Init(driver.NewSecrets(i.Connection.Clientset.CoreV1().Secrets(r.Namespace)))
	config.CustomTemplateFuncs = helm.Functions(func(apiVersion, kind, namespace, name string) (map[string]any, error) {
		return i.Connection.Lookup(ctx, apiVersion, kind, namespace, name)
	})
	return config, client, nil
}

func (r Release) failed(err error) error {
	return fmt.Errorf("install the release %s/%s with chart %s: %w", r.Namespace, r.Name, r.Chart.Name(), err)
}
