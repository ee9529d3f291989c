#include "flight_connections.hpp"

#include <arrow/util/byte_size.h>

#include <algorithm>
#include <utility>

#include "flight_error.hpp"
#include "limits.hpp"
#include "rows_in_place.hpp"

namespace springald {

namespace flight = arrow::flight;

namespace {

/// Application metadata of the last message of an upload; without it the rows are dropped.
constexpr const char* kUploadComplete = "complete";

flight::FlightClientOptions client_options(const Credentials& credentials) {
  auto options = flight::FlightClientOptions::Defaults();
  options.tls_root_certs = credentials.trusted();
  options.cert_chain = credentials.certificate();
  options.private_key = credentials.key();
  options.override_hostname = credentials.host_name();
  const auto set_ms = [&](const char* name, limits::milliseconds value) {
    options.generic_options.emplace_back(name, static_cast<int>(value.count()));
  };
  set_ms("grpc.keepalive_time_ms", limits::kFlightKeepaliveInterval);
  set_ms("grpc.keepalive_timeout_ms", limits::kKeepaliveAnswerMax);
  set_ms("grpc.initial_reconnect_backoff_ms", limits::kBackoffFirst);
  set_ms("grpc.max_reconnect_backoff_ms", limits::kReconnectMax);
  // An executor is reached directly, whatever proxy the environment names for the web.
  options.generic_options.emplace_back("grpc.enable_http_proxy", 0);
  return options;
}

/// The rows of one `DoGet`.
class FlightRows : public RowSource {
 public:
  FlightRows(std::shared_ptr<flight::FlightClient> client, std::string address,
             const std::string& ticket)
      : client_(std::move(client)), address_(std::move(address)) {
    stream_ = take_flight(client_->DoGet(flight::Ticket{ticket}), address_);
    schema_ = take_flight(stream_->GetSchema(), address_);
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  std::shared_ptr<arrow::RecordBatch> next() override {
    while (true) {
      auto chunk = take_flight(stream_->Next(), address_);
      if (chunk.data != nullptr) return std::move(chunk.data);
      if (chunk.app_metadata == nullptr) return nullptr;
    }
  }

  void cancel() override { stream_->Cancel(); }

 private:
  std::shared_ptr<flight::FlightClient> client_;
  std::string address_;
  std::unique_ptr<flight::FlightStreamReader> stream_;
  std::shared_ptr<arrow::Schema> schema_;
};

/// Sends a batch in pieces of about the size in which rows are sent.
void write_blocks(flight::FlightStreamWriter& writer, const arrow::RecordBatch& batch,
                  const std::string& address) {
  const std::int64_t bytes = arrow::util::TotalBufferSize(batch);
  const std::int64_t pieces = std::max<std::int64_t>(
      1, (bytes + limits::kUploadBlockBytesMax - 1) / limits::kUploadBlockBytesMax);
  const std::int64_t rows = std::max<std::int64_t>(1, (batch.num_rows() + pieces - 1) / pieces);
  for (std::int64_t start = 0; start < batch.num_rows(); start += rows) {
    check_flight(writer.WriteRecordBatch(*batch.Slice(start, rows)), address);
  }
}

}  // namespace

std::unique_ptr<RowSource> FlightConnections::read(const scheduler::v1::ResultPart& part) {
  auto connected = client(part.flight_address());
  if (may_be_here(part)) {
    if (auto rows = rows_in_place(*connected, part.ticket())) return rows;
    const std::lock_guard guard(lock_);
    apart_.insert(part.flight_address());
  }
  return std::make_unique<FlightRows>(std::move(connected), part.flight_address(), part.ticket());
}

std::int64_t FlightConnections::store(const scheduler::v1::PrepareUploadResponse& prepared,
                                      arrow::RecordBatchReader& rows) {
  const auto& address = prepared.flight_address();
  flight::FlightCallOptions options;
  options.timeout = limits::kUploadMax;
  const auto descriptor = flight::FlightDescriptor::Command(prepared.ticket());
  auto put = take_flight(client(address)->DoPut(options, descriptor, rows.schema()), address);
  std::int64_t sent = 0;
  while (auto batch = take_arrow(rows.Next(), "rows to upload must be readable")) {
    write_blocks(*put.writer, *batch, address);
    sent += batch->num_rows();
  }
  const auto none = take_arrow(arrow::RecordBatch::MakeEmpty(rows.schema()), "an empty batch");
  // Flight itself ends an aborted call like a finished one, so the end is said.
  check_flight(put.writer->WriteWithMetadata(*none, arrow::Buffer::FromString(kUploadComplete)),
               address);
  check_flight(put.writer->Close(), address);
  return sent;
}

std::shared_ptr<flight::FlightClient> FlightConnections::client(const std::string& address) {
  const std::lock_guard guard(lock_);
  auto& client = clients_[address];
  if (client == nullptr) {
    // This does not connect yet, so nobody waits while the lock is held.
    const std::string scheme = credentials_.is_encrypted() ? "grpc+tls://" : "grpc+tcp://";
    const auto location = take_flight(flight::Location::Parse(scheme + address), address);
    auto options = client_options(credentials_);
    client = take_flight(flight::FlightClient::Connect(location, options), address);
  }
  return client;
}

bool FlightConnections::may_be_here(const scheduler::v1::ResultPart& part) {
  const std::lock_guard guard(lock_);
  return read_in_place_ && part.bytes() >= limits::kInPlaceBytesMin &&
         !apart_.contains(part.flight_address());
}

}  // namespace springald
