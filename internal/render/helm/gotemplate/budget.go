package gotemplate

// maxMade is how much text one rendering may make altogether, what is thrown
// away included: as much memory as that may be in use at once.
const maxMade = 256 << 20

// Budget counts the text that one rendering makes. It is not for concurrent use.
type Budget struct{ made int }

// Take counts text. The error wraps ErrRefused once it is too much.
func (b *Budget) Take(bytes int) error {
	if b.made += bytes; b.made > maxMade {
		return refused("it makes more than %d MiB of text", maxMade>>20)
	}
	return nil
}

// CheckDepth returns an error that wraps ErrRefused where templates call each
// other too deep.
func CheckDepth(depth int) error {
	if depth > maxDepth {
		return refused("templates call each other more than %d deep", maxDepth)
	}
	return nil
}

// CheckArguments returns an error that wraps ErrRefused where a function that
// goes through all that its arguments hold would come to no end.
func CheckArguments(function string, args []any) error {
	if !walking[function] {
		return nil
	}
	for _, arg := range args {
		if err := checkBounded(arg); err != nil {
			return err
		}
	}
	return nil
}

// CheckResult returns an error that wraps ErrRefused where a function made
// more than one call may make.
func CheckResult(function string, result any) error {
	switch v := result.(type) {
	case string:
		if len(v) > maxText {
			return refused("%s makes a text of more than %d MiB", function, maxText>>20)
		}
	case []any:
		if len(v) > maxElements {
			return refused("%s makes a list of more than %d entries", function, maxElements)
		}
	}
	return nil
}
