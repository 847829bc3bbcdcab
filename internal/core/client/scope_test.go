package client

import "testing"

func TestWhatAScopeMayBeCalled(t *testing.T) {
	good := Scope{Name: "notes:read", Says: "read your notes"}
	if _, ok := good.Valid(); !ok {
		t.Error("a plain sentence is refused")
	}
	for says, bad := range map[string]Scope{
		"no name":        {Says: "x"},
		"two names":      {Name: "a b", Says: "x"},
		"no sentence":    {Name: "a"},
		"blank":          {Name: "a", Says: " "},
		"two lines":      {Name: "a", Says: "x\ny"},
		"turned around":  {Name: "a", Says: "x \u202e y"},
		"isolated":       {Name: "a", Says: "x \u2067 y"},
		"separated":      {Name: "a", Says: "x\u2028y"},
		"no text":        {Name: "a", Says: "\xff"},
		"too long":       {Name: "a", Says: string(make([]byte, 201))},
		"optional login": {Name: "openid", Says: "x", Optional: true},
	} {
		if _, ok := bad.Valid(); ok {
			t.Errorf("OAU-27: %s: %+v is accepted", says, bad)
		}
	}
	if _, ok := (Scope{Name: "a", Says: "<b>lies deine Notizen</b> \u200d یادداشت"}).Valid(); !ok {
		t.Error("a sentence in another script is refused")
	}
}

func FuzzScope(f *testing.F) {
	f.Add("notes:read", "read your notes")
	f.Fuzz(func(t *testing.T, name, says string) {
		s := Scope{Name: name, Says: says}
		if word, ok := s.Valid(); ok == (word != 0) {
			t.Errorf("%+v: %v, %v", s, word, ok)
		}
	})
}
