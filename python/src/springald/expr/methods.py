"""Functions of one argument as methods of an expression."""

# Written by tools/generate_functions.py, which `nox -s functions` runs: do not edit.

from typing import Self

__all__ = ["FunctionMethods"]


class FunctionMethods:
    """The methods that call a function with the expression as the only argument."""

    __slots__ = ()

    def abs(self) -> Self:
        """Returns the absolute value of a number.

        Example:
            >>> col("a").abs()
            Expr(abs(a))
        """
        return self._function("abs")

    def acos(self) -> Self:
        """Returns the arc cosine or inverse cosine of a number.

        Example:
            >>> col("a").acos()
            Expr(acos(a))
        """
        return self._function("acos")

    def acosh(self) -> Self:
        """Returns the area hyperbolic cosine or inverse hyperbolic cosine of a number.

        Example:
            >>> col("a").acosh()
            Expr(acosh(a))
        """
        return self._function("acosh")

    def array_dims(self) -> Self:
        """Returns an array of the array's dimensions.

        Example:
            >>> col("a").array_dims()
            Expr(array_dims(a))
        """
        return self._function("array_dims")

    def array_distinct(self) -> Self:
        """Returns distinct values from the array after removing duplicates.

        Example:
            >>> col("a").array_distinct()
            Expr(array_distinct(a))
        """
        return self._function("array_distinct")

    def array_empty(self) -> Self:
        """Returns 1 for an empty array or 0 for a non-empty array.

        Example:
            >>> col("a").array_empty()
            Expr(empty(a))
        """
        return self._function("empty")

    def array_length(self) -> Self:
        """Returns the length of the array dimension.

        Example:
            >>> col("a").array_length()
            Expr(array_length(a))
        """
        return self._function("array_length")

    def array_ndims(self) -> Self:
        """Returns the number of dimensions of the array.

        Example:
            >>> col("a").array_ndims()
            Expr(array_ndims(a))
        """
        return self._function("array_ndims")

    def array_pop_back(self) -> Self:
        """Returns the array without the last element.

        Example:
            >>> col("a").array_pop_back()
            Expr(array_pop_back(a))
        """
        return self._function("array_pop_back")

    def array_pop_front(self) -> Self:
        """Returns the array without the first element.

        Example:
            >>> col("a").array_pop_front()
            Expr(array_pop_front(a))
        """
        return self._function("array_pop_front")

    def arrow_typeof(self) -> Self:
        """Returns the name of the value's Arrow type.

        Example:
            >>> col("a").arrow_typeof()
            Expr(arrow_typeof(a))
        """
        return self._function("arrow_typeof")

    def ascii(self) -> Self:
        """Returns the first Unicode scalar value of a string.

        Example:
            >>> col("a").ascii()
            Expr(ascii(a))
        """
        return self._function("ascii")

    def asin(self) -> Self:
        """Returns the arc sine or inverse sine of a number.

        Example:
            >>> col("a").asin()
            Expr(asin(a))
        """
        return self._function("asin")

    def asinh(self) -> Self:
        """Returns the area hyperbolic sine or inverse hyperbolic sine of a number.

        Example:
            >>> col("a").asinh()
            Expr(asinh(a))
        """
        return self._function("asinh")

    def atan(self) -> Self:
        """Returns the arc tangent or inverse tangent of a number.

        Example:
            >>> col("a").atan()
            Expr(atan(a))
        """
        return self._function("atan")

    def atanh(self) -> Self:
        """Returns the area hyperbolic tangent or inverse hyperbolic tangent of a number.

        Example:
            >>> col("a").atanh()
            Expr(atanh(a))
        """
        return self._function("atanh")

    def bit_length(self) -> Self:
        """Returns the bit length of a string.

        Example:
            >>> col("a").bit_length()
            Expr(bit_length(a))
        """
        return self._function("bit_length")

    def btrim(self) -> Self:
        """Trims the specified trim string from the start and end of a string. If no trim string is
        provided, all spaces are removed from the start and end of the input string.

        Example:
            >>> col("a").btrim()
            Expr(btrim(a))
        """
        return self._function("btrim")

    def cardinality(self) -> Self:
        """Returns the total number of elements in the array.

        Example:
            >>> col("a").cardinality()
            Expr(cardinality(a))
        """
        return self._function("cardinality")

    def cbrt(self) -> Self:
        """Returns the cube root of a number.

        Example:
            >>> col("a").cbrt()
            Expr(cbrt(a))
        """
        return self._function("cbrt")

    def ceil(self) -> Self:
        """Returns the nearest integer greater than or equal to a number.

        Example:
            >>> col("a").ceil()
            Expr(ceil(a))
        """
        return self._function("ceil")

    def char_length(self) -> Self:
        """Returns the number of characters in a string.

        Example:
            >>> col("a").char_length()
            Expr(character_length(a))
        """
        return self._function("character_length")

    def character_length(self) -> Self:
        """Returns the number of characters in a string.

        Example:
            >>> col("a").character_length()
            Expr(character_length(a))
        """
        return self._function("character_length")

    def chr(self) -> Self:
        """Returns a string containing the character with the specified Unicode scalar value.

        Example:
            >>> col("a").chr()
            Expr(chr(a))
        """
        return self._function("chr")

    def cos(self) -> Self:
        """Returns the cosine of a number.

        Example:
            >>> col("a").cos()
            Expr(cos(a))
        """
        return self._function("cos")

    def cosh(self) -> Self:
        """Returns the hyperbolic cosine of a number.

        Example:
            >>> col("a").cosh()
            Expr(cosh(a))
        """
        return self._function("cosh")

    def cot(self) -> Self:
        """Returns the cotangent of a number.

        Example:
            >>> col("a").cot()
            Expr(cot(a))
        """
        return self._function("cot")

    def degrees(self) -> Self:
        """Converts radians to degrees.

        Example:
            >>> col("a").degrees()
            Expr(degrees(a))
        """
        return self._function("degrees")

    def empty(self) -> Self:
        """Returns 1 for an empty array or 0 for a non-empty array.

        Example:
            >>> col("a").empty()
            Expr(empty(a))
        """
        return self._function("empty")

    def exp(self) -> Self:
        """Returns the base-e exponential of a number.

        Example:
            >>> col("a").exp()
            Expr(exp(a))
        """
        return self._function("exp")

    def factorial(self) -> Self:
        """Factorial of a non-negative integer. Errors if the argument is negative or the result
        overflows.

        Example:
            >>> col("a").factorial()
            Expr(factorial(a))
        """
        return self._function("factorial")

    def flatten(self) -> Self:
        """Returns one list of all elements of a list of lists, at any depth.

        Example:
            >>> col("a").flatten()
            Expr(flatten(a))
        """
        return self._function("flatten")

    def floor(self) -> Self:
        """Returns the nearest integer less than or equal to a number.

        Example:
            >>> col("a").floor()
            Expr(floor(a))
        """
        return self._function("floor")

    def from_unixtime(self) -> Self:
        """Converts an integer to RFC3339 timestamp format (`YYYY-MM-DDT00:00:00.000000000Z`).
        Integers and unsigned integers are interpreted as seconds since the unix epoch
        (`1970-01-01T00:00:00Z`) return the corresponding timestamp.

        Example:
            >>> col("a").from_unixtime()
            Expr(from_unixtime(a))
        """
        return self._function("from_unixtime")

    def initcap(self) -> Self:
        """Capitalizes the first character in each word in the input string. Words are delimited by
        non-alphanumeric characters.

        Example:
            >>> col("a").initcap()
            Expr(initcap(a))
        """
        return self._function("initcap")

    def isnan(self) -> Self:
        """Returns true if a given number is +NaN or -NaN otherwise returns false.

        Example:
            >>> col("a").isnan()
            Expr(isnan(a))
        """
        return self._function("isnan")

    def iszero(self) -> Self:
        """Returns true if a given number is +0.0 or -0.0 otherwise returns false.

        Example:
            >>> col("a").iszero()
            Expr(iszero(a))
        """
        return self._function("iszero")

    def length(self) -> Self:
        """Returns the number of characters in a string.

        Example:
            >>> col("a").length()
            Expr(character_length(a))
        """
        return self._function("character_length")

    def list_dims(self) -> Self:
        """Returns an array of the array's dimensions.

        Example:
            >>> col("a").list_dims()
            Expr(array_dims(a))
        """
        return self._function("array_dims")

    def list_distinct(self) -> Self:
        """Returns distinct values from the array after removing duplicates.

        Example:
            >>> col("a").list_distinct()
            Expr(array_distinct(a))
        """
        return self._function("array_distinct")

    def list_length(self) -> Self:
        """Returns the length of the array dimension.

        Example:
            >>> col("a").list_length()
            Expr(array_length(a))
        """
        return self._function("array_length")

    def list_ndims(self) -> Self:
        """Returns the number of dimensions of the array.

        Example:
            >>> col("a").list_ndims()
            Expr(array_ndims(a))
        """
        return self._function("array_ndims")

    def ln(self) -> Self:
        """Returns the natural logarithm of a number.

        Example:
            >>> col("a").ln()
            Expr(ln(a))
        """
        return self._function("ln")

    def log10(self) -> Self:
        """Returns the base-10 logarithm of a number.

        Example:
            >>> col("a").log10()
            Expr(log10(a))
        """
        return self._function("log10")

    def log2(self) -> Self:
        """Returns the base-2 logarithm of a number.

        Example:
            >>> col("a").log2()
            Expr(log2(a))
        """
        return self._function("log2")

    def lower(self) -> Self:
        """Converts a string to lower-case.

        Example:
            >>> col("a").lower()
            Expr(lower(a))
        """
        return self._function("lower")

    def ltrim(self) -> Self:
        """Trims the specified trim string from the beginning of a string. If no trim string is
        provided, spaces are removed from the start of the input string.

        Example:
            >>> col("a").ltrim()
            Expr(ltrim(a))
        """
        return self._function("ltrim")

    def md5(self) -> Self:
        """Computes an MD5 128-bit checksum for a string expression.

        Example:
            >>> col("a").md5()
            Expr(md5(a))
        """
        return self._function("md5")

    def octet_length(self) -> Self:
        """Returns the length of a string in bytes.

        Example:
            >>> col("a").octet_length()
            Expr(octet_length(a))
        """
        return self._function("octet_length")

    def radians(self) -> Self:
        """Converts degrees to radians.

        Example:
            >>> col("a").radians()
            Expr(radians(a))
        """
        return self._function("radians")

    def reverse(self) -> Self:
        """Reverses the character order of a string.

        Example:
            >>> col("a").reverse()
            Expr(reverse(a))
        """
        return self._function("reverse")

    def rtrim(self) -> Self:
        """Trims the specified trim string from the end of a string. If no trim string is provided,
        all spaces are removed from the end of the input string.

        Example:
            >>> col("a").rtrim()
            Expr(rtrim(a))
        """
        return self._function("rtrim")

    def sha224(self) -> Self:
        """Computes the SHA-224 hash of a binary string.

        Example:
            >>> col("a").sha224()
            Expr(sha224(a))
        """
        return self._function("sha224")

    def sha256(self) -> Self:
        """Computes the SHA-256 hash of a binary string.

        Example:
            >>> col("a").sha256()
            Expr(sha256(a))
        """
        return self._function("sha256")

    def sha384(self) -> Self:
        """Computes the SHA-384 hash of a binary string.

        Example:
            >>> col("a").sha384()
            Expr(sha384(a))
        """
        return self._function("sha384")

    def sha512(self) -> Self:
        """Computes the SHA-512 hash of a binary string.

        Example:
            >>> col("a").sha512()
            Expr(sha512(a))
        """
        return self._function("sha512")

    def signum(self) -> Self:
        """Returns the sign of a number. Negative numbers return `-1`.

        Example:
            >>> col("a").signum()
            Expr(signum(a))
        """
        return self._function("signum")

    def sin(self) -> Self:
        """Returns the sine of a number.

        Example:
            >>> col("a").sin()
            Expr(sin(a))
        """
        return self._function("sin")

    def sinh(self) -> Self:
        """Returns the hyperbolic sine of a number.

        Example:
            >>> col("a").sinh()
            Expr(sinh(a))
        """
        return self._function("sinh")

    def sqrt(self) -> Self:
        """Returns the square root of a number.

        Example:
            >>> col("a").sqrt()
            Expr(sqrt(a))
        """
        return self._function("sqrt")

    def tan(self) -> Self:
        """Returns the tangent of a number.

        Example:
            >>> col("a").tan()
            Expr(tan(a))
        """
        return self._function("tan")

    def tanh(self) -> Self:
        """Returns the hyperbolic tangent of a number.

        Example:
            >>> col("a").tanh()
            Expr(tanh(a))
        """
        return self._function("tanh")

    def to_hex(self) -> Self:
        """Converts an integer to a hexadecimal string.

        Example:
            >>> col("a").to_hex()
            Expr(to_hex(a))
        """
        return self._function("to_hex")

    def trim(self) -> Self:
        """Trims the specified trim string from the start and end of a string. If no trim string is
        provided, all spaces are removed from the start and end of the input string.

        Example:
            >>> col("a").trim()
            Expr(btrim(a))
        """
        return self._function("btrim")

    def upper(self) -> Self:
        """Converts a string to upper-case.

        Example:
            >>> col("a").upper()
            Expr(upper(a))
        """
        return self._function("upper")

    def _function(self, name: str) -> Self:
        raise NotImplementedError
