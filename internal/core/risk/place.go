package risk

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
