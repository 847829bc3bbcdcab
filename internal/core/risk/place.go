package risk

import "math"

// A Place is where a network address roughly is. The zero value is nowhere.
type Place struct {
	City    string
	Country string // ISO 3166-1 alpha-2
	Land    string // the country's name, in English
	// Lat and Lon are rounded to a tenth of a degree, eleven kilometres: finer
	// would be a promise that no such file keeps.
	Lat, Lon float64
}

// String is the place in words: "Madrid, ES", "ES", or nothing.
func (p Place) String() string {
	if p.City != "" && p.Country != "" {
		return p.City + ", " + p.Country
	}
	return p.City + p.Country
}

// Known says whether a place can be measured from.
func (p Place) Known() bool { return p != Place{} && (p.Lat != 0 || p.Lon != 0) }

// Apart is how far two known places are from each other on the earth's surface,
// in kilometres.
func Apart(a, b Place) float64 {
	rad := func(deg float64) float64 { return deg * math.Pi / 180 }
	hav := func(x float64) float64 { return (1 - math.Cos(x)) / 2 }
	h := hav(rad(a.Lat-b.Lat)) + math.Cos(rad(a.Lat))*math.Cos(rad(b.Lat))*hav(rad(a.Lon-b.Lon))
	return 2 * 6371 * math.Asin(math.Sqrt(min(h, 1)))
}
