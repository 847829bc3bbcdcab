package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A file of places that is none keeps the server from starting, before it has
// written anything, and says so in one line.
func TestAWrongFileOfPlacesRefusesToStart(t *testing.T) {
	wrong := filepath.Join(t.TempDir(), "places.mmdb")
	if err := os.WriteFile(wrong, []byte("Madrid"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	_, err := build(t.Context(), Config{Issuer: "http://localhost:8400", Development: true, Data: data, Database: "sqlite://" + data + "/doorward.db", GeoFile: wrong}, time.Now, slog.New(slog.DiscardHandler))
	if err == nil || err.Error() != "geo_file: "+wrong+" is no MaxMind database" || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(data); len(left) > 0 {
		t.Errorf("it wrote %v", left)
	}
}
