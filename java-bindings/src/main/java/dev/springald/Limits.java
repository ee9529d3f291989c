package dev.springald;

import java.time.Duration;

/** Every limit of the client that has no option, with its unit as the name's last word. */
final class Limits {
  static final int PROTOCOL_MAJOR = 1;
  static final int PROTOCOL_MINOR = 0;
  static final int PLAN_MAJOR = 1;
  static final int PLAN_MINOR_FOR_SQL = 0;
  static final int PLAN_MINOR_FOR_TREES = 1;

  /** Where a scheduler listens unless it is told otherwise. */
  static final int PORT_DEFAULT = 50050;

  /** The last port that TCP has. */
  static final int PORT_MAX = 65535;

  /** A control message, in both directions. */
  static final int MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

  /** The text of one statement. */
  static final int STATEMENT_BYTES_MAX = 4 * 1024 * 1024;

  /** Relations and expressions of a plan together: a reader refuses more. */
  static final int PLAN_NODES_MAX = 20_000;

  /** How many jobs a list may ask for. */
  static final int JOBS_LISTED_MAX = 1_000;

  /** How long saying goodbye may take: closing a session, releasing a result. */
  static final Duration CLOSE_MAX = Duration.ofSeconds(2);

  /** How long calls are made, and jobs attached to, again while no scheduler can be reached. */
  static final Duration SCHEDULER_AWAY_MAX = Duration.ofMinutes(1);

  /** How long opening a session goes on among several schedulers of which none leads yet. */
  static final Duration ELECTION_MAX = Duration.ofSeconds(15);

  /** How long a member of etcd may take to say who leads. */
  static final Duration ETCD_CALL_MAX = Duration.ofSeconds(2);

  /** How often a reading has lost parts of a result made again. */
  static final int RESTORES_MAX = 5;

  /** The wait before the second try; it doubles from try to try. */
  static final long BACKOFF_FIRST_MS = 50;

  /** The longest wait between two tries. */
  static final long BACKOFF_MS_MAX = 500;

  /** How often an idle channel to the scheduler is probed. */
  static final long KEEPALIVE_INTERVAL_MS = 30_000;

  /** The same where there are other schedulers to turn to. */
  static final long KEEPALIVE_INTERVAL_OF_SEVERAL_MS = 10_000;

  /** How often an idle Flight channel is probed: servers resent it below five minutes. */
  static final long FLIGHT_KEEPALIVE_INTERVAL_MS = 310_000;

  /** How long a probe may go unanswered before the channel counts as broken. */
  static final long KEEPALIVE_ANSWER_MS_MAX = 20_000;

  /** The same where there are other schedulers to turn to. */
  static final long KEEPALIVE_ANSWER_OF_SEVERAL_MS_MAX = 5_000;

  /** How often a client tells that its session is alive, if the lease does not ask for more. */
  static final long SESSION_KEEP_INTERVAL_MS = 60_000;

  /** Rows are sent in blocks of about this size. */
  static final long UPLOAD_BLOCK_BYTES_MAX = 8L * 1024 * 1024;

  /** How long an executor may take to say where a part lies, before its rows are fetched. */
  static final Duration LOCATE_MAX = Duration.ofSeconds(5);

  /** A part of a result from this size on is worth asking whether its file lies on this host. */
  static final long IN_PLACE_BYTES_MIN = 4L * 1024 * 1024;

  /** How many bytes of rows a Flight server sends ahead of whoever reads them. */
  static final int FLIGHT_WINDOW_BYTES = 4 * 1024 * 1024;

  /** How many messages of rows are taken before they are asked for. */
  static final int FLIGHT_MESSAGES_AHEAD = 5;

  /** Characters of a long line that are shown round a caret. */
  static final int CARET_CHARACTERS_MAX = 160;

  private Limits() {}
}
