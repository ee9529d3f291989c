/// One file of a result, opened and proved to be the one that the executor told of (P5.6).
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "springald/executor/v1/files.pb.h"

namespace springald {

class LocatedFile {
 public:
  /// Opens the file; nothing if it is not there, not this user's, or another one.
  static std::optional<LocatedFile> open(const executor::v1::LocatedFile& told);

  /// The columns as they were written.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// The rows of the next block that was told of; null after the last.
  ///
  /// Throws Error (INPUT_LOST) if they are not what was written (P5.4).
  std::shared_ptr<arrow::RecordBatch> next();

 private:
  struct Block {
    std::int64_t start;
    std::int64_t end;
    std::uint64_t checksum;
  };

  LocatedFile(std::shared_ptr<arrow::io::RandomAccessFile> file,
              std::shared_ptr<arrow::Schema> schema, const executor::v1::LocatedFile& told);

  std::shared_ptr<arrow::io::RandomAccessFile> file_;
  std::shared_ptr<arrow::Schema> schema_;
  std::string task_id_;
  std::vector<Block> blocks_;
  std::size_t at_ = 0;
};

}  // namespace springald
