package dev.springald;

import java.time.Duration;
import springald.scheduler.v1.Scheduler.ExecutorSummary;

/**
 * An executor in a list.
 *
 * <pre>{@code
 * int slots = session.executors().stream().mapToInt(ExecutorInfo::slots).sum();
 * }</pre>
 *
 * @param id the executor's id
 * @param flightAddress its Flight server, {@code host:port}
 * @param slots slots in all
 * @param slotsFree slots without a task
 * @param state {@code active} or {@code draining}
 * @param memoryBytes the memory that it deals out to tasks
 * @param silent how long ago it was last heard
 * @param pid process id of its agent
 */
public record ExecutorInfo(
    String id,
    String flightAddress,
    int slots,
    int slotsFree,
    String state,
    long memoryBytes,
    Duration silent,
    int pid) {
  static ExecutorInfo fromProto(ExecutorSummary message) {
    return new ExecutorInfo(
        message.getExecutorId(),
        message.getFlightAddress(),
        message.getSlotsTotal(),
        message.getSlotsFree(),
        message.getState(),
        message.getMemoryBytes(),
        Duration.ofMillis(message.getSilentMs()),
        message.getPid());
  }
}
