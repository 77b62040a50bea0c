package health

import (
	"fmt"
	"sync"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// evaluators are the compiled expressions by kind; a group's own have no kind.
type evaluators map[schema.GroupKind]*cel.StatusEvaluator

func (e evaluators) of(gk schema.GroupKind) *cel.StatusEvaluator {
	if found, ok := e[gk]; ok {
		return found
	}
	return e[schema.GroupKind{Group: gk.Group}]
}

func compile(exprs []Expr) (evaluators, error) {
	if len(exprs) == 0 {
		return nil, nil
	}
	compiled := make(evaluators, len(exprs))
	for i, e := range exprs {
		gk := schema.FromAPIVersionAndKind(e.APIVersion, e.Kind).GroupKind()
		if _, twice := compiled[gk]; twice {
			return nil, fmt.Errorf("healthCheckExprs[%d] repeats the kind %s", i, gk)
		}
		evaluator, err := compileOnce(e.HealthCheckExpressions)
		if err != nil {
			return nil, fmt.Errorf("healthCheckExprs[%d] for %s %s: %w", i, e.APIVersion, e.Kind, err)
		}
		compiled[gk] = evaluator
	}
	return compiled, nil
}

// compiledLimit bounds how many different expressions are kept compiled.
const compiledLimit = 512

var compiled = struct {
	sync.Mutex
	by map[kustomize.HealthCheckExpressions]*cel.StatusEvaluator
}{by: map[kustomize.HealthCheckExpressions]*cel.StatusEvaluator{}}

// compileOnce compiles expressions, or returns them as compiled before:
// repositories repeat the same few in many objects.
func compileOnce(e kustomize.HealthCheckExpressions) (*cel.StatusEvaluator, error) {
	compiled.Lock()
	defer compiled.Unlock()
	if found, ok := compiled.by[e]; ok {
		return found, nil
	}
	evaluator, err := cel.NewStatusEvaluator(&e)
	if err != nil {
		return nil, err
	}
	if len(compiled.by) >= compiledLimit {
		clear(compiled.by)
	}
	compiled.by[e] = evaluator
	return evaluator, nil
}
