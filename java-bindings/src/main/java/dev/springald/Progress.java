package dev.springald;

import springald.scheduler.v1.Scheduler;

/**
 * Counts of a job's tasks and stages, over all stages known so far.
 *
 * <pre>{@code
 * job.onProgress(progress -> System.out.printf("%.0f%%%n", 100 * progress.fraction()));
 * }</pre>
 *
 * @param tasksTotal tasks of all stages
 * @param tasksRunning tasks that have an executor now
 * @param tasksFinished tasks done
 * @param stagesTotal stages of the job
 * @param stagesFinished stages done
 */
public record Progress(
    int tasksTotal, int tasksRunning, int tasksFinished, int stagesTotal, int stagesFinished) {

  /** The share of tasks that are done, from 0 to 1; 0 while none are known. */
  public double fraction() {
    return tasksTotal == 0 ? 0.0 : (double) tasksFinished / tasksTotal;
  }

  static Progress fromProto(Scheduler.Progress message) {
    return new Progress(
        message.getTasksTotal(),
        message.getTasksRunning(),
        message.getTasksFinished(),
        message.getStagesTotal(),
        message.getStagesFinished());
  }
}
