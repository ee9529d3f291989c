/// Rows over Arrow Flight: parts of results in, uploads out, over one channel an address.
#pragma once

#include <arrow/flight/client.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "credentials.hpp"
#include "row_source.hpp"
#include "springald/scheduler/v1/scheduler.pb.h"

namespace springald {

/// Connections to Flight servers, opened when first used.
class FlightConnections {
 public:
  FlightConnections(bool read_in_place, Credentials credentials)
      : read_in_place_(read_in_place), credentials_(std::move(credentials)) {}

  /// Opens a part of a result: its files if they lie on this host, else the stream.
  std::unique_ptr<RowSource> read(const scheduler::v1::ResultPart& part);

  /// Sends rows to where an upload was prepared. Returns how many there were.
  std::int64_t store(const scheduler::v1::PrepareUploadResponse& prepared,
                     arrow::RecordBatchReader& rows);

 private:
  std::shared_ptr<arrow::flight::FlightClient> client(const std::string& address);
  bool may_be_here(const scheduler::v1::ResultPart& part);

  const bool read_in_place_;
  const Credentials credentials_;
  std::mutex lock_;
  std::map<std::string, std::shared_ptr<arrow::flight::FlightClient>> clients_;
  std::set<std::string> apart_;  // addresses whose files cannot be read from here
};

}  // namespace springald
