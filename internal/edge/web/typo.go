package web

import "strings"

// common are domains of mailboxes that many people have, and their misspellings people make.
var common = map[string][]string{
	"gmail.com":      {"gmial.com", "gmai.com", "gamil.com", "gmail.co", "gmail.con", "gnail.com", "gmal.com", "gmaill.com"},
	"outlook.com":    {"outlok.com", "outloo.com", "outlook.co", "outlook.con"},
	"hotmail.com":    {"hotmial.com", "hotmai.com", "hotmail.co", "hotmail.con", "hotnail.com"},
	"yahoo.com":      {"yaho.com", "yahooo.com", "yahoo.co", "yahoo.con"},
	"icloud.com":     {"iclod.com", "icloud.co", "icloud.con"},
	"protonmail.com": {"protonmial.com", "protonmai.com"},
}

// meant is the domain that somebody who typed an address may have meant; mostly nothing. It is asked, never corrected.
func meant(email string) string {
	_, domain, _ := strings.Cut(strings.ToLower(email), "@")
	for right, wrong := range common {
		for _, w := range wrong {
			if domain == w {
				return right
			}
		}
	}
	return ""
}
