package scaffold

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// The uses of storage that a new application has.
const (
	databaseUse = "database"
	configUse   = "config"
)

// classFor returns the storage class for a use: the owner's own choice, or what
// most volumes of that use have, or the domain model's; "" leaves it to the
// cluster.
func (b *builder) classFor(use string) string {
	if b.config.Declared("storageClasses") {
		if class := b.declaredClass(use); class != "" {
			return class
		}
	}
	var classes tally
	for o := range b.state.All() {
		spec, _ := o.Object["spec"].(map[string]any)
		class := ""
		switch {
		case use == databaseUse && o.GetKind() == "Cluster" && o.GroupVersionKind().Group == "postgresql.cnpg.io":
			storage, _ := spec["storage"].(map[string]any)
			class, _ = storage["storageClass"].(string)
		case use == configUse && o.GetKind() == "PersistentVolumeClaim" && spec["volumeName"] == nil && isReadWriteOnce(spec):
			class, _ = spec["storageClassName"].(string)
		}
		if class != "" && b.isProvided(class) {
			classes.addText(class, "", "")
		}
	}
	if class := classes.commonestText("", "", ""); class != "" {
		return class
	}
	return b.declaredClass(use)
}

func isReadWriteOnce(spec map[string]any) bool {
	modes, _ := spec["accessModes"].([]any)
	return len(modes) == 1 && modes[0] == "ReadWriteOnce"
}

// declaredClass returns the first class, by its name, that is for a use and
// that the cluster has.
func (b *builder) declaredClass(use string) string {
	for _, class := range slices.Sorted(maps.Keys(b.config.StorageClasses)) {
		if slices.Contains(b.config.StorageClasses[class].For, use) && b.isProvided(class) {
			return class
		}
	}
	return ""
}

// isProvided reports whether something makes a class; a volume that was made by
// hand for one claim does not.
func (b *builder) isProvided(class string) bool {
	by, known := b.graph.Provider(storageGroup, "StorageClass", "", class)
	return known && (by == nil || by.GetKind() != "PersistentVolume")
}

// persistence is what the application keeps. Each is mounted in the folder of
// its key.
func (b *builder) persistence() *yaml.Node {
	volumes := fields()
	for _, s := range b.Storage {
		if s.Server != "" {
			set(volumes, "media", fields("type", "nfs", "server", s.Server, "path", s.Path))
			continue
		}
		set(volumes, "config", fields("type", "persistentVolumeClaim", "accessMode", "ReadWriteOnce", "storageClass", b.classFor(configUse), "size", s.Size))
	}
	return volumes
}
