package proxy

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// cors answers preflights, and tells browsers what pages of other origins may
// see.
func cors(f *gatewayv1.HTTPCORSFilter) filter {
	return func(x *exchange) bool {
		origin := x.incoming.Header.Get("Origin")
		if origin == "" {
			return false
		}
		allowed := slices.ContainsFunc(f.AllowOrigins, func(o gatewayv1.CORSOrigin) bool { return originMatches(string(o), origin) })
		preflight := x.incoming.Method == http.MethodOptions && x.incoming.Header.Get("Access-Control-Request-Method") != ""
		if !preflight {
			x.response = append(x.response, func(h http.Header) {
				removeCORS(h)
				if allowed {
					allowOrigin(h, f, origin)
				}
			})
			return false
		}
		w := x.reply()
		if allowed {
			preflightHeaders(w.Header(), f, x.incoming.Header, origin)
		}
		w.WriteHeader(http.StatusNoContent)
		return true
	}
}

// removeCORS removes what the backend says of its own: the route decides.
func removeCORS(h http.Header) {
	for name := range h {
		if strings.HasPrefix(http.CanonicalHeaderKey(name), "Access-Control-") {
			delete(h, name)
		}
	}
}

// allowOrigin lets an origin see the answer. The wildcard stands only where no
// credentials are sent.
func allowOrigin(h http.Header, f *gatewayv1.HTTPCORSFilter, origin string) {
	credentials := f.AllowCredentials != nil && *f.AllowCredentials
	if slices.Contains(f.AllowOrigins, "*") && !credentials {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	setList(h, "Access-Control-Expose-Headers", f.ExposeHeaders)
}

func preflightHeaders(h http.Header, f *gatewayv1.HTTPCORSFilter, asked http.Header, origin string) {
	allowOrigin(h, f, origin)
	if slices.Contains(f.AllowMethods, "*") {
		h.Set("Access-Control-Allow-Methods", asked.Get("Access-Control-Request-Method"))
	} else {
		setList(h, "Access-Control-Allow-Methods", f.AllowMethods)
	}
	if slices.Contains(f.AllowHeaders, "*") {
		if headers := asked.Get("Access-Control-Request-Headers"); headers != "" {
			h.Set("Access-Control-Allow-Headers", headers)
		}
	} else {
		setList(h, "Access-Control-Allow-Headers", f.AllowHeaders)
	}
	if f.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(f.MaxAge)))
	}
}

func setList[T ~string](h http.Header, name string, values []T) {
	if len(values) == 0 {
		return
	}
	var list []string
	for _, v := range values {
		list = append(list, string(v))
	}
	h.Set(name, strings.Join(list, ", "))
}

// originMatches reports whether an origin is one that a filter allows, whose
// host may begin with a wildcard label.
func originMatches(pattern, origin string) bool {
	if pattern == "*" || strings.EqualFold(pattern, origin) {
		return true
	}
	before, after, ok := strings.Cut(strings.ToLower(pattern), "*")
	origin = strings.ToLower(origin)
	return ok && len(origin) > len(before)+len(after) && strings.HasPrefix(origin, before) && strings.HasSuffix(origin, after)
}
