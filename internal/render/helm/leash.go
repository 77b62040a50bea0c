package helm

import (
	"strconv"
	"strings"
	"unicode"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
)

// Helm's engine cannot be told to stop. So what it executes is put on a leash: at
// the beginning of each file, definition and turn of a loop stands a call of a
// function that writes nothing, is told how much text follows, and fails once
// time is up or too much was written; at the end of a definition stands another,
// so that the depth is known; what is written of a value goes through a third that
// counts it; and a text that reaches tpl goes through a fourth that puts it on the
// leash, too. Lines stay the same.

// The functions that stand there.
const (
	stepFunction  = "hearthStep"
	enterFunction = "hearthEnter"
	leaveFunction = "hearthLeave"
	writeFunction = "hearthWrite"
	textFunction  = "hearthText"
)

// swap gives a chart and its subcharts other templates, and returns the real ones
// by those.
func swap(c *chart.Chart, text func(*common.File) []byte) map[*common.File]*common.File {
	real := map[*common.File]*common.File{}
	eachChart(c, func(of *chart.Chart) {
		others := make([]*common.File, len(of.Templates))
		for i, file := range of.Templates {
			if file != nil {
				others[i] = &common.File{Name: file.Name, ModTime: file.ModTime, Data: text(file)}
				real[others[i]] = file
			}
		}
		of.Templates = others
	})
	return real
}

func eachChart(c *chart.Chart, f func(*chart.Chart)) {
	f(c)
	for _, sub := range c.Dependencies() {
		eachChart(sub, f)
	}
}

func leashedFile(file *common.File) []byte { return []byte(leashed(string(file.Data))) }

// leashed puts a template on the leash, and leashedText one that tpl executes.
func leashed(text string) string { return putOnLeash(text, stepFunction).String() }

func leashedText(text string) string {
	l := putOnLeash(text, enterFunction)
	l.parts = append(l.parts, "{{ "+leaveFunction+" }}")
	return l.String()
}

func putOnLeash(text, beginning string) *leash {
	l := &leash{}
	l.begin(beginning, false)
	for text != "" {
		open := strings.Index(text, "{{")
		if open < 0 {
			break
		}
		l.text(text[:open])
		text = text[open:]
		end, keyword, trims := actionOf(text)
		if end < 0 {
			break // Helm says what is wrong with it
		}
		action := text[:end]
		text = text[end:]
		// An empty definition does not replace one of the same name: it stays so.
		if (keyword == "define" || keyword == "block") && endsAtOnce(text) {
			keyword = "empty"
		}
		l.action(tied(action), keyword, trims)
	}
	l.text(text)
	return l
}

// leash is a template of which the beginning was put on the leash.
type leash struct {
	parts []string
	// open are the blocks that have not ended, with how much text each writes
	// itself in one turn; steps are the parts that say so.
	open []block
}

type block struct {
	step     int // the part that counts for it; that of the block around it where it has none
	function string
	texts    *int
	trims    bool
}

func (l *leash) text(text string) {
	l.parts = append(l.parts, text)
	*l.open[len(l.open)-1].texts += len(text)
}

func (l *leash) action(action, keyword string, trims bool) {
	switch keyword {
	case "range":
		l.parts = append(l.parts, action)
		l.begin(stepFunction, trims)
	case "define", "block":
		l.parts = append(l.parts, action)
		l.begin(enterFunction, trims)
	case "if", "with", "empty":
		l.parts = append(l.parts, action)
		l.open = append(l.open, l.open[len(l.open)-1])
	case "end":
		if len(l.open) > 1 && l.end() == enterFunction {
			l.parts = append(l.parts, action[:len(action)-len(strings.TrimPrefix(action[2:], "-"))], " "+leaveFunction+" }}")
		}
		l.parts = append(l.parts, action)
	case "else", "template", "break", "continue":
		l.parts = append(l.parts, action)
	default:
		l.parts = append(l.parts, counted(action))
	}
}

func (l *leash) begin(function string, trims bool) {
	l.open = append(l.open, block{step: len(l.parts), function: function, texts: new(int), trims: trims})
	l.parts = append(l.parts, "")
}

// end closes the innermost block, says at its beginning what it writes, and
// returns the function that does.
func (l *leash) end() (function string) {
	last := len(l.open) - 1
	closed := l.open[last]
	l.open = l.open[:last]
	if last > 0 && l.open[last-1].step == closed.step {
		return ""
	}
	mark := " }}"
	if closed.trims {
		mark = " -}}"
	}
	l.parts[closed.step] = "{{ " + closed.function + " " + strconv.Itoa(*closed.texts) + mark
	return closed.function
}

func (l *leash) String() string {
	for len(l.open) > 0 {
		l.end()
	}
	return strings.Join(l.parts, "")
}

// counted has what an action writes counted, if it writes something.
func counted(action string) string {
	inner := strings.TrimSuffix(strings.TrimPrefix(action, "{{"), "}}")
	closing := ""
	if strings.HasSuffix(inner, "-") && len(inner) > 1 && strings.ContainsRune(" \t\r\n", rune(inner[len(inner)-2])) {
		inner, closing = inner[:len(inner)-1], "-"
	}
	said := strings.TrimLeft(strings.TrimPrefix(inner, "-"), " \t\r\n")
	if said == "" || strings.HasPrefix(said, "/*") || assigns(said) {
		return action
	}
	return "{{" + inner + " | " + writeFunction + " " + closing + "}}"
}

// assigns reports whether an action only gives a variable a value.
func assigns(said string) bool {
	if !strings.HasPrefix(said, "$") {
		return false
	}
	name := strings.TrimLeftFunc(said[1:], func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) })
	after := strings.TrimLeft(name, " \t\r\n")
	return strings.HasPrefix(after, ":=") || strings.HasPrefix(after, "=")
}
