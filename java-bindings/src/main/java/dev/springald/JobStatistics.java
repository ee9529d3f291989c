package dev.springald;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import springald.scheduler.v1.Scheduler;
import springald.scheduler.v1.Scheduler.DescribeJobResponse;

/**
 * What a job did, in figures.
 *
 * <pre>{@code
 * JobStatistics did = job.statistics();
 * System.out.println(did.tasksPerExecutor() + " tasks, " + did.bytesShuffled() + " bytes shuffled");
 * }</pre>
 *
 * @param jobId the scheduler's name for the job
 * @param status where it stood when the figures were taken
 * @param progress its tasks by state
 * @param elapsed how long it has run, or ran
 * @param stages one entry a stage, in stage order
 * @param tasks one entry a task, in order of stage and task
 * @param decisions what was decided about the plan, before or while it ran, in a sentence each
 */
public record JobStatistics(
    String jobId,
    JobStatus status,
    Progress progress,
    Duration elapsed,
    List<StageStatistics> stages,
    List<TaskStatistics> tasks,
    List<String> decisions) {

  /** Bytes that went through exchanges, over all stages. */
  public long bytesShuffled() {
    return stages.stream().mapToLong(StageStatistics::bytesShuffled).sum();
  }

  /** How many tasks each executor was given, by executor id. */
  public Map<String, Integer> tasksPerExecutor() {
    Map<String, Integer> counted = new TreeMap<>();
    tasks.stream()
        .filter(task -> !task.executorId().isEmpty())
        .forEach(task -> counted.merge(task.executorId(), 1, Integer::sum));
    return counted;
  }

  static JobStatistics fromProto(DescribeJobResponse message) {
    return new JobStatistics(
        message.getSummary().getJobId(),
        JobStatus.fromProto(message.getSummary().getStatus()),
        Progress.fromProto(message.getSummary().getProgress()),
        Duration.ofMillis(message.getSummary().getElapsedMs()),
        message.getStagesList().stream().map(StageStatistics::fromProto).toList(),
        message.getTasksList().stream().map(TaskStatistics::fromProto).toList(),
        List.copyOf(message.getGraph().getDecisionsList()));
  }

  /**
   * The tasks of one stage, summed up.
   *
   * <pre>{@code
   * long rows = job.statistics().stages().get(0).rowsOut();
   * }</pre>
   *
   * @param stageId the stage's number in the job, from 1
   * @param tasks tasks planned; 0 before the stage starts
   * @param tasksFinished tasks done
   * @param rowsOut rows that came out
   * @param bytesOut bytes that came out into shuffle or result files
   * @param bytesShuffled bytes that the stage put through an exchange; 0 for the last stage
   * @param bytesReadLocal bytes of inputs that tasks read in place on their own executor
   * @param bytesReadRemote bytes of inputs that tasks fetched from other executors
   * @param elapsed from the first task's start to the last one's end
   */
  public record StageStatistics(
      int stageId,
      int tasks,
      int tasksFinished,
      long rowsOut,
      long bytesOut,
      long bytesShuffled,
      long bytesReadLocal,
      long bytesReadRemote,
      Duration elapsed) {
    static StageStatistics fromProto(Scheduler.StageStatistics message) {
      return new StageStatistics(
          message.getStageId(),
          message.getTasksTotal(),
          message.getTasksFinished(),
          message.getRowsOut(),
          message.getBytesOut(),
          message.getBytesShuffled(),
          message.getBytesReadLocal(),
          message.getBytesReadRemote(),
          Duration.ofMillis(message.getElapsedMs()));
    }
  }

  /**
   * What became of one task.
   *
   * <pre>{@code
   * job.statistics().tasks().forEach(task -> System.out.println(task.taskId() + task.state()));
   * }</pre>
   *
   * @param taskId the attempt that counts, for example {@code j7/s2/t14#1}
   * @param stageId its stage
   * @param executorId the executor that ran it; empty if it has not started
   * @param partitions partitions of the stage that it ran
   * @param state {@code waiting}, {@code running}, {@code finished}, {@code failed} or {@code
   *     cancelled}
   * @param rowsOut rows that came out
   * @param bytesOut bytes that came out
   * @param elapsed how long it ran
   */
  public record TaskStatistics(
      String taskId,
      int stageId,
      String executorId,
      List<Integer> partitions,
      String state,
      long rowsOut,
      long bytesOut,
      Duration elapsed) {
    static TaskStatistics fromProto(Scheduler.TaskStatistics message) {
      return new TaskStatistics(
          message.getTaskId(),
          message.getStageId(),
          message.getExecutorId(),
          List.copyOf(message.getPartitionsList()),
          message.getState(),
          message.getRowsOut(),
          message.getBytesOut(),
          Duration.ofMillis(message.getElapsedMs()));
    }
  }
}
