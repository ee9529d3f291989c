#include "handler.hpp"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>

#include <exception>
#include <utility>
#include <vector>

namespace contract = springald::conformance::v1;
namespace plans = springald::plan::v1;

namespace {

constexpr contract::Feature kFeatures[] = {
    contract::FEATURE_SQL,
    contract::FEATURE_SQL_PARAMETERS,
    contract::FEATURE_PLAN,
    contract::FEATURE_SUBSTRAIT,
    contract::FEATURE_SETTINGS,
    contract::FEATURE_UPLOAD,
    contract::FEATURE_REGISTER_FILES,
    contract::FEATURE_DESCRIBE,
    contract::FEATURE_CANCEL,
    contract::FEATURE_LIST_TABLES,
    contract::FEATURE_TYPED_ROWS,
    contract::FEATURE_SMALL_DECIMALS,
    contract::FEATURE_TLS,
};
constexpr const char* kReason = "a vector wants it";

contract::Answer done() {
  contract::Answer answer;
  answer.mutable_done();
  return answer;
}

contract::Answer hello() {
  contract::Answer answer;
  auto& told = *answer.mutable_hello();
  const auto version = springald::relations_plan({}).version();
  told.set_name(version.producer());
  for (const auto feature : kFeatures) told.add_features(feature);
  *told.mutable_plan_version() = version;
  return answer;
}

plans::Plan sql_plan(const plans::SqlText& sql) {
  if (sql.named_parameters().empty()) {
    return springald::sql_plan(sql.text(),
                               springald::PositionalParameters(sql.positional_parameters().begin(),
                                                               sql.positional_parameters().end()));
  }
  // A name that is there twice must reach the scheduler, so this goes round the library's map.
  auto plan = springald::sql_plan(sql.text(), {{"any", springald::parameter(0)}});
  *plan.mutable_sql() = sql;
  return plan;
}

plans::Plan plan_of(const contract::Statement& statement) {
  switch (statement.kind_case()) {
    case contract::Statement::kSql:
      return sql_plan(statement.sql());
    case contract::Statement::kPlan: {
      auto plan = statement.plan();
      if (!plan.has_version()) *plan.mutable_version() = springald::relations_plan({}).version();
      return plan;
    }
    case contract::Statement::kPlanBytes:
      return springald::plan_from_bytes(statement.plan_bytes());
    case contract::Statement::kSubstrait:
      return springald::substrait_plan(statement.substrait(), "");
    default:
      throw std::invalid_argument("a statement has a kind");
  }
}

contract::Answer rows_answer(const arrow::Table& table) {
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto writer = arrow::ipc::MakeStreamWriter(sink, table.schema()).ValueOrDie();
  if (!writer->WriteTable(table).ok() || !writer->Close().ok()) {
    throw std::runtime_error("rows become a stream");
  }
  contract::Answer answer;
  answer.set_rows(sink->Finish().ValueOrDie()->ToString());
  return answer;
}

contract::Answer typed_rows_answer(const arrow::Table& table) {
  contract::Answer answer;
  auto& rows = *answer.mutable_typed_rows();
  *rows.mutable_schema() = springald::to_proto(*table.schema());
  for (std::int64_t at = 0; at < table.num_rows(); ++at) {
    auto& row = *rows.add_rows();
    for (const auto& column : table.columns()) {
      const auto scalar = column->GetScalar(at).ValueOrDie();
      *row.add_values() = std::move(*springald::to_proto(*scalar).mutable_value());
    }
  }
  return answer;
}

/// The sum of a column's values modulo 2^64 if they are 64-bit integers, else 0.
std::uint64_t sum_of(const arrow::Array& column) {
  if (column.type_id() != arrow::Type::INT64) return 0;
  const auto& numbers = static_cast<const arrow::Int64Array&>(column);
  std::uint64_t sum = 0;
  for (std::int64_t at = 0; at < numbers.length(); ++at) {
    if (numbers.IsValid(at)) sum += static_cast<std::uint64_t>(numbers.Value(at));
  }
  return sum;
}

/// The first batch that has rows.
std::shared_ptr<arrow::RecordBatch> first_of(springald::Batches& batches) {
  auto first = batches.next();
  while (first->num_rows() == 0) first = batches.next();
  return first;
}

/// `first` was taken before, or is nothing.
contract::Answer totals_answer(const std::shared_ptr<arrow::RecordBatch>& first,
                               springald::Batches& batches) {
  std::uint64_t rows = 0;
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(batches.schema()->num_fields()));
  const auto add = [&](const arrow::RecordBatch& batch) {
    rows += static_cast<std::uint64_t>(batch.num_rows());
    for (std::size_t at = 0; at < sums.size(); ++at) {
      sums[at] += sum_of(*batch.column(static_cast<int>(at)));
    }
  };
  if (first) add(*first);
  for (const auto& batch : batches) add(*batch);
  contract::Answer answer;
  answer.mutable_totals()->set_rows(rows);
  if (rows > 0) {
    for (const auto sum : sums) {
      answer.mutable_totals()->add_sums(static_cast<std::int64_t>(sum));
    }
  }
  return answer;
}

}  // namespace

contract::Answer Handler::answer(const contract::Call& call) {
  Answer answer;
  try {
    return dispatch(call);
  } catch (const springald::Error& error) {
    *answer.mutable_error() = error.proto();
  } catch (const std::exception& error) {
    answer.set_broken(error.what());
  }
  return answer;
}

contract::Answer Handler::dispatch(const contract::Call& call) {
  switch (call.call_case()) {
    case contract::Call::kHello:
      return hello();
    case contract::Call::kConnect:
      return connect(call.connect());
    case contract::Call::kOpen:
      return open(call.open());
    case contract::Call::kClose:
      return close(call.close());
    case contract::Call::kExecute:
      return execute(call.execute());
    case contract::Call::kDescribe:
      return describe(call.describe());
    case contract::Call::kUpload:
      return upload(call.upload());
    case contract::Call::kRegisterFiles:
      return register_files(call.register_files());
    case contract::Call::kListTables:
      return list_tables(call.list_tables());
    case contract::Call::kStart:
      return start(call.start());
    case contract::Call::kFetch:
      return fetch(call.fetch());
    default:
      throw std::invalid_argument("a call is one that this program knows");
  }
}

contract::Answer Handler::connect(const contract::Connect& call) {
  held_.clear();
  sessions_.clear();
  url_ = call.url();
  tls_.reset();
  if (call.has_tls()) {
    tls_ = {call.tls().trusted_certificates(), call.tls().client_certificate(),
            call.tls().client_key(), call.tls().host_name()};
  }
  return done();
}

contract::Answer Handler::open(const contract::OpenCall& call) {
  springald::ConnectOptions options;
  options.tls = tls_;
  for (const auto& setting : call.settings().settings()) {
    options.settings[setting.name()] = setting.value();
  }
  sessions_.insert_or_assign(call.session(), springald::connect(url_, options));
  return done();
}

/// The session stays here, so that later calls meet a closed one.
contract::Answer Handler::close(const contract::CloseCall& call) {
  const auto found = sessions_.find(call.session());
  if (found != sessions_.end()) found->second.close();
  return done();
}

contract::Answer Handler::execute(const contract::ExecuteCall& call) {
  const auto& wanted = call.execute();
  auto job = sessions_.at(call.session()).execute(plan_of(wanted.statement()));
  if (wanted.cancel() == contract::CANCEL_MOMENT_AT_ONCE) job.cancel(kReason);
  auto batches = job.batches();
  std::shared_ptr<arrow::RecordBatch> first;
  if (wanted.cancel() == contract::CANCEL_MOMENT_FIRST_BATCH) {
    first = first_of(batches);
    job.cancel(kReason);
  }
  if (wanted.access() == contract::ACCESS_TOTALS) return totals_answer(first, batches);
  const auto table = batches.to_table();
  return wanted.access() == contract::ACCESS_ROWS ? typed_rows_answer(*table) : rows_answer(*table);
}

contract::Answer Handler::start(const contract::StartCall& call) {
  auto job = sessions_.at(call.session()).execute(plan_of(call.statement()));
  job.wait();
  Held held{std::move(job), std::nullopt, nullptr};
  if (call.takes_first_batch()) {
    held.batches = held.job.batches();
    held.first = first_of(*held.batches);
  }
  held_.insert_or_assign(call.session(), std::move(held));
  return done();
}

contract::Answer Handler::fetch(const contract::FetchCall& call) {
  auto held = std::move(held_.extract(call.session()).mapped());
  const bool totals = call.access() == contract::ACCESS_TOTALS;
  if (!held.batches && !totals) return rows_answer(*held.job.table());
  if (!held.batches) held.batches = held.job.batches();
  if (totals) return totals_answer(held.first, *held.batches);
  const auto rest = held.batches->to_table();
  const auto first = arrow::Table::FromRecordBatches({held.first}).ValueOrDie();
  return rows_answer(*arrow::ConcatenateTables({first, rest}).ValueOrDie());
}

contract::Answer Handler::describe(const contract::DescribeCall& call) {
  const auto schema = sessions_.at(call.session()).describe(plan_of(call.statement()));
  Answer answer;
  *answer.mutable_columns() = springald::to_proto(*schema);
  return answer;
}

contract::Answer Handler::upload(const contract::UploadCall& call) {
  const auto stream =
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(call.rows()));
  const auto reader = arrow::ipc::RecordBatchStreamReader::Open(stream).ValueOrDie();
  const auto table = reader->ToTable().ValueOrDie();
  sessions_.at(call.session()).register_rows(call.name(), *table);
  return done();
}

contract::Answer Handler::register_files(const contract::RegisterFilesCall& call) {
  const auto& files = call.register_files().files();
  std::map<std::string, std::string> options;
  for (const auto& option : files.options()) options[option.name()] = option.value();
  sessions_.at(call.session())
      .register_files(call.register_files().name(), files.format(), files.path(), options);
  return done();
}

contract::Answer Handler::list_tables(const contract::ListTablesCall& call) {
  Answer answer;
  answer.mutable_names();
  for (const auto& table : sessions_.at(call.session()).tables()) {
    answer.mutable_names()->add_names(table.name());
  }
  return answer;
}
