package schema

import (
	"encoding/base64"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/strfmt"
)

// formats are those that the API server judges in custom kinds, and what they
// are called. It ignores all others.
var formats = map[string]string{
	"uri":          "URI",
	"email":        "e-mail address",
	"hostname":     "host name",
	"ipv4":         "IPv4 address",
	"ipv6":         "IPv6 address",
	"cidr":         "CIDR, such as 10.0.0.0/16",
	"mac":          "MAC address",
	"uuid":         "UUID",
	"uuid3":        "UUID",
	"uuid4":        "UUID",
	"uuid5":        "UUID",
	"hexcolor":     "colour, such as #FFFFFF",
	"rgbcolor":     "colour, such as rgb(255,255,255)",
	"byte":         "base64",
	"date":         "date, such as 2006-01-02",
	"date-time":    "time, such as 2006-01-02T15:04:05Z",
	"datetime":     "time, such as 2006-01-02T15:04:05Z",
	"duration":     "duration, such as 1h30m",
	"bsonobjectid": "BSON object id",
	"isbn":         "ISBN",
	"isbn10":       "ISBN",
	"isbn13":       "ISBN",
	"creditcard":   "credit card number",
	"ssn":          "social security number",
}

// malformed names what a text ought to be and is not; "" where all is well.
func (c *check) malformed(text string, n *node) string {
	name := formats[n.Format]
	if name == "" {
		return ""
	}
	if n.Format == "byte" && c.builtIn {
		// Go's decoder ignores line breaks.
		if _, err := base64.StdEncoding.DecodeString(text); err == nil {
			return ""
		}
		return name
	}
	if strfmt.Default.Validates(strings.ReplaceAll(n.Format, "-", ""), text) {
		return ""
	}
	return name
}
