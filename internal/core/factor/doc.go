// Package factor is about the ways a person proves to be themselves: what
// enrolling each of them takes and what using it proves.
//
// Everything here is a function of its arguments. Salts, clocks and records
// come from the caller, verdicts go back as values, and the zero value of a
// verdict never trusts.
package factor
