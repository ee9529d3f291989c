package dev.springald;

/**
 * A place in the text of a statement.
 *
 * <pre>{@code
 * error.position().ifPresent(at -> editor.moveTo(at.line(), at.column()));
 * }</pre>
 *
 * @param line the line, counted from 1
 * @param column the column in characters (code points), counted from 1
 */
public record Position(int line, int column) {}
