package causes

import (
	"regexp"
	"slices"
	"strconv"

	"hearth/internal/diagnose"
	"hearth/internal/spelling"
)

var itemMisspelt = &diagnose.Cause{
	Name:     "item-misspelt",
	Title:    "The path of a vault item is wrong",
	Symptom:  "An ExternalSecret is Failed, its Secret is missing, and its pods wait.",
	Evidence: "The ExternalSecret's Ready condition says that no item of the name is in the vault, while one of nearly the same name is known.",
	Why:      "A letter too many or too few in dataFrom.extract.key names an item that does not exist.",
	Fix:      "Correct the item's name in dataFrom.extract.key, or remoteRef.key.",
	Section:  "ExternalSecret Failed to Sync", Scenario: "Wrong path",
	Find: func(s *diagnose.Search) { findItems(s, true) },
}

// noItem is how Hearth, and the providers of External Secrets for 1Password,
// say that there is no item of a name.
var noItem = regexp.MustCompile(`no item "([^"]+)" in vault|key not found in 1Password Vaults: (\S.*?) in:|item(?: with title)? ['"]([^'"]+)['"] (?:was )?not found|no item matched the secret reference query[^"]*"?([^" ]*)`)

// findItems reports the items that ExternalSecrets miss: those that are nearly
// called like another one, or all others.
func findItems(s *diagnose.Search, misspelt bool) {
	known := knownItems(s)
	matching(s, noItem, []diagnose.Kind{diagnose.ExternalSecret}, func(c complaint, groups []string) {
		item := first(groups[1:])
		if item == "" {
			item = "?"
		}
		near, ok := spelling.Nearest(item, known)
		if ok != misspelt {
			return
		}
		sentence := "The vault has no item " + item + ", which " + c.object.Ref().String() + " reads."
		if ok {
			sentence = "The vault has no item " + item + ", which " + c.object.Ref().String() + " reads; " + near + " is known."
		}
		s.Report(diagnose.Finding{
			Subject: diagnose.Key{Kind: "Item", Name: item}, Sentence: sentence, Explains: []diagnose.Key{c.object.Key},
			Evidence: []diagnose.Evidence{c.Evidence}, At: itemPlace(c.object, item),
			Commands: append(diagnose.Show(c.object.Key), "hearth vault list"),
		})
	})
}

// knownItems are the titles of the vault's items: those that are told, else
// those that ExternalSecrets read successfully.
func knownItems(s *diagnose.Search) []string {
	known := slices.Clone(s.Items)
	for _, es := range s.All(diagnose.ExternalSecret) {
		if s.Trouble(es) == nil {
			known = append(known, itemsOf(es)...)
		}
	}
	return known
}

// itemsOf returns the items that an ExternalSecret reads.
func itemsOf(es *diagnose.Object) []string {
	var items []string
	for _, from := range es.List("spec", "dataFrom") {
		if key := from.Text("extract", "key"); key != "" {
			items = append(items, key)
		}
	}
	for _, data := range es.List("spec", "data") {
		if key := data.Text("remoteRef", "key"); key != "" {
			items = append(items, key)
		}
	}
	return items
}

// itemPlace leads to where an ExternalSecret names an item.
func itemPlace(es *diagnose.Object, item string) diagnose.Locus {
	for i, from := range es.List("spec", "dataFrom") {
		if from.Text("extract", "key") == item {
			return diagnose.Locus{Key: es.Key, Field: []string{"spec", "dataFrom", strconv.Itoa(i), "extract", "key"}}
		}
	}
	for i, data := range es.List("spec", "data") {
		if data.Text("remoteRef", "key") == item {
			return diagnose.Locus{Key: es.Key, Field: []string{"spec", "data", strconv.Itoa(i), "remoteRef", "key"}}
		}
	}
	return diagnose.Locus{Key: es.Key, Text: item}
}

// first returns the first text that is not empty.
func first(texts []string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
