// Package geo says roughly where a network address is, from a file that the
// operator has: a MaxMind database, of MaxMind's own schema or the flat one.
// Nobody else is asked.
package geo

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"unicode/utf8"

	"github.com/oschwald/maxminddb-golang/v2"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/doorward/doorward/internal/core/risk"
)

// A File is an open database.
type File struct{ reader *maxminddb.Reader }

// looked is how many networks Open looks at to find one that has a place.
const looked = 10_000

// Open opens a database and holds that it is one of places.
func Open(path string) (*File, error) {
	r, err := maxminddb.Open(path)
	if err != nil {
		var form maxminddb.InvalidDatabaseError
		if errors.As(err, &form) {
			return nil, fmt.Errorf("geo_file: %s is no MaxMind database", path)
		}
		return nil, fmt.Errorf("geo_file: %w", err)
	}
	f, n := &File{r}, 0
	for network := range r.Networks() {
		if f.read(network) != (risk.Place{}) {
			return f, nil
		}
		if n++; n == looked {
			break
		}
	}
	_ = r.Close()
	return nil, fmt.Errorf("geo_file: %s has no places: it needs countries or cities", path)
}

// Close lets go of the file.
func (f *File) Close() error { return f.reader.Close() }

// Place finds the place of an address; the zero Place when the file has none,
// as for private addresses.
func (f *File) Place(a netip.Addr) risk.Place {
	if !a.IsValid() {
		return risk.Place{}
	}
	return f.read(f.reader.Lookup(a.Unmap().WithZone("")))
}

// textAtMost bounds a name of the file.
const textAtMost = 100

// read takes what is there of one record. The two schemas name the same
// things at different depths, so it is read as it comes.
func (f *File) read(r maxminddb.Result) (p risk.Place) {
	var record map[string]any
	if !r.Found() || r.Decode(&record) != nil {
		return risk.Place{}
	}
	p.City = text(record, "city")
	if p.City == "" {
		p.City = text(record, "city", "names", "en")
	}
	if p.Country = text(record, "country_code"); p.Country == "" {
		p.Country = text(record, "country", "iso_code")
	}
	if region, err := language.ParseRegion(p.Country); err == nil && len(p.Country) == 2 {
		p.Land = display.English.Regions().Name(region)
	} else {
		p.Country = ""
	}
	lat, ok1 := number(record, "latitude")
	lon, ok2 := number(record, "longitude")
	if !ok1 || !ok2 {
		lat, ok1 = number(record, "location", "latitude")
		lon, ok2 = number(record, "location", "longitude")
	}
	if ok1 && ok2 && math.Abs(lat) <= 90 && math.Abs(lon) <= 180 {
		p.Lat, p.Lon = tenth(lat), tenth(lon)
	}
	return p
}

func tenth(x float64) float64 { return math.Round(x*10) / 10 }

func at(record map[string]any, path []string) any {
	for _, name := range path[:len(path)-1] {
		record, _ = record[name].(map[string]any)
	}
	return record[path[len(path)-1]]
}

func text(record map[string]any, path ...string) string {
	s, _ := at(record, path).(string)
	if len(s) > textAtMost || !utf8.ValidString(s) {
		return ""
	}
	return s
}

func number(record map[string]any, path ...string) (float64, bool) {
	switch n := at(record, path).(type) {
	case float64:
		return n, true
	case float32:
		return float64(n), true
	}
	return 0, false
}
