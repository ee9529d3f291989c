#include "springald/connection.hpp"

#include <arrow/table.h>
#include <arrow/util/byte_size.h>

#include "caret.hpp"
#include "session.hpp"
#include "springald/types.hpp"
#include "text.hpp"
#include "url.hpp"

namespace springald {

using Stub = scheduler::v1::SchedulerService::Stub;

namespace {

template <class Messages>
auto to_vector(Messages* messages) {
  return std::vector<typename Messages::value_type>(std::make_move_iterator(messages->begin()),
                                                    std::make_move_iterator(messages->end()));
}

/// Sends rows to the cluster once, and makes them a table of the session.
void upload(Session& session, std::string_view name, arrow::RecordBatchReader& rows,
            std::int64_t bytes_expected) {
  scheduler::v1::RegisterUploadRequest request;
  request.set_session_id(session.id());
  request.set_name(checked_text(name, "a table's name"));
  *request.mutable_schema() = to_proto(*rows.schema());

  scheduler::v1::PrepareUploadRequest prepare;
  prepare.set_session_id(session.id());
  prepare.set_bytes_expected(static_cast<std::uint64_t>(bytes_expected));
  const auto prepared = session.call(&Stub::PrepareUpload, prepare);
  session.flight().store(prepared, rows);

  request.set_upload_id(prepared.upload_id());
  session.call(&Stub::RegisterUpload, request);
}

}  // namespace

Connection connect(std::string_view url, const ConnectOptions& options) {
  return Connection(std::make_shared<Session>(cluster_of(url), options));
}

Connection::Connection(const std::vector<std::string>& addresses, const ConnectOptions& options)
    : Connection(std::make_shared<Session>(Cluster{.addresses = addresses, .find = {}}, options)) {}

Connection::Connection(std::shared_ptr<Session> session) : session_(std::move(session)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this != &other) {
    close();
    session_ = std::move(other.session_);
  }
  return *this;
}

Connection::~Connection() { close(); }

void Connection::close() {
  if (session_ != nullptr) session_->close();
}

const std::string& Connection::session_id() const { return session_->id(); }

const std::string& Connection::scheduler_version() const { return session_->scheduler_version(); }

Job Connection::execute(plan::v1::Plan plan) const { return Job(session_, std::move(plan)); }

std::shared_ptr<arrow::Schema> Connection::describe(plan::v1::Plan plan) const {
  scheduler::v1::DescribeQueryRequest request;
  request.set_session_id(session_->id());
  *request.mutable_plan() = std::move(plan);
  try {
    return from_proto(session_->call(&Stub::DescribeQuery, request).schema());
  } catch (const Error& error) {
    auto told = error.proto();
    add_caret(told, request.plan().sql().text());
    raise(std::move(told));
  }
}

void Connection::register_files(std::string_view name, physical::v1::FileFormat format,
                                std::string_view path,
                                const std::map<std::string, std::string>& options) const {
  scheduler::v1::RegisterFilesRequest request;
  request.set_session_id(session_->id());
  request.set_name(checked_text(name, "a table's name"));
  request.mutable_files()->set_format(format);
  request.mutable_files()->set_path(checked_text(path, "a path"));
  for (const auto& [option, value] : options) {
    auto& added = *request.mutable_files()->add_options();
    added.set_name(checked_text(option, "an option's name"));
    added.set_value(checked_text(value, "an option"));
  }
  session_->call(&Stub::RegisterFiles, request);
}

void Connection::register_rows(std::string_view name, arrow::RecordBatchReader& rows) const {
  upload(*session_, name, rows, 0);
}

void Connection::register_rows(std::string_view name, const arrow::Table& rows) const {
  arrow::TableBatchReader reader(rows);
  upload(*session_, name, reader, arrow::util::TotalBufferSize(rows));
}

std::vector<scheduler::v1::TableSummary> Connection::tables() const {
  scheduler::v1::ListTablesRequest request;
  request.set_session_id(session_->id());
  auto listed = session_->call(&Stub::ListTables, request);
  return to_vector(listed.mutable_tables());
}

std::vector<scheduler::v1::JobSummary> Connection::jobs(bool all_sessions,
                                                        std::uint32_t jobs_max) const {
  scheduler::v1::ListJobsRequest request;
  if (!all_sessions) request.set_session_id(session_->id());
  request.set_jobs_max(jobs_max);
  auto listed = session_->call(&Stub::ListJobs, request);
  return to_vector(listed.mutable_jobs());
}

std::vector<scheduler::v1::ExecutorSummary> Connection::executors() const {
  auto listed = session_->call(&Stub::ListExecutors, scheduler::v1::ListExecutorsRequest());
  return to_vector(listed.mutable_executors());
}

void Connection::cancel_job(std::string_view job_id, std::string_view reason) const {
  scheduler::v1::CancelJobRequest request;
  request.set_operation_id(checked_text(job_id, "a job's id"));
  request.set_reason(checked_text(reason, "a reason"));
  session_->call(&Stub::CancelJob, request);
}

}  // namespace springald
