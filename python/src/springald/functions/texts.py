"""Functions of text and bytes."""

# Written by tools/generate_functions.py, which `nox -s functions` runs: do not edit.

from springald.expr.calls import arguments, scalar_call
from springald.expr.expr import Expr, IntoExpr

__all__ = [
    "ascii",
    "bit_length",
    "btrim",
    "char_length",
    "character_length",
    "chr",
    "concat",
    "concat_ws",
    "contains",
    "decode",
    "digest",
    "encode",
    "ends_with",
    "find_in_set",
    "initcap",
    "instr",
    "left",
    "length",
    "levenshtein",
    "lower",
    "lpad",
    "ltrim",
    "md5",
    "octet_length",
    "overlay",
    "position",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "substr_index",
    "substring",
    "substring_index",
    "to_hex",
    "translate",
    "trim",
    "upper",
    "uuid",
]


def ascii(arg: IntoExpr) -> Expr:
    """Returns the first Unicode scalar value of a string.

    Example:
        >>> ascii(col("a"))
        Expr(ascii(a))
    """
    return scalar_call("ascii", arguments(arg))


def bit_length(arg: IntoExpr) -> Expr:
    """Returns the bit length of a string.

    Example:
        >>> bit_length(col("a"))
        Expr(bit_length(a))
    """
    return scalar_call("bit_length", arguments(arg))


def btrim(arg: IntoExpr, characters: IntoExpr = None) -> Expr:
    """Trims the specified trim string from the start and end of a string. If no trim string is
    provided, all spaces are removed from the start and end of the input string.

    Example:
        >>> btrim(col("a"))
        Expr(btrim(a))
    """
    return scalar_call("btrim", arguments(arg, optional=((characters, None),)))


def character_length(arg: IntoExpr) -> Expr:
    """Returns the number of characters in a string.

    Example:
        >>> character_length(col("a"))
        Expr(character_length(a))
    """
    return scalar_call("character_length", arguments(arg))


def chr(arg: IntoExpr) -> Expr:
    """Returns a string containing the character with the specified Unicode scalar value.

    Example:
        >>> chr(col("a"))
        Expr(chr(a))
    """
    return scalar_call("chr", arguments(arg))


def concat(*args: IntoExpr) -> Expr:
    """Concatenates multiple strings together.

    Example:
        >>> concat(col("a"))
        Expr(concat(a))
    """
    return scalar_call("concat", arguments(*args))


def concat_ws(separator: IntoExpr, *args: IntoExpr) -> Expr:
    """Concatenates multiple strings together with a specified separator.

    Example:
        >>> concat_ws(col("a"), col("b"))
        Expr(concat_ws(a, b))
    """
    return scalar_call("concat_ws", arguments(separator, *args))


def contains(string: IntoExpr, search_str: IntoExpr) -> Expr:
    """Return true if search_str is found within string (case-sensitive).

    Example:
        >>> contains(col("a"), col("b"))
        Expr(contains(a, b))
    """
    return scalar_call("contains", arguments(string, search_str))


def decode(expr: IntoExpr, encoding: IntoExpr) -> Expr:
    """Decode binary data from textual representation in string.

    Example:
        >>> decode(col("a"), col("b"))
        Expr(decode(a, b))
    """
    return scalar_call("decode", arguments(expr, encoding))


def digest(value: IntoExpr, method: IntoExpr) -> Expr:
    """Computes the binary hash of an expression using the specified algorithm.

    Example:
        >>> digest(col("a"), col("b"))
        Expr(digest(a, b))
    """
    return scalar_call("digest", arguments(value, method))


def encode(expr: IntoExpr, encoding: IntoExpr) -> Expr:
    """Encode binary data into a textual representation.

    Example:
        >>> encode(col("a"), col("b"))
        Expr(encode(a, b))
    """
    return scalar_call("encode", arguments(expr, encoding))


def ends_with(arg: IntoExpr, suffix: IntoExpr) -> Expr:
    """Tests if a string ends with a substring.

    Example:
        >>> ends_with(col("a"), col("b"))
        Expr(ends_with(a, b))
    """
    return scalar_call("ends_with", arguments(arg, suffix))


def find_in_set(string: IntoExpr, string_list: IntoExpr) -> Expr:
    """Returns a value in the range of 1 to N if the string str is in the string list strlist
    consisting of N substrings.

    Example:
        >>> find_in_set(col("a"), col("b"))
        Expr(find_in_set(a, b))
    """
    return scalar_call("find_in_set", arguments(string, string_list))


def initcap(string: IntoExpr) -> Expr:
    """Capitalizes the first character in each word in the input string. Words are delimited by
    non-alphanumeric characters.

    Example:
        >>> initcap(col("a"))
        Expr(initcap(a))
    """
    return scalar_call("initcap", arguments(string))


def left(string: IntoExpr, n: IntoExpr) -> Expr:
    """Returns a specified number of characters from the left side of a string.

    Example:
        >>> left(col("a"), col("b"))
        Expr(left(a, b))
    """
    return scalar_call("left", arguments(string, n))


def levenshtein(string1: IntoExpr, string2: IntoExpr) -> Expr:
    """Returns the `Levenshtein distance` between the two given strings.

    Example:
        >>> levenshtein(col("a"), col("b"))
        Expr(levenshtein(a, b))
    """
    return scalar_call("levenshtein", arguments(string1, string2))


def lower(arg: IntoExpr) -> Expr:
    """Converts a string to lower-case.

    Example:
        >>> lower(col("a"))
        Expr(lower(a))
    """
    return scalar_call("lower", arguments(arg))


def lpad(string: IntoExpr, count: IntoExpr, characters: IntoExpr = None) -> Expr:
    """Pads the left side of a string with another string to a specified string length.

    Example:
        >>> lpad(col("a"), col("b"))
        Expr(lpad(a, b))
    """
    return scalar_call("lpad", arguments(string, count, optional=((characters, None),)))


def ltrim(arg: IntoExpr, characters: IntoExpr = None) -> Expr:
    """Trims the specified trim string from the beginning of a string. If no trim string is
    provided, spaces are removed from the start of the input string.

    Example:
        >>> ltrim(col("a"))
        Expr(ltrim(a))
    """
    return scalar_call("ltrim", arguments(arg, optional=((characters, None),)))


def md5(arg: IntoExpr) -> Expr:
    """Computes an MD5 128-bit checksum for a string expression.

    Example:
        >>> md5(col("a"))
        Expr(md5(a))
    """
    return scalar_call("md5", arguments(arg))


def octet_length(arg: IntoExpr) -> Expr:
    """Returns the length of a string in bytes.

    Example:
        >>> octet_length(col("a"))
        Expr(octet_length(a))
    """
    return scalar_call("octet_length", arguments(arg))


def overlay(
    string: IntoExpr, substring: IntoExpr, start: IntoExpr, length: IntoExpr = None
) -> Expr:
    """Returns the string which is replaced by another string from the specified position and
    specified count length.

    Example:
        >>> overlay(col("a"), col("b"), col("c"))
        Expr(overlay(a, b, c))
    """
    return scalar_call("overlay", arguments(string, substring, start, optional=((length, None),)))


def regexp_count(
    string: IntoExpr, pattern: IntoExpr, start: IntoExpr = None, flags: IntoExpr = None
) -> Expr:
    """Returns the number of matches that a regular expression has in a string.

    Example:
        >>> regexp_count(col("a"), col("b"))
        Expr(regexp_count(a, b))
    """
    return scalar_call(
        "regexp_count",
        arguments(
            string,
            pattern,
            optional=(
                (start, 1),
                (flags, None),
            ),
        ),
    )


def regexp_instr(
    values: IntoExpr,
    regex: IntoExpr,
    start: IntoExpr = None,
    n: IntoExpr = None,
    flags: IntoExpr = None,
    sub_expr: IntoExpr = None,
) -> Expr:
    """Returns the position in a string where the specified occurrence of a POSIX regular
    expression is located.

    Example:
        >>> regexp_instr(col("a"), col("b"))
        Expr(regexp_instr(a, b))
    """
    return scalar_call(
        "regexp_instr",
        arguments(
            values,
            regex,
            optional=(
                (start, 1),
                (n, 1),
                (flags, ""),
                (sub_expr, None),
            ),
        ),
    )


def regexp_like(string: IntoExpr, regex: IntoExpr, flags: IntoExpr = None) -> Expr:
    """Returns true if a regular expression has at least one match in a string, false otherwise.

    Example:
        >>> regexp_like(col("a"), col("b"))
        Expr(regexp_like(a, b))
    """
    return scalar_call("regexp_like", arguments(string, regex, optional=((flags, None),)))


def regexp_match(string: IntoExpr, regex: IntoExpr, flags: IntoExpr = None) -> Expr:
    """Returns the first regular expression matches in a string.

    Example:
        >>> regexp_match(col("a"), col("b"))
        Expr(regexp_match(a, b))
    """
    return scalar_call("regexp_match", arguments(string, regex, optional=((flags, None),)))


def regexp_replace(
    string: IntoExpr, pattern: IntoExpr, replacement: IntoExpr, flags: IntoExpr = None
) -> Expr:
    """Replaces substrings in a string that match a regular expression.

    Example:
        >>> regexp_replace(col("a"), col("b"), col("c"))
        Expr(regexp_replace(a, b, c))
    """
    return scalar_call(
        "regexp_replace", arguments(string, pattern, replacement, optional=((flags, None),))
    )


def repeat(string: IntoExpr, n: IntoExpr) -> Expr:
    """Returns a string with an input string repeated a specified number.

    Example:
        >>> repeat(col("a"), col("b"))
        Expr(repeat(a, b))
    """
    return scalar_call("repeat", arguments(string, n))


def replace(string: IntoExpr, from_val: IntoExpr, to_val: IntoExpr) -> Expr:
    """Replaces all occurrences of a specified substring in a string with a new substring.

    Example:
        >>> replace(col("a"), col("b"), col("c"))
        Expr(replace(a, b, c))
    """
    return scalar_call("replace", arguments(string, from_val, to_val))


def reverse(arg: IntoExpr) -> Expr:
    """Reverses the character order of a string.

    Example:
        >>> reverse(col("a"))
        Expr(reverse(a))
    """
    return scalar_call("reverse", arguments(arg))


def right(string: IntoExpr, n: IntoExpr) -> Expr:
    """Returns a specified number of characters from the right side of a string.

    Example:
        >>> right(col("a"), col("b"))
        Expr(right(a, b))
    """
    return scalar_call("right", arguments(string, n))


def rpad(string: IntoExpr, count: IntoExpr, characters: IntoExpr = None) -> Expr:
    """Pads the right side of a string with another string to a specified string length.

    Example:
        >>> rpad(col("a"), col("b"))
        Expr(rpad(a, b))
    """
    return scalar_call("rpad", arguments(string, count, optional=((characters, None),)))


def rtrim(arg: IntoExpr, characters: IntoExpr = None) -> Expr:
    """Trims the specified trim string from the end of a string. If no trim string is provided, all
    spaces are removed from the end of the input string.

    Example:
        >>> rtrim(col("a"))
        Expr(rtrim(a))
    """
    return scalar_call("rtrim", arguments(arg, optional=((characters, None),)))


def sha224(arg: IntoExpr) -> Expr:
    """Computes the SHA-224 hash of a binary string.

    Example:
        >>> sha224(col("a"))
        Expr(sha224(a))
    """
    return scalar_call("sha224", arguments(arg))


def sha256(arg: IntoExpr) -> Expr:
    """Computes the SHA-256 hash of a binary string.

    Example:
        >>> sha256(col("a"))
        Expr(sha256(a))
    """
    return scalar_call("sha256", arguments(arg))


def sha384(arg: IntoExpr) -> Expr:
    """Computes the SHA-384 hash of a binary string.

    Example:
        >>> sha384(col("a"))
        Expr(sha384(a))
    """
    return scalar_call("sha384", arguments(arg))


def sha512(arg: IntoExpr) -> Expr:
    """Computes the SHA-512 hash of a binary string.

    Example:
        >>> sha512(col("a"))
        Expr(sha512(a))
    """
    return scalar_call("sha512", arguments(arg))


def split_part(string: IntoExpr, delimiter: IntoExpr, index: IntoExpr) -> Expr:
    """Splits a string based on a specified delimiter and returns the substring in the specified
    position.

    Example:
        >>> split_part(col("a"), col("b"), col("c"))
        Expr(split_part(a, b, c))
    """
    return scalar_call("split_part", arguments(string, delimiter, index))


def starts_with(string: IntoExpr, prefix: IntoExpr) -> Expr:
    """Tests if a string starts with a substring.

    Example:
        >>> starts_with(col("a"), col("b"))
        Expr(starts_with(a, b))
    """
    return scalar_call("starts_with", arguments(string, prefix))


def strpos(string: IntoExpr, substring: IntoExpr) -> Expr:
    """Returns the starting position of a specified substring in a string. Positions begin at 1.

    Example:
        >>> strpos(col("a"), col("b"))
        Expr(strpos(a, b))
    """
    return scalar_call("strpos", arguments(string, substring))


def substr(string: IntoExpr, position: IntoExpr, length: IntoExpr = None) -> Expr:
    """Extracts a substring of a specified number of characters from a specific starting position
    in a string.

    Example:
        >>> substr(col("a"), col("b"))
        Expr(substr(a, b))
    """
    return scalar_call("substr", arguments(string, position, optional=((length, None),)))


def substr_index(string: IntoExpr, delimiter: IntoExpr, count: IntoExpr) -> Expr:
    """Returns the substring from str before count occurrences of the delimiter delim. If count is
    positive, everything to the left of the final delimiter (counting from the left) is
    returned.

    Example:
        >>> substr_index(col("a"), col("b"), col("c"))
        Expr(substr_index(a, b, c))
    """
    return scalar_call("substr_index", arguments(string, delimiter, count))


def to_hex(arg: IntoExpr) -> Expr:
    """Converts an integer to a hexadecimal string.

    Example:
        >>> to_hex(col("a"))
        Expr(to_hex(a))
    """
    return scalar_call("to_hex", arguments(arg))


def translate(string: IntoExpr, from_val: IntoExpr, to_val: IntoExpr) -> Expr:
    """Performs character-wise substitution based on a mapping.

    Example:
        >>> translate(col("a"), col("b"), col("c"))
        Expr(translate(a, b, c))
    """
    return scalar_call("translate", arguments(string, from_val, to_val))


def upper(arg: IntoExpr) -> Expr:
    """Converts a string to upper-case.

    Example:
        >>> upper(col("a"))
        Expr(upper(a))
    """
    return scalar_call("upper", arguments(arg))


def uuid() -> Expr:
    """Returns `UUID v4` string value which is unique per row.

    Example:
        >>> uuid()
        Expr(uuid())
    """
    return scalar_call("uuid", arguments())


char_length = character_length
instr = strpos
length = character_length
position = strpos
substring = substr
substring_index = substr_index
trim = btrim
