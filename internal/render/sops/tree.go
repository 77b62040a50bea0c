package sops

import "errors"

// mapping is a mapping with its keys in their order, and comments between.
// Values are mappings, lists ([]any), scalars, comments (in lists) and nil.
type mapping []item

type item struct {
	key   string
	value any
	// isComment makes the key the text of a comment.
	isComment bool
}

// comment is the text of a comment without its sign.
type comment string

// take removes a key, and returns its value.
func (m *mapping) take(key string) (value any, found bool) {
	var rest mapping
	for _, it := range *m {
		if !it.isComment && it.key == key {
			value, found = it.value, true
			continue
		}
		rest = append(rest, it)
	}
	*m = rest
	return value, found
}

var errTooDeep = errors.New("it is nested too deep")

// walker visits every scalar and comment in order, and puts what the visit
// returns in its place.
type walker struct {
	rule  rule
	visit func(value any, path []string, encrypted bool) (any, error)

	path []string
	// comments are, for each level, those before the value at hand.
	comments [][]string
}

func (w *walker) mapping(m mapping, depth int) error {
	w.enter()
	defer w.leave()
	for i := range m {
		it := &m[i]
		if it.isComment {
			text, err := w.comment(comment(it.key))
			if err != nil {
				return err
			}
			it.key = text
			continue
		}
		w.path = append(w.path, it.key)
		value, err := w.value(it.value, depth)
		w.path = w.path[:len(w.path)-1]
		if err != nil {
			return err
		}
		it.value = value
		w.forget()
	}
	return nil
}

func (w *walker) list(list []any, depth int) error {
	w.enter()
	defer w.leave()
	for i, element := range list {
		if c, ok := element.(comment); ok {
			text, err := w.comment(c)
			if err != nil {
				return err
			}
			list[i] = comment(text)
			continue
		}
		// The items of a list count as the list, wherever they stand in it.
		value, err := w.value(element, depth)
		if err != nil {
			return err
		}
		list[i] = value
		w.forget()
	}
	return nil
}

func (w *walker) value(value any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	switch value := value.(type) {
	case nil:
		return nil, nil
	case mapping:
		return value, w.mapping(value, depth+1)
	case []any:
		return value, w.list(value, depth+1)
	}
	return w.visit(value, w.path, w.rule.encrypted(w.path, w.comments, false))
}

func (w *walker) comment(c comment) (string, error) {
	last := len(w.comments) - 1
	w.comments[last] = append(w.comments[last], string(c))
	value, err := w.visit(c, w.path, w.rule.encrypted(w.path, w.comments, true))
	if err != nil {
		return "", err
	}
	if c, ok := value.(comment); ok {
		return string(c), nil
	}
	text, _ := value.(string)
	return text, nil
}

func (w *walker) enter()  { w.comments = append(w.comments, nil) }
func (w *walker) leave()  { w.comments = w.comments[:len(w.comments)-1] }
func (w *walker) forget() { w.comments[len(w.comments)-1] = nil }
