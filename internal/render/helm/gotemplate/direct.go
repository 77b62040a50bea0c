package gotemplate

import "slices"

// direct calls functions of the types that templates mostly use, without
// reflection; false where it does not know the type. Lists of arguments are
// copied: a function may keep them.
func (f *function) direct(args []any) (result any, ok bool) {
	var err error
	switch fn := f.fn.(type) {
	case func(string) string:
		result = fn(text(args, 0))
	case func(string) (string, error):
		result, err = fn(text(args, 0))
	case func(string, string) string:
		result = fn(text(args, 0), text(args, 1))
	case func(string, string) (string, error):
		result, err = fn(text(args, 0), text(args, 1))
	case func(string, string, string) string:
		result = fn(text(args, 0), text(args, 1), text(args, 2))
	case func(string, string, string) (string, error):
		result, err = fn(text(args, 0), text(args, 1), text(args, 2))
	case func(int, string) string:
		result = fn(args[0].(int), text(args, 1))
	case func(int, string) (string, error):
		result, err = fn(args[0].(int), text(args, 1))
	case func(string, string) bool:
		result = fn(text(args, 0), text(args, 1))
	case func(string, string) (bool, error):
		result, err = fn(text(args, 0), text(args, 1))
	case func(string, string) []string:
		result = fn(text(args, 0), text(args, 1))
	case func(string, any) bool:
		result = fn(text(args, 0), args[1])
	case func(string, any) string:
		result = fn(text(args, 0), args[1])
	case func(string, any) (string, error):
		result, err = fn(text(args, 0), args[1])
	case func(string, any) (any, error):
		result, err = fn(text(args, 0), args[1])
	case func(string, ...any) string:
		result = fn(text(args, 0), slices.Clone(args[1:])...)
	case func(string) map[string]any:
		result = fn(text(args, 0))
	case func(string) []any:
		result = fn(text(args, 0))
	case func(any) string:
		result = fn(args[0])
	case func(any) (string, error):
		result, err = fn(args[0])
	case func(any) bool:
		result = fn(args[0])
	case func(any) int:
		result = fn(args[0])
	case func(any) int64:
		result = fn(args[0])
	case func(any) float64:
		result = fn(args[0])
	case func(any) any:
		result = fn(args[0])
	case func(any) (any, error):
		result, err = fn(args[0])
	case func(any, any) bool:
		result = fn(args[0], args[1])
	case func(any, any) int64:
		result = fn(args[0], args[1])
	case func(any, any) any:
		result = fn(args[0], args[1])
	case func(any, any) []any:
		result = fn(args[0], args[1])
	case func(any, any, bool) any:
		result = fn(args[0], args[1], args[2].(bool))
	case func(any, ...any) any:
		result = fn(args[0], slices.Clone(args[1:])...)
	case func(...any) any:
		result = fn(slices.Clone(args)...)
	case func(...any) (any, error):
		result, err = fn(slices.Clone(args)...)
	case func(...any) []any:
		result = fn(slices.Clone(args)...)
	case func(...any) map[string]any:
		result = fn(args...)
	case func(...any) string:
		result = fn(slices.Clone(args)...)
	case func(map[string]any, string) any:
		result = fn(mapping(args, 0), text(args, 1))
	case func(map[string]any, string) bool:
		result = fn(mapping(args, 0), text(args, 1))
	case func(map[string]any, string) map[string]any:
		result = fn(mapping(args, 0), text(args, 1))
	case func(map[string]any, string, any) map[string]any:
		result = fn(mapping(args, 0), text(args, 1), args[2])
	case func(map[string]any, ...map[string]any) any:
		result = fn(mapping(args, 0), mappings(args[1:])...)
	case func(map[string]any, ...string) map[string]any:
		result = fn(mapping(args, 0), textsOf(args[1:])...)
	case func(...map[string]any) []string:
		result = fn(mappings(args)...)
	default:
		return nil, false
	}
	if err != nil {
		panic(err)
	}
	return orNull(result), true
}

func text(args []any, i int) string { return args[i].(string) }

func mapping(args []any, i int) map[string]any { return args[i].(map[string]any) }

func mappings(args []any) []map[string]any {
	list := make([]map[string]any, len(args))
	for i := range args {
		list[i] = mapping(args, i)
	}
	return list
}

func textsOf(args []any) []string {
	list := make([]string, len(args))
	for i := range args {
		list[i] = text(args, i)
	}
	return list
}
