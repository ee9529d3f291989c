"""Functions of lists and maps."""

# Written by tools/generate_functions.py, which `nox -s functions` runs: do not edit.

from springald.expr.calls import arguments, scalar_call
from springald.expr.expr import Expr, IntoExpr

__all__ = [
    "array_add",
    "array_any_value",
    "array_append",
    "array_avg",
    "array_cat",
    "array_compact",
    "array_concat",
    "array_contains",
    "array_dims",
    "array_distance",
    "array_distinct",
    "array_element",
    "array_empty",
    "array_except",
    "array_extract",
    "array_has",
    "array_has_all",
    "array_has_any",
    "array_indexof",
    "array_intersect",
    "array_join",
    "array_length",
    "array_max",
    "array_min",
    "array_ndims",
    "array_normalize",
    "array_pop_back",
    "array_pop_front",
    "array_position",
    "array_positions",
    "array_prepend",
    "array_product",
    "array_push_back",
    "array_push_front",
    "array_remove",
    "array_remove_all",
    "array_remove_n",
    "array_repeat",
    "array_replace",
    "array_replace_all",
    "array_replace_n",
    "array_resize",
    "array_reverse",
    "array_scale",
    "array_slice",
    "array_subtract",
    "array_sum",
    "array_to_string",
    "array_union",
    "arrays_overlap",
    "arrays_zip",
    "cardinality",
    "cosine_distance",
    "dot_product",
    "element_at",
    "empty",
    "flatten",
    "generate_series",
    "inner_product",
    "list_add",
    "list_any_value",
    "list_append",
    "list_avg",
    "list_cat",
    "list_compact",
    "list_concat",
    "list_contains",
    "list_dims",
    "list_distance",
    "list_distinct",
    "list_element",
    "list_empty",
    "list_except",
    "list_extract",
    "list_has",
    "list_has_all",
    "list_has_any",
    "list_indexof",
    "list_intersect",
    "list_join",
    "list_length",
    "list_max",
    "list_ndims",
    "list_normalize",
    "list_pop_back",
    "list_pop_front",
    "list_position",
    "list_positions",
    "list_prepend",
    "list_product",
    "list_push_back",
    "list_push_front",
    "list_remove",
    "list_remove_all",
    "list_remove_n",
    "list_repeat",
    "list_replace",
    "list_replace_all",
    "list_replace_n",
    "list_resize",
    "list_reverse",
    "list_scale",
    "list_slice",
    "list_subtract",
    "list_sum",
    "list_to_string",
    "list_union",
    "list_zip",
    "make_array",
    "make_list",
    "map_entries",
    "map_extract",
    "map_keys",
    "map_values",
    "range",
    "string_to_array",
    "string_to_list",
]


def array_add(array1: IntoExpr, array2: IntoExpr) -> Expr:
    """Returns the element-wise sum of two numeric arrays of equal length, computed as `array1[i] +
    array2[i]` per position. NULL is propagated per element: if either input element at position
    `i` is NULL, the corresponding output element is NULL (positions are preserved).

    Example:
        >>> array_add(col("a"), col("b"))
        Expr(array_add(a, b))
    """
    return scalar_call("array_add", arguments(array1, array2))


def array_any_value(array: IntoExpr) -> Expr:
    """Returns the first non-NULL element in the array. Returns NULL if the array is empty or NULL.

    Example:
        >>> array_any_value(col("a"))
        Expr(array_any_value(a))
    """
    return scalar_call("array_any_value", arguments(array))


def array_append(array: IntoExpr, element: IntoExpr) -> Expr:
    """Appends an element to the end of an array.

    Example:
        >>> array_append(col("a"), col("b"))
        Expr(array_append(a, b))
    """
    return scalar_call("array_append", arguments(array, element))


def array_avg(array: IntoExpr) -> Expr:
    """Returns the arithmetic mean (sum divided by count) of the elements of the input array. NULL
    elements are skipped (per SQL aggregate convention) and excluded from the count.

    Example:
        >>> array_avg(col("a"))
        Expr(array_avg(a))
    """
    return scalar_call("array_avg", arguments(array))


def array_compact(array: IntoExpr) -> Expr:
    """Removes NULL values from the array.

    Example:
        >>> array_compact(col("a"))
        Expr(array_compact(a))
    """
    return scalar_call("array_compact", arguments(array))


def array_concat(*args: IntoExpr) -> Expr:
    """Concatenates arrays.

    Example:
        >>> array_concat(col("a"))
        Expr(array_concat(a))
    """
    return scalar_call("array_concat", arguments(*args))


def array_dims(array: IntoExpr) -> Expr:
    """Returns an array of the array's dimensions.

    Example:
        >>> array_dims(col("a"))
        Expr(array_dims(a))
    """
    return scalar_call("array_dims", arguments(array))


def array_distance(array1: IntoExpr, array2: IntoExpr) -> Expr:
    """Returns the Euclidean distance between two one-dimensional input arrays of equal length.

    Example:
        >>> array_distance(col("a"), col("b"))
        Expr(array_distance(a, b))
    """
    return scalar_call("array_distance", arguments(array1, array2))


def array_distinct(array: IntoExpr) -> Expr:
    """Returns distinct values from the array after removing duplicates.

    Example:
        >>> array_distinct(col("a"))
        Expr(array_distinct(a))
    """
    return scalar_call("array_distinct", arguments(array))


def array_element(array: IntoExpr, n: IntoExpr) -> Expr:
    """Extracts the element with the index n from the array.

    Example:
        >>> array_element(col("a"), col("b"))
        Expr(array_element(a, b))
    """
    return scalar_call("array_element", arguments(array, n))


def array_except(array1: IntoExpr, array2: IntoExpr) -> Expr:
    """Returns an array of the elements that appear in the first array but not in the second.

    Example:
        >>> array_except(col("a"), col("b"))
        Expr(array_except(a, b))
    """
    return scalar_call("array_except", arguments(array1, array2))


def array_has(first_array: IntoExpr, second_array: IntoExpr) -> Expr:
    """Returns true if the array contains the element.

    Example:
        >>> array_has(col("a"), col("b"))
        Expr(array_has(a, b))
    """
    return scalar_call("array_has", arguments(first_array, second_array))


def array_has_all(first_array: IntoExpr, second_array: IntoExpr) -> Expr:
    """Returns true if all elements of sub_array exist in array.

    Example:
        >>> array_has_all(col("a"), col("b"))
        Expr(array_has_all(a, b))
    """
    return scalar_call("array_has_all", arguments(first_array, second_array))


def array_has_any(first_array: IntoExpr, second_array: IntoExpr) -> Expr:
    """Returns true if the arrays have any elements in common.

    Example:
        >>> array_has_any(col("a"), col("b"))
        Expr(array_has_any(a, b))
    """
    return scalar_call("array_has_any", arguments(first_array, second_array))


def array_intersect(array1: IntoExpr, array2: IntoExpr) -> Expr:
    """Returns an array of elements in the intersection of array1 and array2.

    Example:
        >>> array_intersect(col("a"), col("b"))
        Expr(array_intersect(a, b))
    """
    return scalar_call("array_intersect", arguments(array1, array2))


def array_length(array: IntoExpr, dimension: IntoExpr = None) -> Expr:
    """Returns the length of the array dimension.

    Example:
        >>> array_length(col("a"))
        Expr(array_length(a))
    """
    return scalar_call("array_length", arguments(array, optional=((dimension, None),)))


def array_max(array: IntoExpr) -> Expr:
    """Returns the maximum value in the array.

    Example:
        >>> array_max(col("a"))
        Expr(array_max(a))
    """
    return scalar_call("array_max", arguments(array))


def array_min(array: IntoExpr) -> Expr:
    """Returns the minimum value in the array.

    Example:
        >>> array_min(col("a"))
        Expr(array_min(a))
    """
    return scalar_call("array_min", arguments(array))


def array_ndims(array: IntoExpr) -> Expr:
    """Returns the number of dimensions of the array.

    Example:
        >>> array_ndims(col("a"))
        Expr(array_ndims(a))
    """
    return scalar_call("array_ndims", arguments(array))


def array_normalize(array: IntoExpr) -> Expr:
    """Returns the L2-normalized vector for the input numeric array, computed as `array[i] /
    sqrt(sum(array[i]^2))` per element. Returns NULL if the input is NULL, contains NULL
    elements, or has zero magnitude (all elements are zero).

    Example:
        >>> array_normalize(col("a"))
        Expr(array_normalize(a))
    """
    return scalar_call("array_normalize", arguments(array))


def array_pop_back(array: IntoExpr) -> Expr:
    """Returns the array without the last element.

    Example:
        >>> array_pop_back(col("a"))
        Expr(array_pop_back(a))
    """
    return scalar_call("array_pop_back", arguments(array))


def array_pop_front(array: IntoExpr) -> Expr:
    """Returns the array without the first element.

    Example:
        >>> array_pop_front(col("a"))
        Expr(array_pop_front(a))
    """
    return scalar_call("array_pop_front", arguments(array))


def array_position(array: IntoExpr, element: IntoExpr, index: IntoExpr = 1) -> Expr:
    """Returns the position of the first occurrence of the specified element in the array, or NULL
    if not found. Comparisons are done using `IS DISTINCT FROM` semantics, so NULL is considered
    to match NULL.

    Example:
        >>> array_position(col("a"), col("b"))
        Expr(array_position(a, b, 1))
    """
    return scalar_call("array_position", arguments(array, element, index))


def array_positions(array: IntoExpr, element: IntoExpr) -> Expr:
    """Searches for an element in the array, returns all occurrences.

    Example:
        >>> array_positions(col("a"), col("b"))
        Expr(array_positions(a, b))
    """
    return scalar_call("array_positions", arguments(array, element))


def array_prepend(element: IntoExpr, array: IntoExpr) -> Expr:
    """Prepends an element to the beginning of an array.

    Example:
        >>> array_prepend(col("a"), col("b"))
        Expr(array_prepend(a, b))
    """
    return scalar_call("array_prepend", arguments(element, array))


def array_product(array: IntoExpr) -> Expr:
    """Returns the product of the elements in the input numeric array. NULL elements inside the
    array are skipped (matching SQL aggregate convention).

    Example:
        >>> array_product(col("a"))
        Expr(array_product(a))
    """
    return scalar_call("array_product", arguments(array))


def array_remove(array: IntoExpr, element: IntoExpr) -> Expr:
    """Removes the first element from the array equal to the given value. NULL elements already in
    the array are preserved when removing a non-NULL value.

    Example:
        >>> array_remove(col("a"), col("b"))
        Expr(array_remove(a, b))
    """
    return scalar_call("array_remove", arguments(array, element))


def array_remove_all(array: IntoExpr, element: IntoExpr) -> Expr:
    """Removes all elements from the array equal to the given value. NULL elements already in the
    array are preserved when removing a non-NULL value.

    Example:
        >>> array_remove_all(col("a"), col("b"))
        Expr(array_remove_all(a, b))
    """
    return scalar_call("array_remove_all", arguments(array, element))


def array_remove_n(array: IntoExpr, element: IntoExpr, max: IntoExpr) -> Expr:
    """Removes the first `max` elements from the array equal to the given value. NULL elements
    already in the array are preserved when removing a non-NULL value.

    Example:
        >>> array_remove_n(col("a"), col("b"), col("c"))
        Expr(array_remove_n(a, b, c))
    """
    return scalar_call("array_remove_n", arguments(array, element, max))


def array_repeat(element: IntoExpr, count: IntoExpr) -> Expr:
    """Returns an array containing element `count` times.

    Example:
        >>> array_repeat(col("a"), col("b"))
        Expr(array_repeat(a, b))
    """
    return scalar_call("array_repeat", arguments(element, count))


def array_replace(array: IntoExpr, from_val: IntoExpr, to_val: IntoExpr) -> Expr:
    """Replaces the first occurrence of the specified element with another specified element.

    Example:
        >>> array_replace(col("a"), col("b"), col("c"))
        Expr(array_replace(a, b, c))
    """
    return scalar_call("array_replace", arguments(array, from_val, to_val))


def array_replace_all(array: IntoExpr, from_val: IntoExpr, to_val: IntoExpr) -> Expr:
    """Replaces all occurrences of the specified element with another specified element.

    Example:
        >>> array_replace_all(col("a"), col("b"), col("c"))
        Expr(array_replace_all(a, b, c))
    """
    return scalar_call("array_replace_all", arguments(array, from_val, to_val))


def array_replace_n(array: IntoExpr, from_val: IntoExpr, to_val: IntoExpr, max: IntoExpr) -> Expr:
    """Replaces the first `max` occurrences of the specified element with another specified
    element.

    Example:
        >>> array_replace_n(col("a"), col("b"), col("c"), col("d"))
        Expr(array_replace_n(a, b, c, d))
    """
    return scalar_call("array_replace_n", arguments(array, from_val, to_val, max))


def array_resize(array: IntoExpr, size: IntoExpr, value: IntoExpr) -> Expr:
    """Resizes the list to contain size elements.

    Example:
        >>> array_resize(col("a"), col("b"), col("c"))
        Expr(array_resize(a, b, c))
    """
    return scalar_call("array_resize", arguments(array, size, value))


def array_reverse(array: IntoExpr) -> Expr:
    """Returns the array with the order of the elements reversed.

    Example:
        >>> array_reverse(col("a"))
        Expr(array_reverse(a))
    """
    return scalar_call("array_reverse", arguments(array))


def array_scale(array: IntoExpr, scalar: IntoExpr) -> Expr:
    """Returns a new array with each element of the input array multiplied by a scalar value,
    computed as `array[i] * scalar`. Returns NULL if the input row is NULL or the scalar is
    NULL.

    Example:
        >>> array_scale(col("a"), col("b"))
        Expr(array_scale(a, b))
    """
    return scalar_call("array_scale", arguments(array, scalar))


def array_slice(array: IntoExpr, begin: IntoExpr, end: IntoExpr, stride: IntoExpr = None) -> Expr:
    """Returns a slice of the array based on 1-indexed start and end positions.

    Example:
        >>> array_slice(col("a"), col("b"), col("c"))
        Expr(array_slice(a, b, c))
    """
    return scalar_call("array_slice", arguments(array, begin, end, optional=((stride, None),)))


def array_subtract(array1: IntoExpr, array2: IntoExpr) -> Expr:
    """Returns the element-wise difference of two numeric arrays of equal length, computed as
    `array1[i] - array2[i]` per position. NULL is propagated per element: if either input
    element at position `i` is NULL, the corresponding output element is NULL (positions are
    preserved).

    Example:
        >>> array_subtract(col("a"), col("b"))
        Expr(array_subtract(a, b))
    """
    return scalar_call("array_subtract", arguments(array1, array2))


def array_sum(array: IntoExpr) -> Expr:
    """Returns the sum of the elements of the input array, computed as `array[0] + array[1] + ...`.
    NULL elements are skipped (per SQL aggregate convention).

    Example:
        >>> array_sum(col("a"))
        Expr(array_sum(a))
    """
    return scalar_call("array_sum", arguments(array))


def array_to_string(expr: IntoExpr, delimiter: IntoExpr, null_string: IntoExpr = None) -> Expr:
    """Converts each element to its text representation.

    Example:
        >>> array_to_string(col("a"), col("b"))
        Expr(array_to_string(a, b))
    """
    return scalar_call(
        "array_to_string", arguments(expr, delimiter, optional=((null_string, None),))
    )


def array_union(array1: IntoExpr, array2: IntoExpr) -> Expr:
    """Returns an array of elements that are present in both arrays (all elements from both arrays)
    without duplicates.

    Example:
        >>> array_union(col("a"), col("b"))
        Expr(array_union(a, b))
    """
    return scalar_call("array_union", arguments(array1, array2))


def arrays_zip(*arrays: IntoExpr) -> Expr:
    """Returns an array of structs created by combining the elements of each input array at the
    same index. If the arrays have different lengths, shorter arrays are padded with NULLs.

    Example:
        >>> arrays_zip(col("a"))
        Expr(arrays_zip(a))
    """
    return scalar_call("arrays_zip", arguments(*arrays))


def cardinality(array: IntoExpr) -> Expr:
    """Returns the total number of elements in the array.

    Example:
        >>> cardinality(col("a"))
        Expr(cardinality(a))
    """
    return scalar_call("cardinality", arguments(array))


def cosine_distance(array1: IntoExpr, array2: IntoExpr) -> Expr:
    """Returns the cosine distance between two input arrays of equal length. The cosine distance is
    defined as 1 - cosine_similarity, i.e. `1 - dot(a,b) / (||a|| * ||b||)`.

    Example:
        >>> cosine_distance(col("a"), col("b"))
        Expr(cosine_distance(a, b))
    """
    return scalar_call("cosine_distance", arguments(array1, array2))


def empty(array: IntoExpr) -> Expr:
    """Returns 1 for an empty array or 0 for a non-empty array.

    Example:
        >>> empty(col("a"))
        Expr(empty(a))
    """
    return scalar_call("empty", arguments(array))


def flatten(array: IntoExpr) -> Expr:
    """Returns one list of all elements of a list of lists, at any depth.

    Example:
        >>> flatten(col("a"))
        Expr(flatten(a))
    """
    return scalar_call("flatten", arguments(array))


def generate_series(*args: IntoExpr) -> Expr:
    """Similar to the range function, but it includes the upper bound.

    Example:
        >>> generate_series(col("a"))
        Expr(generate_series(a))
    """
    return scalar_call("generate_series", arguments(*args))


def inner_product(array1: IntoExpr, array2: IntoExpr) -> Expr:
    """Returns the inner product (dot product) of two input arrays of equal length, computed as
    `sum(array1[i] * array2[i])`. Returns NULL if either array is NULL or contains NULL
    elements.

    Example:
        >>> inner_product(col("a"), col("b"))
        Expr(inner_product(a, b))
    """
    return scalar_call("inner_product", arguments(array1, array2))


def make_array(*args: IntoExpr) -> Expr:
    """Returns an array using the specified input expressions.

    Example:
        >>> make_array(col("a"))
        Expr(make_array(a))
    """
    return scalar_call("make_array", arguments(*args))


def map_entries(map: IntoExpr) -> Expr:
    """Returns a list of all entries in the map.

    Example:
        >>> map_entries(col("a"))
        Expr(map_entries(a))
    """
    return scalar_call("map_entries", arguments(map))


def map_extract(map: IntoExpr, key: IntoExpr) -> Expr:
    """Returns a list containing the value for the given key or an empty list if the key is not
    present in the map.

    Example:
        >>> map_extract(col("a"), col("b"))
        Expr(map_extract(a, b))
    """
    return scalar_call("map_extract", arguments(map, key))


def map_keys(map: IntoExpr) -> Expr:
    """Returns a list of all keys in the map.

    Example:
        >>> map_keys(col("a"))
        Expr(map_keys(a))
    """
    return scalar_call("map_keys", arguments(map))


def map_values(map: IntoExpr) -> Expr:
    """Returns a list of all values in the map.

    Example:
        >>> map_values(col("a"))
        Expr(map_values(a))
    """
    return scalar_call("map_values", arguments(map))


def range(*args: IntoExpr) -> Expr:
    """Returns an Arrow array between start and stop with step. The range start..end contains all
    values with start <= x < end.

    Example:
        >>> range(col("a"))
        Expr(range(a))
    """
    return scalar_call("range", arguments(*args))


def string_to_array(string: IntoExpr, delimiter: IntoExpr, null_string: IntoExpr = None) -> Expr:
    """Splits a string into an array of substrings based on a delimiter. Any substrings matching
    the optional `null_str` argument are replaced with NULL.

    Example:
        >>> string_to_array(col("a"), col("b"))
        Expr(string_to_array(a, b))
    """
    return scalar_call(
        "string_to_array", arguments(string, delimiter, optional=((null_string, None),))
    )


array_cat = array_concat
array_contains = array_has
array_empty = empty
array_extract = array_element
array_indexof = array_position
array_join = array_to_string
array_push_back = array_append
array_push_front = array_prepend
arrays_overlap = array_has_any
dot_product = inner_product
element_at = map_extract
list_add = array_add
list_any_value = array_any_value
list_append = array_append
list_avg = array_avg
list_cat = array_concat
list_compact = array_compact
list_concat = array_concat
list_contains = array_has
list_dims = array_dims
list_distance = array_distance
list_distinct = array_distinct
list_element = array_element
list_empty = empty
list_except = array_except
list_extract = array_element
list_has = array_has
list_has_all = array_has_all
list_has_any = array_has_any
list_indexof = array_position
list_intersect = array_intersect
list_join = array_to_string
list_length = array_length
list_max = array_max
list_ndims = array_ndims
list_normalize = array_normalize
list_pop_back = array_pop_back
list_pop_front = array_pop_front
list_position = array_position
list_positions = array_positions
list_prepend = array_prepend
list_product = array_product
list_push_back = array_append
list_push_front = array_prepend
list_remove = array_remove
list_remove_all = array_remove_all
list_remove_n = array_remove_n
list_repeat = array_repeat
list_replace = array_replace
list_replace_all = array_replace_all
list_replace_n = array_replace_n
list_resize = array_resize
list_reverse = array_reverse
list_scale = array_scale
list_slice = array_slice
list_subtract = array_subtract
list_sum = array_sum
list_to_string = array_to_string
list_union = array_union
list_zip = arrays_zip
make_list = make_array
string_to_list = string_to_array
