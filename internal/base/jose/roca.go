package jose

import "math/big"

// rocaPrimes are the small primes by which RSA keys of one maker's chips give
// themselves away: modulo each, their modulus is a power of 65537 (CVE-2017-15361,
// "The Return of Coppersmith's Attack", section 2). By chance that happens to
// one key in 2^154.
var rocaPrimes = []int64{
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83,
	89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
}

// roca says whether a modulus is of that kind, so that its key can be factored.
func roca(n *big.Int) bool {
	for _, p := range rocaPrimes {
		left := new(big.Int).Mod(n, big.NewInt(p)).Int64()
		power, among := int64(1), false
		for range p {
			among = among || power == left
			power = power * 65537 % p
		}
		if !among {
			return false
		}
	}
	return true
}
