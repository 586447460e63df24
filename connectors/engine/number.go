package engine

import (
	"math/big"
	"strings"
)

// isDecimal reports whether a text is a decimal as the API shows one: -?digits(.digits)?
func isDecimal[S string | []byte](s S) bool {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := digits(s, i)
	if whole == i {
		return false
	}
	if whole == len(s) {
		return true
	}
	if s[whole] != '.' {
		return false
	}
	end := digits(s, whole+1)
	return end == len(s) && end > whole+1
}

// digits gives the index after the digits that begin at i.
func digits[S string | []byte](s S, i int) int {
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

// maxExponent bounds what 1E+9999 may expand to.
const maxExponent = 60

// toDecimal rewrites other spellings: " 12.50", ".5", "+5", "1.5E+3".
func toDecimal(s string) (string, bool) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "+")
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(s), "e")
	negative := strings.HasPrefix(mantissa, "-")
	mantissa = strings.TrimPrefix(mantissa, "-")
	if strings.HasPrefix(mantissa, ".") {
		mantissa = "0" + mantissa
	}
	mantissa = strings.TrimSuffix(mantissa, ".")
	if strings.HasPrefix(mantissa, "-") || !isDecimal(mantissa) {
		return "", false
	}
	if scientific {
		shift, ok := new(big.Int).SetString(strings.TrimPrefix(exponent, "+"), 10)
		if !ok || shift.CmpAbs(big.NewInt(maxExponent)) > 0 {
			return "", false
		}
		mantissa = shiftPoint(mantissa, int(shift.Int64()))
	}
	if negative {
		mantissa = "-" + mantissa
	}
	return mantissa, true
}

// shiftPoint moves the decimal point to the right, or to the left by a negative shift.
func shiftPoint(s string, shift int) string {
	whole, fraction, _ := strings.Cut(s, ".")
	all, point := whole+fraction, len(whole)+shift
	if point <= 0 {
		all, point = strings.Repeat("0", 1-point)+all, 1
	}
	if point > len(all) {
		all += strings.Repeat("0", point-len(all))
	}
	out := strings.TrimLeft(all[:point], "0")
	if out == "" {
		out = "0"
	}
	if rest := all[point:]; rest != "" {
		out += "." + rest
	}
	return out
}

// wholeNumber gives the digits of a decimal without fraction: "12", "12.00". Zeros before them, as systems fill texts with, go: JSON has no
// number that begins so.
func wholeNumber(s string) (string, bool) {
	d, ok := toDecimal(s)
	if !ok {
		return "", false
	}
	whole, fraction, _ := strings.Cut(d, ".")
	digits, negative := strings.CutPrefix(whole, "-")
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		digits, negative = "0", false
	}
	if whole = digits; negative {
		whole = "-" + digits
	}
	return whole, strings.Trim(fraction, "0") == ""
}
