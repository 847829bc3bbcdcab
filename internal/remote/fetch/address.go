package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
)

// ErrAddress says that an address is none that this server calls.
var ErrAddress = errors.New("fetch: not an address that is called from here")

// longest is more than any address of a document that was ever registered.
const longest = 2048

// target reads an address: https or http, a host in its usual spelling, no
// user, no fragment. Numbers that only some resolvers take for an address
// (2130706433, 0x7f.1, 127.1) are none.
func target(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || len(address) > longest {
		return nil, ErrAddress
	}
	host := u.Hostname()
	if u.Scheme != "https" && u.Scheme != "http" || u.Opaque != "" || u.User != nil || host == "" || u.Fragment != "" || strings.ContainsAny(address, "\\#") {
		return nil, ErrAddress
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" {
			return nil, ErrAddress
		}
		return u, nil
	}
	// The last label says whether a host is meant as a number (WHATWG URL,
	// "ends in a number"): then it would have to be an address, and is none.
	last := strings.TrimSuffix(host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	if last == "" || last[0] >= '0' && last[0] <= '9' {
		return nil, ErrAddress
	}
	return u, nil
}

func networks(texts ...string) (out []netip.Prefix) {
	for _, s := range texts {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

var (
	// Of IPv6 only the range that is given out globally is called (IANA IPv6
	// address space): loopback, mapped, link-local and private are outside it.
	global6 = netip.MustParsePrefix("2000::/3")
	// The well-known prefix of NAT64 holds an IPv4 address in its last four
	// bytes (RFC 6052 section 2.1).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
	// Networks with a purpose of their own (IANA special-purpose registries,
	// RFC 6890): nothing of the internet answers there.
	special = networks(
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
	)
)

// public says whether an address is one of the internet at large.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if a.Zone() != "" || !a.IsValid() {
		return false
	}
	if nat64.Contains(a) {
		b := a.As16()
		return public(netip.AddrFrom4([4]byte(b[12:])))
	}
	if a.Is6() && !global6.Contains(a) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}

func listed(allow []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// filter judges the address that is about to be connected to, after every name
// was resolved: what a name led to a moment ago does not count (DNS
// rebinding). Without TLS only listed addresses are called.
func filter(allow []netip.Prefix, plain bool) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !listed(allow, at.Addr()) && (plain || !public(at.Addr())) {
			return fmt.Errorf("%w: %s", ErrAddress, address)
		}
		return nil
	}
}
