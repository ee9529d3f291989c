package dev.springald;

/**
 * Who can do something about an error.
 *
 * <pre>{@code
 * if (error.fault() == Fault.CLUSTER && error.retryable()) {
 *   again();
 * }
 * }</pre>
 */
public enum Fault {
  /** The caller: change the request and try again. */
  CALLER,
  /** Whoever owns the data. */
  DATA,
  /** An operator, or time. */
  CLUSTER,
  /** Springald's developers: please report it. */
  BUG
}
