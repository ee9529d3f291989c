#include "rows_in_place.hpp"

#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "flight_error.hpp"
#include "limits.hpp"
#include "located_file.hpp"
#include "springald/executor/v1/files.pb.h"

namespace springald {

namespace {

using SchemaPtr = std::shared_ptr<arrow::Schema>;

constexpr const char* kResultSchemaKey = "springald:result_schema";

std::string host_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id;
}

std::optional<executor::v1::LocatedFiles> locate(arrow::flight::FlightClient& client,
                                                 const std::string& ticket) {
  arrow::flight::FlightCallOptions options;
  options.timeout = limits::kLocateMax;
  auto answers = client.DoAction(options, {"locate", arrow::Buffer::FromString(ticket)});
  if (!answers.ok()) return std::nullopt;
  auto answer = (*answers)->Next();
  executor::v1::LocatedFiles told;
  if (!answer.ok() || *answer == nullptr ||
      !told.ParseFromArray((*answer)->body->data(), static_cast<int>((*answer)->body->size()))) {
    return std::nullopt;
  }
  const auto here = host_id();
  if (here.empty() || told.host_id() != here || told.files().empty()) return std::nullopt;
  return told;
}

/// The schema that the client was promised: a file holds plain types, and remembers it.
SchemaPtr result_schema(const SchemaPtr& written) {
  const auto& metadata = written->metadata();
  if (metadata == nullptr || !metadata->Contains(kResultSchemaKey)) return written;
  auto remembered = metadata->Get(kResultSchemaKey);
  if (!remembered.ok()) return nullptr;
  arrow::io::BufferReader reader(arrow::Buffer::FromString(*std::move(remembered)));
  arrow::ipc::DictionaryMemo dictionaries;
  return arrow::ipc::ReadSchema(&reader, &dictionaries).ValueOr(nullptr);
}

/// True if a cast from a file's type to the promised one is Arrow's own, and keeps every value.
bool restores(const arrow::DataType& written, const arrow::DataType& promised) {
  using arrow::Type;
  return written.Equals(promised) ||
         (written.id() == Type::STRING && promised.id() == Type::STRING_VIEW) ||
         (written.id() == Type::BINARY && promised.id() == Type::BINARY_VIEW);
}

bool restores(const arrow::Schema& written, const arrow::Schema& promised) {
  return std::equal(written.fields().begin(), written.fields().end(), promised.fields().begin(),
                    promised.fields().end(), [](const auto& from, const auto& to) {
                      return restores(*from->type(), *to->type());
                    });
}

class RowsInPlace : public RowSource {
 public:
  /// The files are open from the start, so that they are there until they are read, also if the job
  /// is released or the executor ends.
  RowsInPlace(std::vector<LocatedFile> files, SchemaPtr schema)
      : files_(std::move(files)), schema_(std::move(schema)) {}

  SchemaPtr schema() const override { return schema_; }

  std::shared_ptr<arrow::RecordBatch> next() override {
    for (; file_ < files_.size(); ++file_) {
      if (auto batch = files_[file_].next()) return restore(batch);
    }
    return nullptr;
  }

 private:
  std::shared_ptr<arrow::RecordBatch> restore(const std::shared_ptr<arrow::RecordBatch>& read) {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    columns.reserve(read->num_columns());
    for (int at = 0; at < read->num_columns(); ++at) {
      const auto& promised = schema_->field(at)->type();
      auto column = read->column(at);
      if (!column->type()->Equals(promised)) {
        column = take_arrow(arrow::compute::Cast(*column, promised), "a result's column");
      }
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(schema_, read->num_rows(), std::move(columns));
  }

  std::vector<LocatedFile> files_;
  SchemaPtr schema_;
  std::size_t file_ = 0;
};

}  // namespace

std::unique_ptr<RowSource> rows_in_place(arrow::flight::FlightClient& client,
                                         const std::string& ticket) {
  static const auto kReady = arrow::compute::Initialize();
  const auto located = locate(client, ticket);
  if (!located || !kReady.ok()) return nullptr;
  std::vector<LocatedFile> files;
  for (const auto& told : located->files()) {
    auto opened = LocatedFile::open(told);
    if (!opened) return nullptr;
    files.push_back(*std::move(opened));
  }
  const auto schema = result_schema(files.front().schema());
  const bool all_restore =
      schema != nullptr && std::ranges::all_of(files, [&](const LocatedFile& file) {
        return restores(*file.schema(), *schema);
      });
  if (!all_restore) return nullptr;
  return std::make_unique<RowsInPlace>(std::move(files), schema);
}

}  // namespace springald
