package dev.springald;

import java.util.List;
import java.util.Optional;
import springald.scheduler.v1.Scheduler.ResultOutput;
import springald.scheduler.v1.Scheduler.ResultPart;

/**
 * Parts of a result that are lost on their way: made again by the cluster, and taken up in between.
 *
 * <p>A result is one row after the other, whatever parts it comes in. Whoever has given out some
 * rows can go on behind them in parts that were made again, if the outputs up to there are what
 * they were (P5.9).
 */
final class ResultParts {
  private ResultParts() {}

  /** Which outputs to ask for again after a part could not be read; nothing if it is no use. */
  static Optional<List<String>> lost(SpringaldException error, ResultPart part) {
    if (error instanceof CallerException.TicketExpired) {
      return Optional.of(List.of());
    }
    List<String> names = part.getOutputsList().stream().map(ResultOutput::getTaskId).toList();
    if (names.isEmpty() || error.fault() != Fault.CLUSTER) {
      return Optional.empty();
    }
    return Optional.of(names.contains(error.nodeId()) ? List.of(error.nodeId()) : names);
  }

  /**
   * Checks that the first rows of a result are what they were.
   *
   * @throws ClusterException.InputLost if they are not, or that is not known
   */
  static void checkRowsBefore(List<ResultPart> former, List<ResultPart> now, long rows) {
    List<ResultOutput> before = outputs(former);
    List<ResultOutput> after = outputs(now);
    long left = rows;
    for (int at = 0; left > 0; at++) {
      if (at >= Math.min(before.size(), after.size())) {
        throw ErrorCode.INTERNAL.error(
            "a result has the rows that it gave out: got fewer when it was made again");
      }
      if (!areSame(before.get(at), after.get(at))) {
        throw ErrorCode.INPUT_LOST.error(
            "rows of a result that were lost and made again must go on where they broke off: got"
                + " others before that; run the query again");
      }
      left -= before.get(at).getRows();
    }
  }

  private static List<ResultOutput> outputs(List<ResultPart> parts) {
    return parts.stream().flatMap(part -> part.getOutputsList().stream()).toList();
  }

  private static boolean areSame(ResultOutput before, ResultOutput after) {
    if (before.getTaskId().equals(after.getTaskId())) {
      return true;
    }
    return task(before).equals(task(after))
        && before.getRows() == after.getRows()
        && before.getDigest() != 0
        && before.getDigest() == after.getDigest();
  }

  private static String task(ResultOutput output) {
    return output.getTaskId().split("#", 2)[0];
  }
}
