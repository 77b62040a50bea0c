package storage

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

// claimName names a claim of a namespace.
type claimName struct{ namespace, name string }

// databaseClaims lists the claims that database servers keep their data on.
func (s *classes) databaseClaims() map[claimName]bool {
	found := map[claimName]bool{}
	for o := range s.State.All() {
		for _, v := range dataVolumes(o) {
			switch {
			case v.template:
				found[claimName{o.GetNamespace(), v.Name}] = true
			case v.PersistentVolumeClaim != nil:
				found[claimName{o.GetNamespace(), v.PersistentVolumeClaim.ClaimName}] = true
			}
		}
	}
	return found
}

// checkDatabase reports databases whose data is on files of another machine.
func (s *classes) checkDatabase(p *rule.Pass, o *desired.Object) {
	if o.GetKind() == "Cluster" && o.GroupVersionKind().Group == "postgresql.cnpg.io" {
		s.checkPostgres(p, o)
		return
	}
	for _, v := range dataVolumes(o) {
		s.checkVolume(p, o, v)
	}
}

// checkPostgres judges what a cluster of CloudNativePG stores its data, its log
// and its tablespaces on.
func (s *classes) checkPostgres(p *rule.Pass, o *desired.Object) {
	spec, _ := o.Object["spec"].(map[string]any)
	stores := map[string][]string{"storage": {"spec", "storage"}, "walStorage": {"spec", "walStorage"}}
	for field, path := range stores {
		s.checkPostgresStorage(p, o, spec[field], path)
	}
	tablespaces, _ := spec["tablespaces"].([]any)
	for i, item := range tablespaces {
		tablespace, _ := item.(map[string]any)
		s.checkPostgresStorage(p, o, tablespace["storage"], []string{"spec", "tablespaces", strconv.Itoa(i), "storage"})
	}
}

func (s *classes) checkPostgresStorage(p *rule.Pass, o *desired.Object, storage any, path []string) {
	content, _ := storage.(map[string]any)
	class, _ := content["storageClass"].(string)
	path = append(path, "storageClass")
	if template, ok := content["pvcTemplate"].(map[string]any); ok && class == "" {
		class, _ = template["storageClassName"].(string)
		path = append(path[:len(path)-1], "pvcTemplate", "storageClassName")
	}
	if class == "" {
		return
	}
	if why := s.unfit(class); why != "" {
		text := class
		if _, node := o.Node(path...); node != nil && o.Release == nil {
			text = node.Value
		}
		s.reportDatabase(p, rule.Finding{Place: o.Place(path...), Text: text, Object: o.Ref}, why)
	}
}

// slow is what is to be said of a database on files of another machine.
const slow = ": a database on it is slow, and its locks and flushes may not hold"

// unfit says why databases should not be on a class; "" where nothing is known
// against it.
func (s *classes) unfit(class string) string {
	switch n := s.nature(class); {
	case n == nfs || n == filesystem:
		return fmt.Sprintf("the class %s is %s", class, n) + slow
	case class != "" && !s.isFor(class, domain.DatabaseStorage):
		return fmt.Sprintf("a database is stored on the class %s, which is for %s only", class, strings.Join(s.uses(class), ", "))
	}
	return ""
}

func (s *classes) reportDatabase(p *rule.Pass, f rule.Finding, why string) {
	f.Severity = rule.Warning
	f.Message = why
	f.Fix = s.suggest(domain.DatabaseStorage, "", "take the class %s")
	p.Report(f)
}

// checkVolume judges a volume that a database server keeps its data on.
func (s *classes) checkVolume(p *rule.Pass, o *desired.Object, v dataVolume) {
	switch {
	case v.NFS != nil:
		place := o.Place(append(slices.Clip(v.path), "nfs", "server")...)
		s.reportDatabase(p, rule.Finding{Place: place, Object: o.Ref}, "the data of "+serverName(v.image)+" is on NFS"+slow)
	case v.CephFS != nil:
		s.reportDatabase(p, rule.Finding{Place: o.Place(v.path...), Object: o.Ref}, "the data of "+serverName(v.image)+" is on a shared filesystem"+slow)
	case v.PersistentVolumeClaim != nil:
		if bound := s.State.Find("", "PersistentVolumeClaim", o.GetNamespace(), v.PersistentVolumeClaim.ClaimName); bound != nil {
			for _, c := range claimsOf(bound) {
				s.checkDatabaseClaim(p, c)
			}
		}
	case v.template || v.Ephemeral != nil:
		for _, c := range claimsOf(o) {
			if c.name == v.Name {
				s.checkDatabaseClaim(p, c)
			}
		}
	}
}

// checkDatabaseClaim judges a claim that holds a database.
func (s *classes) checkDatabaseClaim(p *rule.Pass, c *claim) {
	why := s.unfit(s.classOf(c))
	if c.spec.VolumeName != "" {
		why = ""
		if volume := s.State.Find("", "PersistentVolume", "", c.spec.VolumeName); volume != nil {
			if n := natureOfVolume(volume); n == nfs || n == filesystem {
				why = fmt.Sprintf("the volume %s is %s", c.spec.VolumeName, n) + slow
			}
		}
	}
	if why == "" {
		return
	}
	place, text := c.place("storageClassName")
	s.reportDatabase(p, rule.Finding{Place: place, Text: text, Object: c.object.Ref}, why)
}

// serverName is the last element of an image's repository.
func serverName(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name, _, _ := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return name
}

func index(i int) string { return strconv.Itoa(i) }
