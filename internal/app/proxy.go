package app

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// parseProxies reads the addresses and networks of the proxies in front.
func parseProxies(texts []string) ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			proxies = append(proxies, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("trusted proxy %q is neither an address nor a network", text)
		}
		proxies = append(proxies, prefix)
	}
	return proxies, nil
}

// behind gives each request the address of whoever sent it to the outermost
// trusted proxy: without that, limits on guessing would meet everybody at once,
// and with X-Forwarded-For believed from anybody, nobody.
func behind(proxies []netip.Prefix, next http.Handler) http.Handler {
	if len(proxies) == 0 {
		return next
	}
	trusted := func(text string) bool {
		address, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			return false
		}
		for _, p := range proxies {
			if p.Contains(address.Unmap()) {
				return true
			}
		}
		return false
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, port, err := net.SplitHostPort(r.RemoteAddr)
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; err == nil && i >= 0 && trusted(host); i-- {
			hop, bad := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if bad != nil {
				break
			}
			host = hop.Unmap().String()
		}
		if err == nil {
			r.RemoteAddr = net.JoinHostPort(host, port)
		}
		next.ServeHTTP(w, r)
	})
}
