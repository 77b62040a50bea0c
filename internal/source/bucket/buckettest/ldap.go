package buckettest

import (
	"encoding/xml"
	"net/http"
	"time"
)

// LDAP is a Security Token Service that gives one set of keys to one user.
type LDAP struct {
	Username, Password          string
	AccessKey, SecretKey, Token string
}

type ldapAnswer struct {
	XMLName     xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithLDAPIdentityResponse"`
	Credentials struct {
		AccessKey    string    `xml:"AccessKeyId"`
		SecretKey    string    `xml:"SecretAccessKey"`
		Expiration   time.Time `xml:"Expiration"`
		SessionToken string    `xml:"SessionToken"`
	} `xml:"AssumeRoleWithLDAPIdentityResult>Credentials"`
}

// ServeHTTP is http.Handler's.
func (l LDAP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.FormValue("Action") != "AssumeRoleWithLDAPIdentity" ||
		r.FormValue("LDAPUsername") != l.Username || r.FormValue("LDAPPassword") != l.Password {
		fail(w, r, http.StatusForbidden, "AccessDenied", "Access denied")
		return
	}
	var a ldapAnswer
	a.Credentials.AccessKey, a.Credentials.SecretKey, a.Credentials.SessionToken = l.AccessKey, l.SecretKey, l.Token
	a.Credentials.Expiration = time.Now().Add(time.Hour)
	answer(w, a)
}
