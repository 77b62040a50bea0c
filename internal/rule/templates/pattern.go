package templates

import (
	"regexp"
	"strings"
)

// pattern is what a template can render to, whatever its variables are. White
// space within lines does not count, and neither do empty lines and lines of
// comments, since tools that format files change them.
type pattern struct {
	states []state
	start  int
	// loose says that an expression may make any number of lines.
	loose bool
}

// op is what a state does.
type op int

const (
	// opByte takes the byte, opAny any but a line end, opAll any at all.
	opByte op = iota
	opAny
	opAll
	// opLine takes a line end, or nothing at the beginning of a line.
	opLine
	// opSplit goes on in two ways.
	opSplit
	opEnd
)

// state is one step; next and other are the states that follow.
type state struct {
	op          op
	b           byte
	next, other int
}

// maxTemplate bounds the templates that are looked at, in bytes.
const maxTemplate = 256 << 10

// patternOf reads a template; ok is false for one that holds what is not
// understood here.
func (s syntax) patternOf(source string) (p *pattern, ok bool) {
	if s.lines || len(source) > maxTemplate {
		return nil, false
	}
	source, ok = s.withoutComments(source)
	if !ok {
		return nil, false
	}
	list, ok := s.tokens(source)
	if !ok {
		return nil, false
	}
	b := builder{tokens: list}
	body, end := b.sequence()
	if b.failed || end != "" {
		return nil, false
	}
	p = &pattern{}
	p.start = p.compile(body, p.add(state{op: opEnd}))
	return p, true
}

// node is a part of a template.
type node struct {
	// text is literal; any and all stand for what an expression makes.
	text     string
	any, all bool
	// choices are the branches of a condition; loop is what comes again.
	choices [][]node
	loop    []node
}

// builder makes nodes of tokens.
type builder struct {
	tokens []token
	failed bool
	depth  int
}

// maxDepth bounds how deep blocks are nested.
const maxDepth = 50

// sequence reads up to a block that ends or divides the one around it, and
// returns that block's text.
func (b *builder) sequence() (list []node, end string) {
	if b.depth++; b.depth > maxDepth {
		b.failed = true
	}
	defer func() { b.depth-- }()
	for len(b.tokens) > 0 && !b.failed {
		t := b.tokens[0]
		b.tokens = b.tokens[1:]
		switch t.kind {
		case textToken:
			list = append(list, literal(t.text)...)
		case expressionToken:
			multi := t.alone || manyLines.MatchString(t.text)
			list = append(list, node{any: !multi, all: multi})
		case blockToken:
			word, _, _ := strings.Cut(t.text+" ", " ")
			if isEnd[word] {
				return list, t.text
			}
			list = append(list, b.block(word, t.text)...)
		}
		if t.kind == blockToken {
			b.dropLineEnd()
		}
	}
	return list, ""
}

// dropLineEnd makes the line end behind a block one that need not be there:
// renderers are told to leave it out.
func (b *builder) dropLineEnd() {
	if len(b.tokens) == 0 || b.tokens[0].kind != textToken {
		return
	}
	if rest, ok := strings.CutPrefix(strings.TrimLeft(b.tokens[0].text, " \t\r"), "\n"); ok {
		b.tokens[0].text = optionalLine + rest
	}
}

// optionalLine stands for a line end that need not be there. No text file has it.
const optionalLine = "\x00"

// manyLines matches expressions that may make more than one line.
var manyLines = regexp.MustCompile(`\|\s*(?:indent|wordwrap|join|to_?yaml|to_?json|to_nice_\w+|tojson)\b|(?:^|[^|\s\w.])\s*[A-Za-z_]\w*\(`)

// injected is what another tool replaces once the template is rendered.
var injected = regexp.MustCompile(`op://[^\s"'}\]]+`)

func literal(text string) []node {
	var list []node
	for {
		at := injected.FindStringIndex(text)
		if at == nil {
			return append(list, node{text: text})
		}
		list = append(list, node{text: text[:at[0]]}, node{any: true})
		text = text[at[1]:]
	}
}

// isEnd names the blocks that end or divide another.
var isEnd = map[string]bool{
	"elif": true, "else": true, "endif": true, "endfor": true, "endset": true, "endfilter": true, "endcall": true,
	"endmacro": true, "endblock": true, "endwith": true, "endautoescape": true, "endraw": true,
}

// block reads the block that a word begins.
func (b *builder) block(word, text string) []node {
	switch word {
	case "if":
		return []node{{choices: b.branches("endif")}}
	case "for":
		branches := b.branches("endfor")
		return []node{{loop: branches[0]}, {choices: append(branches[1:], nil)}}
	case "raw", "do", "import", "from":
		return nil
	case "include":
		return []node{{all: true}}
	case "set":
		if !strings.Contains(text, "=") {
			b.body("endset")
		}
		return nil
	case "macro":
		b.body("endmacro")
		return nil
	case "filter":
		b.body("endfilter")
		return []node{{all: true}}
	case "call":
		b.body("endcall")
		return []node{{all: true}}
	case "block", "with", "autoescape":
		return b.body("end" + word)
	}
	b.failed = true
	return nil
}

// body reads up to the end of a block.
func (b *builder) body(end string) []node {
	b.dropLineEnd()
	list, word := b.sequence()
	b.failed = b.failed || firstWord(word) != end
	return list
}

// branches reads the parts of a condition or a loop, and an empty one where
// none need be taken.
func (b *builder) branches(end string) [][]node {
	var list [][]node
	otherwise := false
	for !b.failed {
		b.dropLineEnd()
		part, word := b.sequence()
		list = append(list, part)
		switch word = firstWord(word); word {
		case end:
			if !otherwise {
				list = append(list, nil)
			}
			return list
		case "else":
			otherwise = true
		case "elif":
		default:
			b.failed = true
		}
	}
	return [][]node{nil}
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}
