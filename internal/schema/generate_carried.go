//go:build ignore

// Generate writes the folder carried: the schemas of the custom kinds of the
// operators that generate_operators.go lists, a file an API group. It runs by
// go generate, in this folder and after schemas.gz is made: kinds that are in
// there it leaves out. The modules of the operators are fetched to the module
// cache, and are no dependencies of the program. With -print it fetches none,
// and writes to standard output what it makes of those that are in the cache.
//
// A file has a line a record, tab-separated: "operator", name, module, version
// and checksum; "shared", number and schema; "custom", kind, version and
// schema. Schemas that several hold are shared: "$ref" gives their number.
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const folder = "carried"

func main() {
	log.SetFlags(0)
	printed := slices.Contains(os.Args[1:], "-print")
	texts := map[string]string{}
	folders := fetch(printed)
	have := broughtAlong()
	for _, o := range operators {
		if printed {
			fmt.Println(o.record())
		}
		dir, ok := folders[o.module]
		if !ok {
			continue
		}
		for group, text := range carry(o, dir, have) {
			if texts[group] != "" {
				check(fmt.Errorf("two operators define kinds of %s", group))
			}
			texts[group] = text
		}
	}
	if printed {
		for _, group := range sortedKeys(texts) {
			fmt.Printf("group\t%s\n%s", group, texts[group])
		}
		return
	}
	check(os.RemoveAll(folder))
	check(os.Mkdir(folder, 0o755))
	for group, text := range texts {
		pack(filepath.Join(folder, group+".gz"), text)
	}
}

func (o operator) record() string {
	return strings.Join([]string{"operator", o.name, o.module, o.version, o.sum}, "\t")
}

// fetch returns where the modules of the operators are. Those that are cached
// suffice where that is said.
func fetch(cached bool) map[string]string {
	outside, err := os.MkdirTemp("", "operators-")
	check(err)
	defer os.RemoveAll(outside)
	args := []string{"mod", "download", "-json"}
	sums := map[string]string{}
	for _, o := range operators {
		args = append(args, o.module+"@"+o.version)
		sums[o.module] = o.sum
	}
	command := exec.Command("go", args...)
	command.Dir = outside
	command.Stderr = os.Stderr
	if cached {
		command.Env = append(os.Environ(), "GOPROXY=off", "GOSUMDB=off")
	}
	// It fails where one module cannot be had, and tells which.
	out, failed := command.Output()
	folders := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var module struct{ Path, Version, Error, Dir, Sum string }
		err := decoder.Decode(&module)
		if errors.Is(err, io.EOF) {
			break
		}
		check(err)
		switch {
		case module.Error != "" && cached:
		case module.Error != "":
			check(fmt.Errorf("fetching %s %s: %s", module.Path, module.Version, module.Error))
		case module.Sum != sums[module.Path]:
			check(fmt.Errorf("the checksum of %s %s is %s, not %q", module.Path, module.Version, module.Sum, sums[module.Path]))
		default:
			folders[module.Path] = module.Dir
		}
	}
	if !cached {
		check(failed)
	}
	return folders
}

// kind is a custom kind.
type kind struct{ group, kind string }

// broughtAlong are the custom kinds of schemas.gz.
func broughtAlong() map[kind]bool {
	file, err := os.Open("schemas.gz")
	check(err)
	defer file.Close()
	r, err := gzip.NewReader(file)
	check(err)
	text, err := io.ReadAll(r)
	check(err)
	have := map[kind]bool{}
	for line := range strings.Lines(string(text)) {
		if record := strings.SplitN(line, "\t", 4); record[0] == "custom" {
			have[kind{record[1], record[2]}] = true
		}
	}
	return have
}

// carry returns the texts of what an operator defines, by API group.
func carry(o operator, dir string, have map[kind]bool) map[string]string {
	groups := map[string][]customVersion{}
	for _, v := range customVersions(glob(filepath.Join(dir, filepath.FromSlash(o.files)))) {
		if !have[kind{v.group, v.kind}] {
			groups[v.group] = append(groups[v.group], v)
		}
	}
	texts := map[string]string{}
	for group, versions := range groups {
		texts[group] = o.record() + "\n" + share(versions)
	}
	if len(texts) == 0 {
		check(fmt.Errorf("%s %s holds no definitions", o.module, o.version))
	}
	return texts
}

// share returns the records of the versions of kinds. A schema that stands in
// more than one place becomes a record of its own.
func share(versions []customVersion) string {
	slices.SortFunc(versions, func(a, b customVersion) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.version, b.version))
	})
	s := sharing{places: map[string]int{}, numbers: map[string]string{}}
	for _, v := range versions {
		s.count(v.schema)
	}
	var customs []string
	for i, v := range versions {
		if i > 0 && v.kind == versions[i-1].kind && v.version == versions[i-1].version {
			check(fmt.Errorf("%s %s of %s is defined twice", v.kind, v.version, v.group))
		}
		customs = append(customs, fmt.Sprintf("custom\t%s\t%s\t%s", v.kind, v.version, encode(s.write(v.schema))))
	}
	return strings.Join(append(s.records, customs...), "\n") + "\n"
}

// sharing finds schemas that are the same.
type sharing struct {
	places  map[string]int    // by schema
	numbers map[string]string // by schema
	records []string
}

// leastShared is how long a schema is that is worth a record.
const leastShared = 80

// count counts the places of schemas. What stands inside a schema that was
// seen before is not counted again.
func (s *sharing) count(schema any) any {
	if fields, ok := schema.(object); ok {
		text := encode(fields)
		if s.places[text]++; s.places[text] == 1 {
			inside(fields, s.count)
		}
	}
	return nil
}

// write returns a schema with references to those that are shared.
func (s *sharing) write(schema any) any {
	fields, ok := schema.(object)
	if !ok {
		return schema
	}
	text := encode(fields)
	number, ok := s.numbers[text]
	if !ok {
		out := inside(fields, s.write)
		for key, value := range fields {
			if out[key] == nil {
				out[key] = value
			}
		}
		if s.places[text] == 1 || len(text) < leastShared {
			return out
		}
		number = strconv.Itoa(len(s.numbers))
		s.numbers[text] = number
		s.records = append(s.records, fmt.Sprintf("shared\t%s\t%s", number, encode(out)))
	}
	return object{"$ref": number}
}
