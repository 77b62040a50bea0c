package resourceset

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

// allowed are the functions of slim-sprig that depend on nothing but their
// arguments.
const allowed = `
hello ago duration durationRound must_date_modify mustDateModify mustToDate toDate unixEpoch
trunc trim upper lower title substr repeat trimall trimAll trimSuffix trimPrefix contains hasPrefix hasSuffix quote squote
cat indent nindent replace plural sha1sum sha256sum adler32sum toString atoi int64 int float64 seq toDecimal
split splitList splitn toStrings until untilStep add1 add sub div mod mul biggest max min maxf minf ceil floor
round join sortAlpha default empty coalesce all any compact mustCompact fromJson toJson toPrettyJson toRawJson mustFromJson
mustToJson mustToPrettyJson mustToRawJson ternary typeOf typeIs typeIsLike kindOf kindIs deepEqual
base dir clean ext isAbs osBase osClean osDir osExt osIsAbs b64enc b64dec b32enc b32dec
tuple list dict get set unset hasKey pluck pick omit append push mustAppend mustPush prepend mustPrepend
first mustFirst rest mustRest last mustLast initial mustInitial reverse mustReverse uniq mustUniq without mustWithout has mustHas
slice mustSlice concat dig chunk mustChunk fail regexMatch mustRegexMatch regexFindAll mustRegexFindAll regexFind mustRegexFind
regexReplaceAll mustRegexReplaceAll regexReplaceAllLiteral mustRegexReplaceAllLiteral regexSplit mustRegexSplit regexQuoteMeta
urlParse urlJoin`

// pure are the functions that are the same in every run.
var pure = pureFunctions()

func pureFunctions() template.FuncMap {
	sprigs := sprig.TxtFuncMap()
	all := template.FuncMap{}
	for name := range strings.FieldsSeq(allowed) {
		if f, ok := sprigs[name]; ok {
			all[name] = f
		}
	}
	maps.Copy(all, template.FuncMap{
		"keys":       sortedKeys,
		"values":     valuesByKey,
		"slugify":    Slugify,
		"toYaml":     func(v any) string { text, _ := toYAML(v); return text },
		"mustToYaml": toYAML,
		// Go's own, to be measured as all others.
		"print":    fmt.Sprint,
		"printf":   formatted,
		"println":  fmt.Sprintln,
		"html":     template.HTMLEscaper,
		"js":       template.JSEscaper,
		"urlquery": template.URLQueryEscaper,
	})
	return all
}

// functions returns all functions, bounded, for one run.
func (r *run) functions() template.FuncMap {
	all := make(template.FuncMap, len(pure)+8)
	for name, f := range pure {
		all[name] = r.bounded(name, f)
	}
	all["randInt"] = r.randInt
	all["inputs"] = func() any { return r.inputs }
	all["_step"], all["_enter"], all["_leave"] = r.step, r.enter, r.leave
	all["_measured"] = func(v any) (any, error) { return v, r.measure(v) }
	return all
}

// sortedKeys lists the keys of maps: in one order, so that nothing changes from
// one run to the next.
func sortedKeys(dicts ...map[string]any) []string {
	var keys []string
	for _, dict := range dicts {
		keys = append(keys, slices.Sorted(maps.Keys(dict))...)
	}
	return keys
}

func valuesByKey(dict map[string]any) []any {
	values := []any{}
	for _, key := range sortedKeys(dict) {
		values = append(values, dict[key])
	}
	return values
}

func toYAML(v any) (string, error) {
	text, err := yaml.Marshal(v)
	return string(text), err
}

// sized finds verbs of printf with a width or precision.
var sized = regexp.MustCompile(`%[^a-zA-Z%]*[0-9*][^a-zA-Z%]*`)

var digits = regexp.MustCompile(`[0-9]+`)

// formatted is printf without widths that could fill the memory.
func formatted(format string, args ...any) (string, error) {
	width := 0
	for _, verb := range sized.FindAllString(format, -1) {
		if strings.Contains(verb, "*") {
			return "", errors.New("printf takes no width from an argument here")
		}
		for _, number := range digits.FindAllString(verb, -1) {
			n, err := strconv.Atoi(number)
			if width += n; err != nil || width > maxText {
				return "", errTooLarge
			}
		}
	}
	return fmt.Sprintf(format, args...), nil
}
