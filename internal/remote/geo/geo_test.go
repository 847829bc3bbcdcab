package geo

import (
	"encoding/binary"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core/risk"
)

type record = map[string]any

// pack is a value in the MaxMind DB format, section "Data field format".
func pack(v any) (b []byte) {
	head := func(kind, size int) []byte {
		var out []byte
		if kind > 7 {
			out = []byte{0, byte(kind - 7)}
		} else {
			out = []byte{byte(kind << 5)}
		}
		if size < 29 {
			out[0] |= byte(size)
			return out
		}
		out[0] |= 29
		return append(out, byte(size-29))
	}
	switch v := v.(type) {
	case string:
		return append(head(2, len(v)), v...)
	case float64:
		return binary.BigEndian.AppendUint64(head(3, 8), math.Float64bits(v))
	case uint16:
		return append(head(5, 2), byte(v>>8), byte(v))
	case uint32:
		return binary.BigEndian.AppendUint32(head(6, 4), v)
	case uint64:
		return binary.BigEndian.AppendUint64(head(9, 8), v)
	case []string:
		b = head(11, len(v))
		for _, x := range v {
			b = append(b, pack(x)...)
		}
		return b
	case record:
		b = head(7, len(v))
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			b = append(append(b, pack(name)...), pack(v[name])...)
		}
		return b
	}
	panic("no such type")
}

// database is a whole file of networks, in 24-bit nodes over IPv6.
func database(kind string, networks map[string]record) []byte {
	type node [2]int // another node, or -1-offset of data; 0 is nothing
	nodes := []node{{}}
	var data []byte
	for text, r := range networks {
		p := netip.MustParsePrefix(text)
		bits, addr := p.Bits(), p.Addr().As16()
		if p.Addr().Is4() {
			v4 := p.Addr().As4()
			addr, bits = [16]byte{}, bits+96
			copy(addr[12:], v4[:])
		}
		at := 0
		for i := range bits {
			side := int(addr[i/8]>>(7-i%8)) & 1
			if i == bits-1 {
				nodes[at][side] = -1 - len(data)
				break
			}
			if nodes[at][side] <= 0 {
				nodes = append(nodes, node{})
				nodes[at][side] = len(nodes) - 1
			}
			at = nodes[at][side]
		}
		data = append(data, pack(r)...)
	}
	var out []byte
	for _, n := range nodes {
		for _, x := range n {
			switch {
			case x == 0:
				x = len(nodes)
			case x < 0:
				x = len(nodes) + 16 + -1 - x
			}
			out = append(out, byte(x>>16), byte(x>>8), byte(x))
		}
	}
	out = append(append(out, make([]byte, 16)...), data...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	return append(out, pack(record{"node_count": uint32(len(nodes)), "record_size": uint16(24), "ip_version": uint16(6), "database_type": kind,
		"languages": []string{"en"}, "binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(1_790_000_000),
		"description": record{"en": "made by a test"}})...)
}

func written(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "places.mmdb")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Both schemas are read, coarsely, and an address that is nowhere is nowhere.
func TestPlace(t *testing.T) {
	f, err := Open(written(t, database("Test-City", map[string]record{
		"203.0.113.0/24":  {"city": "Madrid", "country_code": "ES", "latitude": 40.41678, "longitude": -3.70379},
		"198.51.100.0/24": {"city": record{"names": record{"en": "Hanoi", "de": "Hanoi"}}, "country": record{"iso_code": "VN"}, "location": record{"latitude": 21.0245, "longitude": 105.84117}},
		"192.0.2.0/25":    {"country": record{"iso_code": "FR"}},
		"192.0.2.128/25":  {"country_code": "not a country", "city": strings.Repeat("x", 200), "latitude": 400.0, "longitude": 0.0},
		"2001:db8::/32":   {"city": "Lyon", "country_code": "FR", "latitude": 45.76, "longitude": 4.84},
	})))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for address, want := range map[string]risk.Place{
		"203.0.113.7":        {City: "Madrid", Country: "ES", Land: "Spain", Lat: 40.4, Lon: -3.7},
		"::ffff:203.0.113.7": {City: "Madrid", Country: "ES", Land: "Spain", Lat: 40.4, Lon: -3.7},
		"198.51.100.200":     {City: "Hanoi", Country: "VN", Land: "Vietnam", Lat: 21, Lon: 105.8},
		"192.0.2.1":          {Country: "FR", Land: "France"},
		"192.0.2.200":        {},
		"2001:db8::1":        {City: "Lyon", Country: "FR", Land: "France", Lat: 45.8, Lon: 4.8},
		"10.0.0.1":           {},
		"fe80::1%eth0":       {},
	} {
		if got := f.Place(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is in %+v, want %+v", address, got, want)
		}
	}
	if got := f.Place(netip.Addr{}); got != (risk.Place{}) {
		t.Errorf("no address is in %v", got)
	}
	for want, p := range map[string]risk.Place{"Madrid, ES": {City: "Madrid", Country: "ES"}, "ES": {Country: "ES"}, "Madrid": {City: "Madrid"}, "": {}} {
		if p.String() != want {
			t.Errorf("%+v is %q", p, p)
		}
	}
}

// A file that cannot be used refuses with one line that names it.
func TestWrongFiles(t *testing.T) {
	whole := database("Test-ASN", map[string]record{"203.0.113.0/24": {"autonomous_system_number": uint32(64500)}})
	for what, path := range map[string]string{
		"is no MaxMind database": written(t, []byte("Madrid, ES\n")),
		"no such file":           filepath.Join(t.TempDir(), "missing.mmdb"),
		"has no places":          written(t, whole),
		"no MaxMind database":    written(t, whole[:len(whole)/2]),
	} {
		_, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), what) || !strings.HasPrefix(err.Error(), "geo_file: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", what, err)
		}
	}
}

// Whatever a file holds, reading it neither fails nor says what is no text.
func FuzzRead(f *testing.F) {
	whole := database("Test-City", map[string]record{"203.0.113.0/24": {"city": "Madrid", "country_code": "ES", "latitude": 40.4, "longitude": -3.7}})
	f.Add(len(whole)/2, byte(3))
	f.Fuzz(func(t *testing.T, at int, by byte) {
		b := slices.Clone(whole)
		b[((at%len(b))+len(b))%len(b)] ^= by
		file, err := Open(written(t, b))
		if err != nil {
			return
		}
		defer file.Close()
		if p := file.Place(netip.MustParseAddr("203.0.113.7")); len(p.String()) > 2*textAtMost || strings.ToValidUTF8(p.String(), "") != p.String() {
			t.Errorf("%q", p)
		}
	})
}
