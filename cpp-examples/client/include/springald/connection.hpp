/// Connections: where a session's tables are made and its queries begin.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "springald/job.hpp"
#include "springald/statement.hpp"

namespace springald {

/// How connections to the scheduler and to executors are encrypted. All files are PEM.
struct TlsOptions {
  /// The authorities that are trusted; empty for those that the system's gRPC trusts.
  std::string trusted_certificates;
  /// A certificate of this client, and its private key; both or neither.
  std::string client_certificate;
  std::string client_key;
  /// The name expected in the servers' certificates; empty for the one they are reached by.
  std::string host_name;
};

/// How a connection is made, and how long it waits for an answer.
struct ConnectOptions {
  /// Settings to begin with, as by `SET`.
  std::map<std::string, std::string> settings;
  /// How long opening the session may take before the scheduler counts as not reachable.
  std::chrono::milliseconds connect_timeout{5'000};
  /// How long one call may take; planning and listing many files are the slow ones.
  std::chrono::milliseconds call_timeout{60'000};
  /// How long an executor may leave a reader without the next rows, before they count as lost.
  std::chrono::milliseconds rows_silence{20'000};
  /// Whether rows that lie on this host are read from their files (clause P5.6 of the protocol).
  bool read_in_place = true;
  /// How connections are encrypted, or that they are not.
  std::optional<TlsOptions> tls = std::nullopt;
};

/// A session with a scheduler. It may be used from several threads at once. Closing it, which its
/// destructor does, releases everything that it made on the cluster: tables, uploads, jobs,
/// results.
///
///     auto connection = springald::connect("springald://127.0.0.1:50050");
///     auto table = connection.query("SELECT 1 AS one");
class Connection {
 public:
  Connection(const std::vector<std::string>& addresses, const ConnectOptions& options);
  /// Wraps a session. Users call connect().
  explicit Connection(std::shared_ptr<Session> session);
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  /// The session's id on the scheduler.
  const std::string& session_id() const;
  /// The version of Springald that the scheduler runs.
  const std::string& scheduler_version() const;

  /// Starts a statement: SQL text, with parameters or without, or a plan.
  ///
  /// Throws Error if the scheduler does not accept it. What is wrong with an accepted query is
  /// thrown where its rows are asked for.
  Job execute(std::string_view sql) const { return execute(sql_plan(sql)); }
  Job execute(std::string_view sql, const PositionalParameters& parameters) const {
    return execute(sql_plan(sql, parameters));
  }
  Job execute(std::string_view sql, const NamedParameters& parameters) const {
    return execute(sql_plan(sql, parameters));
  }
  Job execute(plan::v1::Plan plan) const;

  /// Runs a statement to its end, and returns all its rows.
  std::shared_ptr<arrow::Table> query(std::string_view sql) const { return execute(sql).table(); }
  std::shared_ptr<arrow::Table> query(std::string_view sql,
                                      const PositionalParameters& parameters) const {
    return execute(sql, parameters).table();
  }
  std::shared_ptr<arrow::Table> query(std::string_view sql,
                                      const NamedParameters& parameters) const {
    return execute(sql, parameters).table();
  }
  std::shared_ptr<arrow::Table> query(plan::v1::Plan plan) const {
    return execute(std::move(plan)).table();
  }

  /// Plans a query without running it, and returns its columns.
  std::shared_ptr<arrow::Schema> describe(plan::v1::Plan plan) const;
  std::shared_ptr<arrow::Schema> describe(std::string_view sql) const {
    return describe(sql_plan(sql));
  }

  /// Registers files as a table; one of that name is replaced.
  ///
  /// The path is as the cluster sees it. Options are those of `CREATE EXTERNAL TABLE ... OPTIONS`.
  void register_files(std::string_view name, physical::v1::FileFormat format, std::string_view path,
                      const std::map<std::string, std::string>& options = {}) const;

  /// Makes rows in memory a table; they are sent to the cluster once, now. One of that name is
  /// replaced.
  void register_rows(std::string_view name, arrow::RecordBatchReader& rows) const;
  void register_rows(std::string_view name, const arrow::Table& rows) const;

  /// The session's tables and views, in the order of their names.
  std::vector<scheduler::v1::TableSummary> tables() const;
  /// Jobs that the scheduler remembers, newest first; at most 1 to 1000.
  std::vector<scheduler::v1::JobSummary> jobs(bool all_sessions = false,
                                              std::uint32_t jobs_max = 100) const;
  /// The cluster's executors, in the order in which they came.
  std::vector<scheduler::v1::ExecutorSummary> executors() const;

  /// Stops a job of any session, by its id; one that has ended is left as it is.
  void cancel_job(std::string_view job_id, std::string_view reason = "") const;

  /// Ends the session and all it holds; closing again does nothing.
  void close();

 private:
  std::shared_ptr<Session> session_;
};

/// Opens a session with the scheduler at `springald://host:port`, or with the one that leads of
/// several at `springald://host:port,host:port`, or with the one that leads of those that keep
/// their state in the etcd at `springald+etcd://host:port,host:port/prefix`. While the session
/// lives, calls and jobs ride through a scheduler that restarts with its state, and follow the
/// leadership to another one.
///
/// Throws ClusterError (SCHEDULER_UNAVAILABLE) if nothing answers there within a few seconds, and
/// CallerError if the URL is not one of a scheduler.
Connection connect(std::string_view url, const ConnectOptions& options = {});

}  // namespace springald
