//go:build ignore

// This program makes common.bin, the list of common passwords, from a text
// file that has one password a line, the most frequent first:
//
//	COMMON_PASSWORD_LIST=/path/to/list.txt go generate ./internal/core/factor
//
// Without a list it leaves common.bin as it is.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"log"
	"os"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/doorward/doorward/internal/core/factor"
)

const (
	entries  = 100_000 // the most frequent ones
	shortest = 8       // code points; no policy allows less
	long     = 15      // of these, all: most policies allow nothing shorter
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("common_gen: ")
	list := flag.String("list", "", "text file, one password a line, most frequent first")
	out := flag.String("out", "common.bin", "file to write")
	flag.Parse()
	if *list == "" {
		log.Print("no list given, nothing made")
		return
	}
	keys, err := read(*list)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, bytes.Join(keys, nil), 0o644); err != nil {
		log.Fatal(err)
	}
	log.Printf("%d entries, %d bytes", len(keys), len(keys)*factor.CommonKeySize)
}

// read returns the sorted keys of the passwords to list.
func read(name string) ([][]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	seen := map[[factor.CommonKeySize]byte]bool{}
	var keys [][]byte
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if !utf8.Valid(lines.Bytes()) {
			continue // nobody can type it
		}
		password := norm.NFC.String(lines.Text())
		points := utf8.RuneCountInString(password)
		if points < shortest || len(keys) >= entries && points < long {
			continue
		}
		if key := factor.CommonKey(password); !seen[key] {
			seen[key] = true
			keys = append(keys, key[:])
		}
	}
	slices.SortFunc(keys, bytes.Compare)
	return keys, lines.Err()
}
