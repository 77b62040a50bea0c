package settings

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// chartFlags are the values of External-DNS' chart that become flags, one for
// each item of a list.
var chartFlags = []struct{ value, flag string }{
	{"interval", "interval"}, {"sources", "source"}, {"policy", "policy"}, {"registry", "registry"},
	{"txtOwnerId", "txt-owner-id"}, {"txtPrefix", "txt-prefix"}, {"txtSuffix", "txt-suffix"},
	{"domainFilters", "domain-filter"}, {"excludeDomains", "exclude-domains"},
	{"labelFilter", "label-filter"}, {"annotationFilter", "annotation-filter"}, {"annotationPrefix", "annotation-prefix"},
	{"gatewayNamespace", "gateway-namespace"}, {"managedRecordTypes", "managed-record-types"},
}

// ChartArguments returns the arguments that External-DNS' chart would make of
// its values, for when the chart itself cannot be had.
func ChartArguments(values map[string]any) []string {
	args := []string{"--source=service", "--source=ingress", "--policy=upsert-only", "--registry=txt", "--provider=" + providerOf(values)}
	if _, set := values["sources"]; set {
		args = args[2:]
	}
	for _, f := range chartFlags {
		for _, v := range list(values[f.value]) {
			args = append(args, "--"+f.flag+"="+v)
		}
	}
	switch extra := values["extraArgs"].(type) {
	case map[string]any:
		args = append(args, extraArguments(extra)...)
	default:
		args = append(args, list(extra)...)
	}
	return args
}

func providerOf(values map[string]any) string {
	switch p := values["provider"].(type) {
	case map[string]any:
		if name := list(p["name"]); len(name) == 1 {
			return name[0]
		}
	case string:
		return p
	}
	return "aws" // the chart's default
}

// WebhookImage returns the image of the provider's sidecar that the values name.
func WebhookImage(values map[string]any) string {
	at := values
	for _, name := range []string{"provider", "webhook", "image"} {
		at, _ = at[name].(map[string]any)
	}
	repository, _ := at["repository"].(string)
	return repository
}

func extraArguments(extra map[string]any) []string {
	var args []string
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		switch v := extra[name].(type) {
		case nil:
			args = append(args, "--"+name)
		case bool:
			args = append(args, map[bool]string{true: "--", false: "--no-"}[v]+name)
		default:
			for _, item := range list(v) {
				args = append(args, "--"+name+"="+item)
			}
		}
	}
	return args
}

// list returns a value, or the items of one, as text.
func list(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, list(item)...)
		}
		return items
	case string:
		if strings.TrimSpace(v) == "" {
			return nil
		}
		return []string{v}
	case map[string]any:
		return nil
	default:
		return []string{fmt.Sprint(v)}
	}
}
