#include "springald/job.hpp"

#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>

#include <atomic>
#include <random>
#include <utility>

#include "flight_error.hpp"
#include "job_watch.hpp"
#include "part_reader.hpp"
#include "session.hpp"
#include "text.hpp"

namespace springald {

using scheduler::v1::JobStatus;
using Stub = scheduler::v1::SchedulerService::Stub;

namespace {

/// A name for one execution of a statement that nobody else uses: 128 random bits.
std::string new_operation_id() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::random_device random;
  std::string id = "op-";
  for (int word = 0; word < 4; ++word) {
    auto bits = random();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4U) id += kDigits[bits & 15U];
  }
  return id;
}

/// Rows that came with the job's last news.
class InlineRows : public RowSource {
 public:
  explicit InlineRows(std::string arrow_stream) {
    if (arrow_stream.empty()) return;  // a statement without rows
    reader_ = take_arrow(
        arrow::ipc::RecordBatchStreamReader::Open(std::make_shared<arrow::io::BufferReader>(
            arrow::Buffer::FromString(std::move(arrow_stream)))),
        "rows in a message must be an Arrow stream");
    schema_ = reader_->schema();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  std::shared_ptr<arrow::RecordBatch> next() override {
    if (reader_ == nullptr) return nullptr;
    return take_arrow(reader_->Next(), "rows in a message must be an Arrow stream");
  }

 private:
  std::shared_ptr<arrow::RecordBatchReader> reader_;
  std::shared_ptr<arrow::Schema> schema_ = arrow::schema({});
};

}  // namespace

bool is_final(JobStatus status) {
  return status == scheduler::v1::JOB_STATUS_SUCCEEDED ||
         status == scheduler::v1::JOB_STATUS_FAILED ||
         status == scheduler::v1::JOB_STATUS_CANCELLED;
}

/// What a job and the rows that are read from it hold together.
class Job::State {
 public:
  State(std::shared_ptr<Session> session, plan::v1::Plan plan)
      : session_(std::move(session)),
        watch_(std::make_unique<JobWatch>(*session_, new_operation_id(), std::move(plan))) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { release(); }

  Session& session() { return *session_; }
  const std::shared_ptr<Session>& session_ptr() { return session_; }
  JobWatch& watch() { return *watch_; }

  /// Gives up the job's result, and the job if it runs; again does nothing.
  void release() {
    if (released_.exchange(true) || !session_->is_open()) return;
    scheduler::v1::ReleaseJobRequest request;
    request.set_session_id(session_->id());
    request.set_operation_id(watch_->operation_id());
    try {
      session_->scheduler().call_briefly(&Stub::ReleaseJob, request);
    } catch (const Error&) {
      // The result then goes when its time is over, or with its session.
    }
  }

  /// Notes that the result is read now, or throws: its rows go while they are read.
  void begin_reading() {
    if (!read_.exchange(true)) return;
    raise(error::v1::CODE_JOB_NOT_FOUND, "a result is read once: got a second reading of " +
                                             watch_->operation_id() + "; execute the query again");
  }

  /// Waits until the scheduler has made a job of the statement, or has refused it.
  void wait_accepted() {
    const auto timeout = session_->options().call_timeout;
    if (!watch_->wait_first(timeout)) {
      // Nobody is there; nobody is slow.
      if (const auto broken = watch_->broken()) raise(*broken);
      raise(error::v1::CODE_DEADLINE_EXCEEDED,
            "a scheduler must accept a statement within " + std::to_string(timeout.count()) +
                " ms: got no news from " + session_->scheduler().address() +
                "; its process may be stopped or overloaded: look at it and at its log, then try "
                "again");
    }
    const auto failure = watch_->failure();
    if (failure && watch_->update().job_id().empty()) raise(*failure);
  }

  scheduler::v1::JobResult wait_result() {
    watch_->wait_over(std::nullopt);
    if (const auto failure = watch_->failure()) raise(*failure);
    auto update = watch_->update();
    if (update.status() != scheduler::v1::JOB_STATUS_SUCCEEDED) {
      raise(error::v1::CODE_INTERNAL, "a failed job says why: got no error for " + update.job_id());
    }
    return std::move(*update.mutable_result());
  }

 private:
  std::shared_ptr<Session> session_;
  std::unique_ptr<JobWatch> watch_;
  std::atomic<bool> released_ = false;
  std::atomic<bool> read_ = false;
};

/// Rows that keep their job, and with it the result, alive until they were read to their end.
class Job::Rows : public RowSource {
 public:
  Rows(std::shared_ptr<State> state, std::unique_ptr<RowSource> rows)
      : state_(std::move(state)), rows_(std::move(rows)), schema_(rows_->schema()) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  std::shared_ptr<arrow::RecordBatch> next() override {
    if (rows_ == nullptr) return nullptr;
    auto batch = rows_->next();
    if (batch == nullptr) {
      rows_.reset();
      state_->release();
      state_.reset();
    }
    return batch;
  }

 private:
  std::shared_ptr<State> state_;
  std::unique_ptr<RowSource> rows_;
  std::shared_ptr<arrow::Schema> schema_;
};

std::unique_ptr<RowSource> Job::open_rows(const std::shared_ptr<State>& state,
                                          const scheduler::v1::JobResult& result) {
  if (!result.has_remote()) return std::make_unique<InlineRows>(result.inline_().arrow_stream());
  const auto& id = state->watch().operation_id();
  Parts parts(result.remote().parts().begin(), result.remote().parts().end());
  if (parts.empty()) {
    raise(error::v1::CODE_INTERNAL, "a result has at least one part: got none of " + id);
  }
  auto rows = std::make_unique<PartReader>(state->session_ptr(), id, std::move(parts));
  return std::make_unique<Rows>(state, std::move(rows));
}

Job::Job(std::shared_ptr<Session> session, plan::v1::Plan plan) {
  session->check_open();
  state_ = std::make_shared<State>(std::move(session), std::move(plan));
  state_->wait_accepted();
}

Job::Job(Job&&) noexcept = default;
Job& Job::operator=(Job&&) noexcept = default;
Job::~Job() = default;

std::string Job::id() const { return state_->watch().update().job_id(); }
const std::string& Job::operation_id() const { return state_->watch().operation_id(); }
JobStatus Job::status() const { return state_->watch().status(); }
scheduler::v1::Progress Job::progress() const { return state_->watch().update().progress(); }
std::string Job::waiting_reason() const { return state_->watch().update().waiting_reason(); }
std::optional<error::v1::Error> Job::failure() const { return state_->watch().failure(); }

void Job::on_update(std::function<void(const scheduler::v1::JobUpdate&)> listener) {
  state_->watch().listen(std::move(listener));
}

JobStatus Job::wait() const {
  state_->watch().wait_over(std::nullopt);
  return status();
}

JobStatus Job::wait_for(std::chrono::milliseconds timeout) const {
  state_->watch().wait_over(timeout);
  return status();
}

Batches Job::batches() {
  const auto result = state_->wait_result();
  state_->begin_reading();
  return Batches(open_rows(state_, result));
}

std::shared_ptr<arrow::Table> Job::table() {
  auto result = state_->wait_result();
  state_->begin_reading();
  // A result that is another one, since it was lost, is read once more.
  for (int tried = 0;; ++tried) {
    try {
      return Batches(open_rows(state_, result)).to_table();
    } catch (const ResultChanged& changed) {
      if (tried == limits::kRestoresMax) throw;
      auto& parts = *result.mutable_remote()->mutable_parts();
      parts.Assign(changed.parts().begin(), changed.parts().end());
    }
  }
}

void Job::cancel(std::string_view reason) {
  scheduler::v1::CancelJobRequest request;
  request.set_session_id(state_->session().id());
  request.set_operation_id(operation_id());
  request.set_reason(checked_text(reason, "a reason"));
  state_->session().call(&Stub::CancelJob, request);
}

scheduler::v1::DescribeJobResponse Job::describe(bool with_tasks) const {
  scheduler::v1::DescribeJobRequest request;
  request.set_session_id(state_->session().id());
  request.set_operation_id(operation_id());
  request.set_without_tasks(!with_tasks);
  return state_->session().call(&Stub::DescribeJob, request);
}

}  // namespace springald
