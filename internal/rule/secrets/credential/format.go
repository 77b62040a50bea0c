package credential

import (
	"encoding/base64"
	"regexp"
	"strings"
)

// known are the formats in which services hand out credentials. Part is what
// every value of the format holds, looked for first since it is quick to find.
var known = []struct {
	what, part string
	pattern    *regexp.Regexp
}{
	{"a private key", "PRIVATE KEY-----", regexp.MustCompile(`-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----`)},
	{"a private key of age", "AGE-SECRET-KEY-1", regexp.MustCompile(`AGE-SECRET-KEY-1[0-9A-Z]{50,}`)},
	{"an access key of AWS", "AKIA", regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`)},
	{"an access key of AWS", "ASIA", regexp.MustCompile(`\bASIA[0-9A-Z]{16}\b`)},
	{"a GitHub token", "gh", regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{36,}\b`)},
	{"a GitHub token", "github_pat_", regexp.MustCompile(`\bgithub_pat_[A-Za-z0-9_]{50,}\b`)},
	{"a GitLab token", "glpat-", regexp.MustCompile(`\bglpat-[\w-]{20,}`)},
	{"a Slack token", "xox", regexp.MustCompile(`\bxox[abeprs]-[A-Za-z0-9-]{16,}`)},
	{"the URL of a Slack webhook", "hooks.slack.com/services/", regexp.MustCompile(`hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{16,}`)},
	{"the URL of a Discord webhook", "/api/webhooks/", regexp.MustCompile(`discord(app)?\.com/api/webhooks/\d{10,}/[\w-]{40,}`)},
	{"a Telegram token", ":AA", regexp.MustCompile(`\b\d{8,10}:AA[\w-]{32,}`)},
	{"a Stripe key", "k_live_", regexp.MustCompile(`\b[sr]k_live_[0-9a-zA-Z]{20,}`)},
	{"a Google API key", "AIza", regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}`)},
	{"a SendGrid key", "SG.", regexp.MustCompile(`\bSG\.[\w-]{20,}\.[\w-]{30,}`)},
	{"a key of an AI service", "sk-", regexp.MustCompile(`\bsk-(ant-|proj-|or-v1-)?[A-Za-z0-9_-]{32,}`)},
	{"a Tailscale key", "tskey-", regexp.MustCompile(`\btskey-[a-z]+-[A-Za-z0-9]+-[A-Za-z0-9]{16,}`)},
	{"an npm token", "npm_", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`)},
	{"a Docker Hub token", "dckr_pat_", regexp.MustCompile(`\bdckr_pat_[\w-]{20,}`)},
	{"a DigitalOcean token", "dop_v1_", regexp.MustCompile(`\bdop_v1_[a-f0-9]{64}\b`)},
	{"a Grafana token", "glsa_", regexp.MustCompile(`\bglsa_[A-Za-z0-9]{32}_[a-f0-9]{8}\b`)},
	{"a 1Password service account token", "ops_eyJ", regexp.MustCompile(`\bops_eyJ[\w-]{40,}`)},
	{"a Cloudflare tunnel token", "eyJhIjoi", regexp.MustCompile(`\beyJhIjoi[A-Za-z0-9+/=_-]{80,}`)},
	{"a JSON Web Token", "eyJ", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}`)},
}

// format returns what a text holds that has the format of a credential, or "".
func format(text string) string {
	if len(text) < shortest {
		return ""
	}
	for _, k := range known {
		if !strings.Contains(text, k.part) {
			continue
		}
		if found := k.pattern.FindString(text); found != "" && !isExample(found) {
			return k.what
		}
	}
	if holdsEncodedKey(text) {
		return "a private key"
	}
	if urlHoldsPassword(text) {
		return "the password in a URL"
	}
	return ""
}

// isExample reports whether a value is one that manuals print.
func isExample(text string) bool {
	upper := strings.ToUpper(text)
	return strings.Contains(upper, "EXAMPLE") || strings.Contains(upper, "XXXXXX") || strings.Contains(upper, "0000000000")
}

var encodedPEM = regexp.MustCompile(`LS0tLS1CRUdJTi[A-Za-z0-9+/]+`)

// holdsEncodedKey reports whether a text holds a private key in base64, as
// kubeconfigs and the configuration of Talos do.
func holdsEncodedKey(text string) bool {
	if !strings.Contains(text, "LS0tLS1CRUdJTi") {
		return false
	}
	for _, encoded := range encodedPEM.FindAllString(text, -1) {
		start, _ := base64.RawStdEncoding.DecodeString(encoded[:min(len(encoded), 64)/4*4])
		if strings.Contains(string(start), "PRIVATE KEY-----") {
			return true
		}
	}
	return false
}

var withPassword = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'<>]*:([^\s/@"'<>]+)@[\w\[{$][\w.-]*`)

// urlHoldsPassword reports whether a text holds a URL with a password that is
// written out.
func urlHoldsPassword(text string) bool {
	if !strings.Contains(text, "://") || !strings.Contains(text, "@") {
		return false
	}
	for _, m := range withPassword.FindAllStringSubmatch(text, -1) {
		if value := m[1]; !isExample(m[0]) && !StandsIn(value) && !strings.HasPrefix(value, "$") && !strings.HasPrefix(value, "{") {
			return true
		}
	}
	return false
}
