/// Reading a result: its parts in order, a little ahead of whoever asks for the rows.
#pragma once

#include <memory>
#include <string>

#include "result_parts.hpp"
#include "row_source.hpp"

namespace springald {

class Session;

/// The rows of a result, in the order of its parts. A thread fetches them, so that the next are on
/// their way while the last are worked on, and so that an executor that does not answer keeps
/// nobody for longer than ConnectOptions::rows_silence. Parts that are lost are made again (P5.9).
class PartReader : public RowSource {
 public:
  PartReader(std::shared_ptr<Session> session, std::string operation_id, Parts parts);
  ~PartReader() override;

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  std::shared_ptr<arrow::RecordBatch> next() override;

 private:
  class Fetch;
  std::shared_ptr<Fetch> fetch_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace springald
