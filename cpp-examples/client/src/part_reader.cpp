#include "part_reader.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include "session.hpp"

namespace springald {

using scheduler::v1::ResultPart;

/// What the fetching thread and the reader share, and the short queue between them.
class PartReader::Fetch {
 public:
  struct End {};
  using Item = std::variant<std::shared_ptr<arrow::Schema>, std::shared_ptr<arrow::RecordBatch>,
                            std::exception_ptr, End>;

  Fetch(std::shared_ptr<Session> session, std::vector<ResultPart> parts)
      : session_(std::move(session)), parts_(std::move(parts)) {}

  /// The life of the thread.
  void run() {
    try {
      for (const auto& part : parts_) {
        if (!read(part)) break;
      }
      put(End{});
    } catch (...) {
      put(std::current_exception());
    }
    session_.reset();
    const std::lock_guard guard(lock_);
    ended_ = true;
    changed_.notify_all();
  }

  Item take() {
    const auto silence = session_silence_;
    std::unique_lock guard(lock_);
    if (!changed_.wait_for(guard, silence, [this] { return !items_.empty(); })) {
      raise(error::v1::CODE_FETCH_FAILED, "rows of a result must keep coming: got none for " +
                                              std::to_string(silence.count()) +
                                              " ms; run the query again");
    }
    auto item = std::move(items_.front());
    items_.pop_front();
    if (std::holds_alternative<std::exception_ptr>(item)) {
      items_.push_back(item);  // whoever asks again is told again
      guard.unlock();
      std::rethrow_exception(std::get<std::exception_ptr>(item));
    }
    if (std::holds_alternative<End>(item)) items_.push_back(item);
    changed_.notify_all();
    return item;
  }

  /// Ends the fetch, and waits a moment for its thread.
  void close() {
    std::unique_lock guard(lock_);
    closed_ = true;
    items_.clear();
    if (rows_ != nullptr) rows_->cancel();
    changed_.notify_all();
    changed_.wait_for(guard, limits::kCloseMax, [this] { return ended_; });
  }

 private:
  /// Reads one part; false if nobody wants the rest.
  bool read(const ResultPart& part) {
    const auto rows = open(part);
    if (rows == nullptr) return false;
    if (schema_ == nullptr) {
      schema_ = rows->schema();
      if (!put(schema_)) return false;
    }
    check_same(*rows->schema());
    std::uint64_t received = 0;
    while (auto batch = rows->next()) {
      received += static_cast<std::uint64_t>(batch->num_rows());
      if (!put(std::move(batch))) return false;
    }
    if (received < part.rows() && !is_closed()) {
      raise(error::v1::CODE_FETCH_FAILED, "all rows of a part must arrive: got " +
                                              std::to_string(received) + " of " +
                                              std::to_string(part.rows()) + " from " +
                                              part.flight_address() + "; run the query again");
    }
    forget_rows();
    return true;
  }

  std::shared_ptr<RowSource> open(const ResultPart& part) {
    const std::shared_ptr<RowSource> rows = session_->flight().read(part);
    const std::lock_guard guard(lock_);
    if (closed_) return nullptr;
    rows_ = rows;
    return rows;
  }

  void forget_rows() {
    const std::lock_guard guard(lock_);
    rows_ = nullptr;
  }

  bool is_closed() {
    const std::lock_guard guard(lock_);
    return closed_;
  }

  /// Hands an item over when there is room; false if nobody wants it.
  bool put(Item item) {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return closed_ || items_.size() < limits::kPrefetchBatchesMax; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }

  void check_same(const arrow::Schema& schema) const {
    if (schema.Equals(*schema_)) return;
    raise(error::v1::CODE_INTERNAL, "all parts of a result have one schema: got " +
                                        schema.ToString() + " after " + schema_->ToString());
  }

  std::shared_ptr<Session> session_;
  const limits::milliseconds session_silence_ = session_->options().rows_silence;
  const std::vector<ResultPart> parts_;
  std::shared_ptr<arrow::Schema> schema_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  std::shared_ptr<RowSource> rows_;
  bool closed_ = false;
  bool ended_ = false;
};

PartReader::PartReader(std::shared_ptr<Session> session, std::vector<ResultPart> parts)
    : fetch_(std::make_shared<Fetch>(std::move(session), std::move(parts))) {
  // Not joined: Flight cannot be interrupted while it opens a stream, and an executor that was
  // stopped must not keep whoever gives up. The thread has all that it uses, and ends by itself.
  std::thread([fetch = fetch_] { fetch->run(); }).detach();
  try {
    schema_ = std::get<std::shared_ptr<arrow::Schema>>(fetch_->take());
  } catch (...) {
    fetch_->close();
    throw;
  }
}

PartReader::~PartReader() { fetch_->close(); }

std::shared_ptr<arrow::RecordBatch> PartReader::next() {
  auto item = fetch_->take();
  auto* batch = std::get_if<std::shared_ptr<arrow::RecordBatch>>(&item);
  return batch == nullptr ? nullptr : std::move(*batch);
}

}  // namespace springald
