package template

import (
	"fmt"
	"maps"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// forbidden are sprig's functions that reach out of the template: into the
// environment of the process or onto the network.
var forbidden = []string{"env", "expandenv", "getHostByName"}

// maxCount bounds functions that make something of a given size.
const maxCount = 1 << 16

var functions = makeFunctions()

// makeFunctions returns sprig's safe functions, the operator's own, and
// bounded versions of those that could be asked for any amount of memory.
func makeFunctions() template.FuncMap {
	all := sprig.TxtFuncMap()
	for _, name := range forbidden {
		delete(all, name)
	}
	maps.Copy(all, template.FuncMap{
		"toYaml":           toYAML,
		"fromYaml":         fromYAML,
		"hexdec":           hexDecode,
		"rsaDecrypt":       rsaDecrypt,
		"filterPEM":        filterPEM,
		"filterCertChain":  filterCertChain,
		"certSANs":         certSANs,
		"jwkPublicKeyPem":  jwkPublicKeyPEM,
		"jwkPrivateKeyPem": jwkPrivateKeyPEM,
		"mustToYaml":       toYAML,
		"mustFromYaml":     fromYAML,
		"fail":             fail,
	})
	maps.Copy(all, pkcs12Functions)
	return bound(all)
}

// fail stops the template; what it says is written in the template itself,
// which the error cites.
func fail(string) (string, error) {
	return "", publicError("the template calls fail")
}

// bound replaces the functions whose result grows with a number.
func bound(all template.FuncMap) template.FuncMap {
	repeat := all["repeat"].(func(int, string) string)
	all["repeat"] = func(n int, s string) (string, error) {
		if n < 0 || n > maxCount || n*len(s) > MaxOutput {
			return "", tooMany("repeat")
		}
		return repeat(n, s), nil
	}
	for _, name := range []string{"randAlphaNum", "randAlpha", "randAscii", "randNumeric"} {
		random := all[name].(func(int) string)
		all[name] = func(n int) (string, error) {
			if n < 0 || n > maxCount {
				return "", tooMany(name)
			}
			return random(n), nil
		}
	}
	until := all["until"].(func(int) []int)
	all["until"] = func(n int) ([]int, error) {
		if n < -maxCount || n > maxCount {
			return nil, tooMany("until")
		}
		return until(n), nil
	}
	untilStep := all["untilStep"].(func(int, int, int) []int)
	all["untilStep"] = func(start, stop, step int) ([]int, error) {
		if step != 0 && (stop-start)/step > maxCount {
			return nil, tooMany("untilStep")
		}
		return untilStep(start, stop, step), nil
	}
	seq := all["seq"].(func(...int) string)
	all["seq"] = func(params ...int) (string, error) {
		for _, p := range params {
			if p < -maxCount || p > maxCount {
				return "", tooMany("seq")
			}
		}
		return seq(params...), nil
	}
	return all
}

func tooMany(function string) error {
	return publicError(fmt.Sprintf("%s may make at most %d", function, maxCount))
}
