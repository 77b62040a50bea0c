package diagnose

import "strings"

// See returns the commands that show an object.
func See(o *Object) []string { return seeKey(o.Key) }

func seeKey(k Key) []string {
	kind := strings.ToLower(k.Kind)
	in := ""
	if k.Namespace != "" {
		in = " -n " + k.Namespace
	}
	switch (Kind{k.Group, k.Kind}) {
	case Kustomization, HelmRelease:
		return []string{"flux get " + kind + in + " " + k.Name, "hearth tree " + kind + "/" + k.Name + in}
	case Pod:
		return []string{"kubectl describe pod" + in + " " + k.Name, "kubectl logs" + in + " " + k.Name + " --previous"}
	}
	return []string{"kubectl describe " + kind + in + " " + k.Name}
}

// Show returns the commands that show objects, the first ones first.
func Show(keys ...Key) []string {
	var list []string
	for _, k := range keys {
		list = append(list, seeKey(k)...)
	}
	return list
}

// quote makes a command safe to be copied: names may be anything in a message.
func quote(command, context string) string {
	words := strings.Fields(command)
	for i, word := range words {
		if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@+") != "" {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	if context != "" {
		words = append(words, "--context", context)
	}
	return strings.Join(words, " ")
}
