package repo

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

func (c Config) validate() error {
	var problems []error
	report := func(message string, path ...string) {
		problems = append(problems, configProblem(c.line(path...), message))
	}
	inRepository := func(value string, path ...string) {
		if !local(value) {
			report(fmt.Sprintf("%s %q leads out of the repository", path[len(path)-1], value), path...)
		}
	}
	inRepository(c.Vault, "vault")
	for url, target := range c.Sources {
		if !strings.HasPrefix(target, "hearth:") {
			inRepository(target, "sources", url)
		}
	}
	checkNodes(c.Nodes, report, "nodes")
	checkNetworks("address pool", c.AddressPool, report, "addressPool")
	for name, cluster := range c.Clusters {
		at := []string{"clusters", name}
		inRepository(cluster.Path, append(at, "path")...)
		inRepository(cluster.Vault, append(at, "vault")...)
		inRepository(cluster.Bootstrap, append(at, "bootstrap")...)
		if cluster.Entry != nil {
			inRepository(cluster.Entry.Path, append(at, "entry", "path")...)
		}
		if cluster.Path == "" && (cluster.Entry == nil || cluster.Entry.Path == "") {
			report(fmt.Sprintf("cluster %q needs a path", name), at...)
		}
		checkNetworks("network", cluster.Networks, report, append(at, "networks")...)
		checkNetworks("address pool", cluster.AddressPool, report, append(at, "addressPool")...)
		checkNodes(cluster.Nodes, report, append(at, "nodes")...)
	}
	c.checkJudgement(report)
	return joinSorted(problems)
}

func checkNetworks(what string, networks []string, report func(string, ...string), at ...string) {
	for i, network := range networks {
		if _, err := netip.ParsePrefix(network); err != nil {
			report(fmt.Sprintf("%s %q is no CIDR such as 10.0.0.0/16", what, network), append(append([]string(nil), at...), strconv.Itoa(i))...)
		}
	}
}

// maxDevices is how many devices one ResourceSlice can list.
const maxDevices = 128

func checkNodes(nodes []Node, report func(string, ...string), at ...string) {
	names := map[string]bool{}
	for i, n := range nodes {
		item := append(append([]string(nil), at...), strconv.Itoa(i))
		switch {
		case n.Name == "":
			report("a node needs a name", item...)
		case names[n.Name]:
			report(fmt.Sprintf("node %q is listed twice", n.Name), item...)
		}
		names[n.Name] = true
		for driver, count := range n.Devices {
			if count > maxDevices {
				report(fmt.Sprintf("node %q has %d devices of %s: give it 0 to %d", n.Name, count, driver, maxDevices), append(item, "devices", driver)...)
			}
		}
	}
}
