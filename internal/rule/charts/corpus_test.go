package charts

import (
	"testing"

	"hearth/internal/rule/ruletest"
)

func TestHomelabs(t *testing.T) { ruletest.Homelabs(t, Rules) }

func BenchmarkRules(b *testing.B) { ruletest.Benchmark(b, Rules) }
