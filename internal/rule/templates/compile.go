package templates

// add adds a state.
func (p *pattern) add(s state) int {
	p.states = append(p.states, s)
	return len(p.states) - 1
}

// compile adds the states of nodes that lead to next, from the last to the
// first, and returns where they begin.
func (p *pattern) compile(list []node, next int) int {
	for i := len(list) - 1; i >= 0; i-- {
		next = p.node(list[i], next)
	}
	return next
}

func (p *pattern) node(n node, next int) int {
	switch {
	case n.any || n.all:
		kind := opAny
		if n.all {
			kind, p.loose = opAll, true
		}
		split := p.add(state{op: opSplit, other: next})
		p.states[split].next = p.add(state{op: kind, next: split})
		return split
	case n.choices != nil:
		start := -1
		for _, branch := range n.choices {
			at := p.compile(branch, next)
			if start >= 0 {
				at = p.add(state{op: opSplit, next: start, other: at})
			}
			start = at
		}
		return start
	case n.loop != nil:
		split := p.add(state{op: opSplit, other: next})
		body := p.compile(n.loop, split)
		p.states[split].next = body
		return split
	}
	return p.text(n.text, next)
}

// text adds the states of literal text.
func (p *pattern) text(text string, next int) int {
	for i := len(text) - 1; i >= 0; i-- {
		switch c := text[i]; c {
		case ' ', '\t', '\r':
		case '\n':
			next = p.add(state{op: opLine, next: next})
		case optionalLine[0]:
			line := p.add(state{op: opLine, next: next})
			next = p.add(state{op: opSplit, next: line, other: next})
		default:
			next = p.add(state{op: opByte, b: c, next: next})
		}
	}
	return next
}
