package kustomize

import (
	"errors"
	"fmt"
	"sync"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	kustypes "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// Kustomize keeps one OpenAPI schema for the whole process. Parsing it takes
// far longer than most builds, so it is parsed once and shared by builds that
// only read it; a build that brings a schema of its own runs alone, and the
// shared one is made anew after it.
var (
	schema     sync.RWMutex
	schemaOnce sync.Once
)

// errOwnSchema ends a build that turns out to bring a schema of its own.
var errOwnSchema = errors.New("the kustomization brings an OpenAPI schema")

// withSchema runs a build beside others, and once more alone where the first
// run finds that it brings a schema of its own.
func withSchema(run func(alone bool) (own bool)) {
	schemaOnce.Do(resetSchema)
	if !beside(run) {
		return
	}
	schema.Lock()
	defer schema.Unlock()
	defer resetSchema()
	resetSchema()
	run(true)
}

func beside(run func(alone bool) (own bool)) bool {
	schema.RLock()
	defer schema.RUnlock()
	return run(false)
}

func resetSchema() {
	openapi.ResetOpenAPI()
	openapi.Schema()
}

// krustyRun runs kustomize as Flux does: files may come from anywhere in the
// artifact, and only built-in plugins run. Kustomize panics on some input.
func krustyRun(fs filesys.FileSystem, dir string) (resources resmap.ResMap, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("recovered from kustomize build panic: %v", r)
		}
	}()
	return krusty.MakeKustomizer(&krusty.Options{
		LoadRestrictions: kustypes.LoadRestrictionsNone,
		PluginConfig:     kustypes.DisabledPluginConfig(),
	}).Run(fs, dir)
}
