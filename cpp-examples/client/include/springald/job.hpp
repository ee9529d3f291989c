/// A job: one execution of a statement, followed in the background.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "springald/batches.hpp"
#include "springald/error.hpp"
#include "springald/plan/v1/plan.pb.h"
#include "springald/scheduler/v1/scheduler.pb.h"

namespace springald {

class RowSource;
class Session;

/// One execution of a statement; made by Connection::execute(). It may be used from several
/// threads.
///
/// The job runs on whether or not somebody looks. Destroying the last of a job and its Batches
/// gives its result up and stops it if it runs; so does reading its rows to their end.
class Job {
 public:
  /// Starts a statement. Users call Connection::execute().
  Job(std::shared_ptr<Session> session, plan::v1::Plan plan);
  Job(Job&&) noexcept;
  Job& operator=(Job&&) noexcept;
  ~Job();

  /// The scheduler's name for the job, for example `j7`.
  std::string id() const;
  /// This client's name for the job.
  const std::string& operation_id() const;
  /// Where the job stands.
  scheduler::v1::JobStatus status() const;
  /// Its tasks by state, over all stages known so far.
  scheduler::v1::Progress progress() const;
  /// Why it waits, for people; empty if it does not.
  std::string waiting_reason() const;
  /// Why it failed or was cancelled, once it did.
  std::optional<error::v1::Error> failure() const;

  /// Has a callable told the job's news: what is known now, and whatever comes, to its end.
  ///
  /// It is called by the thread that follows the job, so it must be quick, must not throw, and must
  /// not destroy the job.
  void on_update(std::function<void(const scheduler::v1::JobUpdate&)> listener);

  /// Waits for the end, and throws nothing if the end is a bad one. Returns the status at the end,
  /// or where the job stands when the time is over.
  scheduler::v1::JobStatus wait() const;
  scheduler::v1::JobStatus wait_for(std::chrono::milliseconds timeout) const;

  /// Waits for the job and returns its rows. They are read once, by batches() or table(), whether
  /// they are many or came with the job's last news; a second call throws JOB_NOT_FOUND.
  ///
  /// Throws Error: the job failed or was cancelled, or its rows are gone.
  Batches batches();

  /// Waits for the job and returns all its rows. If rows are lost while they are read, and others
  /// when they are made again, this begins again, where batches() has to throw.
  std::shared_ptr<arrow::Table> table();

  /// Stops the job; one that has ended is left as it is. The reason is for whoever else follows it.
  void cancel(std::string_view reason = "");

  /// Asks the scheduler for all about the job: its stages, tasks and figures.
  scheduler::v1::DescribeJobResponse describe(bool with_tasks = true) const;

 private:
  class State;
  class Rows;
  static std::unique_ptr<RowSource> open_rows(const std::shared_ptr<State>& state,
                                              const scheduler::v1::JobResult& result);
  std::shared_ptr<State> state_;
};

/// True if the status never changes again.
bool is_final(scheduler::v1::JobStatus status);

}  // namespace springald
