package sops

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

func readDotenv(data []byte) ([]mapping, *metadata, error) {
	var root mapping
	about := map[string]string{}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			continue
		}
		if text, ok := strings.CutPrefix(line, "#"); ok {
			root = append(root, item{key: text, isComment: true})
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, nil, fmt.Errorf("line %d is no assignment", number)
		}
		if name, ok := strings.CutPrefix(key, "sops_"); ok {
			about[name] = value
			continue
		}
		root = append(root, item{key: key, value: strings.ReplaceAll(value, `\n`, "\n")})
	}
	m, err := flatMetadata(about)
	return []mapping{root}, m, err
}

func writeDotenv(branches []mapping) ([]byte, error) {
	if len(branches) != 1 {
		return nil, fmt.Errorf("dotenv holds one document, not %d", len(branches))
	}
	var out bytes.Buffer
	for _, it := range branches[0] {
		if it.isComment {
			fmt.Fprintf(&out, "#%s\n", it.key)
			continue
		}
		value, err := flatText(it.value)
		if err != nil {
			return nil, fmt.Errorf("the value of %s: %w", it.key, err)
		}
		fmt.Fprintf(&out, "%s=%s\n", it.key, strings.ReplaceAll(value, "\n", `\n`))
	}
	return out.Bytes(), nil
}

// flatText returns a scalar as text, for formats that know nothing else.
func flatText(value any) (string, error) {
	switch v := value.(type) {
	case mapping, []any:
		return "", errors.New("the format knows no nesting")
	case string:
		return v, nil
	case time.Time:
		return v.Format(time.RFC3339), nil
	case float64:
		text := strconv.FormatFloat(v, 'G', -1, 64)
		if !strings.ContainsAny(text, ".E") {
			text = strconv.FormatFloat(v, 'f', 1, 64) // or it would read as an integer
		}
		return text, nil
	}
	return fmt.Sprint(value), nil
}
