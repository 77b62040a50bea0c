// Package kustomize builds what a Flux Kustomization describes: the objects
// of a path in an artifact, after components, patches, images, names and
// variables, exactly as Flux's own generator and kustomize make them, and
// beside them the file each object comes from.
//
// Nothing is written to the artifact, and no path leaves it. Builds run at the
// same time. Reading the variables' ConfigMaps and Secrets, and applying what
// was built, is left to engine.
package kustomize
