/// Where the rows of a result come from.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>

namespace springald {

/// A stream of rows. Its methods throw Error.
class RowSource {
 public:
  RowSource() = default;
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;
  virtual ~RowSource() = default;

  virtual std::shared_ptr<arrow::Schema> schema() const = 0;
  /// The next batch; null after the last.
  virtual std::shared_ptr<arrow::RecordBatch> next() = 0;
  /// Ends a next() that waits in another thread, if the source can.
  virtual void cancel() {}
};

}  // namespace springald
