package diff

import (
	"cmp"
	"fmt"
	"strings"
)

// keysOf are the fields that name the entries of lists, by the name of the list
// and in the order of trying.
var keysOf = map[string][]string{
	"ports":                     {"name", "containerPort+protocol", "port+protocol"},
	"volumeMounts":              {"mountPath+subPath", "mountPath"},
	"volumeDevices":             {"devicePath"},
	"hostAliases":               {"ip"},
	"tolerations":               {"key+operator+value+effect"},
	"topologySpreadConstraints": {"topologyKey+whenUnsatisfiable"},
	"envFrom":                   {"secretRef.name+configMapRef.name+prefix"},
	"imagePullSecrets":          {"name"},
	"ownerReferences":           {"kind+name"},
	"conditions":                {"type"},
	"subjects":                  {"kind+namespace+name"},
	"parentRefs":                {"namespace+name+sectionName+port"},
	"backendRefs":               {"namespace+name+port"},
	"listeners":                 {"name"},
	"versions":                  {"name"},
	"webhooks":                  {"name"},
	"dependsOn":                 {"namespace+name"},
	"substituteFrom":            {"kind+name"},
	"valuesFrom":                {"kind+name+valuesKey+targetPath"},
	"healthChecks":              {"kind+namespace+name"},
	"volumeClaimTemplates":      {"metadata.name"},
	"items":                     {"key", "path"},
	"matchExpressions":          {"key+operator"},
}

// anyKeys name the entries of all other lists.
var anyKeys = []string{"name", "secretKey", "mountPath", "key", "id", "host", "type"}

// namedEntries returns what names the entries of both lists; ok is false where
// some have no name, or two the same.
func namedEntries(field string, before, after []any) (old, now []string, ok bool) {
	if len(before)+len(after) == 0 {
		return nil, nil, false
	}
	keys := keysOf[field]
	if keys == nil {
		keys = anyKeys
	}
	for _, key := range keys {
		old, okOld := entryNames(key, before)
		now, okNow := entryNames(key, after)
		if okOld && okNow {
			return old, now, true
		}
	}
	return nil, nil, false
}

// defaultProtocol is that of ports that name none.
const defaultProtocol = "TCP"

// entryNames names entries by fields joined with +, of which some may be
// missing, but not all.
func entryNames(key string, entries []any) ([]string, bool) {
	names := make([]string, len(entries))
	seen := map[string]bool{}
	for i, entry := range entries {
		m, ok := entry.(map[string]any)
		if !ok {
			return nil, false
		}
		var parts []string
		for _, field := range strings.Split(key, "+") {
			text := scalarAt(m, strings.Split(field, "."))
			if field == "protocol" {
				text = cmp.Or(text, defaultProtocol)
			}
			if text != "" {
				parts = append(parts, text)
			}
		}
		name := strings.TrimSuffix(strings.Join(parts, "/"), "/"+defaultProtocol)
		if name == "" || name == defaultProtocol || seen[name] {
			return nil, false
		}
		seen[name], names[i] = true, name
	}
	return names, true
}

func scalarAt(m map[string]any, path []string) string {
	for _, field := range path[:len(path)-1] {
		m, _ = m[field].(map[string]any)
	}
	switch v := m[path[len(path)-1]].(type) {
	case nil, map[string]any, []any:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// maxAligned bounds the work of aligning two lists, in comparisons.
const maxAligned = 4_000_000

// align returns the longest run of pairs, in order, of entries that are the
// same. Where that would take too long only what both begin and end with is
// paired.
func align(n, m int, same func(i, j int) bool) [][2]int {
	var head, tail [][2]int
	start := 0
	for start < n && start < m && same(start, start) {
		head = append(head, [2]int{start, start})
		start++
	}
	for n > start && m > start && same(n-1, m-1) {
		n, m = n-1, m-1
		tail = append(tail, [2]int{n, m})
	}
	rows, columns := n-start, m-start
	if rows*columns > 0 && rows*columns <= maxAligned {
		head = append(head, longest(rows, columns, start, same)...)
	}
	for i := len(tail) - 1; i >= 0; i-- {
		head = append(head, tail[i])
	}
	return head
}

// longest finds the longest common run between what begins at start.
func longest(rows, columns, start int, same func(i, j int) bool) (pairs [][2]int) {
	length := make([][]int32, rows+1)
	for i := range length {
		length[i] = make([]int32, columns+1)
	}
	equal := make([]bool, rows*columns)
	for i := rows - 1; i >= 0; i-- {
		for j := columns - 1; j >= 0; j-- {
			if same(start+i, start+j) {
				equal[i*columns+j] = true
				length[i][j] = length[i+1][j+1] + 1
				continue
			}
			length[i][j] = max(length[i+1][j], length[i][j+1])
		}
	}
	for i, j := 0, 0; i < rows && j < columns; {
		switch {
		case equal[i*columns+j]:
			pairs = append(pairs, [2]int{start + i, start + j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}
