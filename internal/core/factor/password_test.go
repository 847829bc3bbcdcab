package factor

import (
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	words := ContextWords("Anna.Maria.Schmidt+news@mail.longcompanyname.example", "Doorward Single Sign-On", "Acme Ro\u0308hrenwerke GmbH")
	for _, try := range []struct {
		name, password string
		least          int
		want           Finding
	}{
		{"a phrase", "four words of nothing", 15, Fine},
		{"15 letters", "xkqvwzjyhgfbtpm", 15, Fine},
		{"14 letters", "xkqvwzjyhgfbtp", 15, TooShort},
		{"8 letters where 8 do", "xkqvwzjy", 8, Fine},
		{"empty", "", 8, TooShort},
		{"15 code points of 4 bytes", "🐎🔋📎🍏🎷🚲🌵🧦🪁🛶🧲🎻🦔🍋🪀", 15, Fine},
		{"14 code points of 4 bytes", "🐎🔋📎🍏🎷🚲🌵🧦🪁🛶🧲🎻🦔🍋", 15, TooShort},
		{"counted composed", strings.Repeat("e\u0301", 8), 15, TooShort},
		{"spaces count", "a b c d e f g h", 15, Fine},
		{"one letter again and again", strings.Repeat("xq", 30), 15, Fine},
		{"only digits, no rule of composition", "582039475610284", 15, Fine},
		{"256 code points", strings.Repeat("zq", 128), 15, Fine},
		{"257 code points", strings.Repeat("zq", 128) + "z", 15, TooLong},
		{"256 code points in 1,024 bytes", strings.Repeat("🐎🔋", 128), 15, Fine},
		{"1,024 bytes that compose to 120 code points", strings.Repeat("\u1100\u1161\u11a8", 113) + "zqzqzqz", 15, Fine},
		{"1,025 bytes that compose to 121 code points", strings.Repeat("\u1100\u1161\u11a8", 113) + "zqzqzqzq", 15, TooLong},
		{"a megabyte", strings.Repeat("z", 1<<20), 15, TooLong},
		{"a megabyte of no text", strings.Repeat("\xff", 1<<20), 15, TooLong},
		{"not UTF-8", "four words of \xff nothing", 15, NotText},
		{"half a surrogate", "four words of \xed\xa0\x80 nothing", 15, NotText},
		{"NUL", "four words of \x00 nothing", 15, NotText},
		{"line break is text", "four words of\nnothing", 15, Fine},
		{"common", "123456789qwerty", 15, Common},
		{"common, other case", "123456789QWERTY", 15, Common},
		{"common among the short", "iloveyou", 8, Common},
		{"common among the short, other case", "ILoveYou", 8, Common},
		{"common and more", "iloveyou, blue lamp", 15, Fine},
		{"own address", "anna.maria.schmidt+news@mail.longcompanyname.example", 15, ContextWord},
		{"local part", "Anna.Maria.Schmidt+News", 15, ContextWord},
		{"local part without tag", "ANNA.MARIA.SCHMIDT", 15, ContextWord},
		{"domain", "mail.longcompanyname.example", 15, ContextWord},
		{"label of the domain", "LongCompanyName", 15, ContextWord},
		{"product", "doorward single sign-on", 15, ContextWord},
		{"organization, composed", "acme r\u00f6hrenwerke GMBH", 15, ContextWord},
		{"holds the product", "my doorward single sign-on", 15, Fine},
	} {
		if got := Judge(try.password, try.least, words); got != try.want {
			t.Errorf("%s: %v, want %v", try.name, got, try.want)
		}
	}
}

func TestWordsOfNoAddress(t *testing.T) {
	for _, email := range []string{"", "@", "anna", "a@b@c"} {
		if got := Judge("four words of nothing", 15, ContextWords(email)); got != Fine {
			t.Errorf("%q: %v", email, got)
		}
	}
}

func TestZeroFindingIsNotFine(t *testing.T) {
	var f Finding
	if f == Fine {
		t.Error("a forgotten judgement would pass")
	}
}

// The list has what people choose most, whatever its case, and nothing that a
// generator makes.
func TestCommonPasswords(t *testing.T) {
	for _, p := range []string{
		"password", "12345678", "PASSWORD", "Password1", "qwertyuiop", "football", "1qaz2wsx", "trustno1",
		"123456789123456789", "1qaz2wsx3edc4rfv", "12345678901234567890", "qwerty123456789", "Q1W2E3R4T5Y6U7I8",
	} {
		if !IsCommon(p) {
			t.Errorf("%s is not on the list", p)
		}
	}
	for _, p := range []string{"", "zk4Vq0fM1x9sT7bW", "vivid-otter-lamp-harbour", "\xff", "password\x00"} {
		if IsCommon(p) {
			t.Errorf("%q is on the list", p)
		}
	}
}

// The search works only while the list is sorted and whole.
func TestListIsSortedAndWhole(t *testing.T) {
	if len(commonKeys)%CommonKeySize != 0 || len(commonKeys) < 100_000*CommonKeySize {
		t.Fatalf("%d bytes", len(commonKeys))
	}
	for i := CommonKeySize; i < len(commonKeys); i += CommonKeySize {
		if commonKeys[i-CommonKeySize:i] >= commonKeys[i:i+CommonKeySize] {
			t.Fatalf("entry %d is out of order", i/CommonKeySize)
		}
	}
	for _, i := range []int{0, len(commonKeys)/CommonKeySize - 1} {
		if !listed([CommonKeySize]byte([]byte(commonKeys[i*CommonKeySize : (i+1)*CommonKeySize]))) {
			t.Errorf("entry %d is not found", i)
		}
	}
}

func TestSearchAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { IsCommon("four words of nothing") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever the bytes: no panic, and what is fine stays within the bounds.
func FuzzJudge(f *testing.F) {
	f.Add("four words of nothing", "anna@example.com")
	f.Add("\xff\x00", "@")
	f.Add(strings.Repeat("e\u0301", 200), "")
	f.Fuzz(func(t *testing.T, password, email string) {
		if len(email) > 1024 {
			return // longer addresses never get this far
		}
		finding := Judge(password, 15, ContextWords(email))
		nfc, _ := normal(password)
		if n := len([]rune(nfc)); finding == Fine && (n < 15 || n > MaxPasswordPoints || len(password) > MaxPasswordBytes) {
			t.Fatalf("%q is fine with %d code points", password, n)
		}
		if again, _ := normal(nfc); finding == Fine && len(nfc) <= MaxPasswordBytes && again != nfc {
			t.Fatalf("normal form of %q is not stable", password)
		}
	})
}

func BenchmarkIsCommon(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		IsCommon("four words of nothing")
	}
}
