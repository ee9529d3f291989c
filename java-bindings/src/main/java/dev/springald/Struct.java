package dev.springald;

import java.util.List;

/**
 * A value of a struct: fields in order, whose names need not be unique.
 *
 * <pre>{@code
 * Struct point = row.getStruct("point");
 * Object x = point.get("x");
 * }</pre>
 *
 * @param names the names
 * @param values as many values, which may be null, by the rule of {@link Row}
 */
public record Struct(List<String> names, List<Object> values) {
  /** The value of the first field of a name. */
  public Object get(String name) {
    int field = names.indexOf(name);
    if (field < 0) {
      throw ErrorCode.UNKNOWN_COLUMN.error("a struct has a field of the name: got " + name);
    }
    return values.get(field);
  }
}
