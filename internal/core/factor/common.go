package factor

import (
	"crypto/sha256"
	_ "embed"
	"unicode/utf8"
)

//go:generate go run common_gen.go -list=$COMMON_PASSWORD_LIST

// commonKeys is the list of common passwords: the CommonKey of each, sorted,
// end to end. SOURCE.md says where they come from.
//
//go:embed common.bin
var commonKeys string

// CommonKeySize is the length of a CommonKey in bytes. With 40 bits and about
// 110,000 entries, one good password in ten million is called common by
// accident.
const CommonKeySize = 5

// CommonKey returns what stands for a password in the list: the first bytes of
// the SHA-256 of its case-folded normal form, which the caller passes. It is
// exported for the program that makes the list.
func CommonKey(nfc string) (key [CommonKeySize]byte) {
	var buf [256]byte // on the stack for all but the longest
	folded := buf[:0]
	for _, r := range nfc {
		folded = utf8.AppendRune(folded, foldRune(r))
	}
	sum := sha256.Sum256(folded)
	copy(key[:], sum[:])
	return key
}

// common reports whether a password, in normal form, is on the list.
func common(nfc string) bool { return listed(CommonKey(nfc)) }

func listed(key [CommonKeySize]byte) bool {
	low, high := 0, len(commonKeys)/CommonKeySize
	for low < high {
		mid := int(uint(low+high) >> 1)
		at := commonKeys[mid*CommonKeySize : (mid+1)*CommonKeySize]
		switch {
		case at == string(key[:]):
			return true
		case at < string(key[:]):
			low = mid + 1
		default:
			high = mid
		}
	}
	return false
}
