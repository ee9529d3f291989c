#include "springald/batches.hpp"

#include <arrow/table.h>

#include <utility>
#include <vector>

#include "flight_error.hpp"
#include "row_source.hpp"

namespace springald {

namespace {

/// Batches as Arrow's own interface has them.
class Reader : public arrow::RecordBatchReader {
 public:
  explicit Reader(Batches batches) : batches_(std::move(batches)), schema_(batches_.schema()) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    try {
      *batch = batches_.next();
      return arrow::Status::OK();
    } catch (const Error& error) {
      return arrow::Status::IOError(error.what());
    }
  }

 private:
  Batches batches_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

Batches::Batches(std::unique_ptr<RowSource> source) : source_(std::move(source)) {}
Batches::Batches(Batches&&) noexcept = default;
Batches& Batches::operator=(Batches&&) noexcept = default;
Batches::~Batches() = default;

std::shared_ptr<arrow::Schema> Batches::schema() const { return source_->schema(); }

std::shared_ptr<arrow::RecordBatch> Batches::next() { return source_->next(); }

std::shared_ptr<arrow::Table> Batches::to_table() {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  while (auto batch = next()) batches.push_back(std::move(batch));
  return take_arrow(arrow::Table::FromRecordBatches(schema(), std::move(batches)),
                    "batches of one schema are a table");
}

std::shared_ptr<arrow::RecordBatchReader> Batches::to_reader(Batches batches) {
  return std::make_shared<Reader>(std::move(batches));
}

}  // namespace springald
