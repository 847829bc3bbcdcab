package risk

import (
	"math"
	"testing"
)

func TestHowFarPlacesAreApart(t *testing.T) {
	madrid, hanoi, girona := Place{Lat: 40.4, Lon: -3.7}, Place{Lat: 21.0, Lon: 105.8}, Place{Lat: 42.0, Lon: 2.8}
	for _, test := range []struct {
		a, b Place
		km   float64
	}{{madrid, madrid, 0}, {madrid, hanoi, 10040}, {hanoi, madrid, 10040}, {madrid, girona, 570}, {Place{Lat: 0, Lon: 179.9}, Place{Lat: 0, Lon: -179.9}, 22}, {Place{Lat: 90}, Place{Lat: -90}, 20015}} {
		if got := Apart(test.a, test.b); math.Abs(got-test.km) > 20 || math.IsNaN(got) {
			t.Errorf("%v to %v: %.0f km, want %.0f", test.a, test.b, got, test.km)
		}
	}
	if (Place{}).Known() || (Place{Country: "ES"}).Known() || !madrid.Known() {
		t.Error("what is nowhere can be measured from")
	}
}
