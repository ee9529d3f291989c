#include "part_reader.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include "restoring.hpp"
#include "session.hpp"

namespace springald {

using scheduler::v1::ResultPart;

/// What the fetching thread and the reader share, and the short queue between them.
class PartReader::Fetch {
 public:
  struct End {};
  using Item = std::variant<std::shared_ptr<arrow::Schema>, std::shared_ptr<arrow::RecordBatch>,
                            std::exception_ptr, End>;

  Fetch(std::shared_ptr<Session> session, std::string operation_id, Parts parts)
      : session_(std::move(session)),
        operation_id_(std::move(operation_id)),
        parts_(std::move(parts)) {}

  /// The life of the thread.
  void run() {
    try {
      read_all();
      put(End{});
    } catch (const Closed&) {
      // Nobody wants the rest.
    } catch (...) {
      put_last(std::current_exception());
    }
    session_.reset();
    const std::lock_guard guard(lock_);
    ended_ = true;
    changed_.notify_all();
  }

  Item take() {
    std::unique_lock guard(lock_);
    wait_for_item(guard);
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
    end_call();
    changed_.notify_all();
    changed_.wait_for(guard, limits::kCloseMax, [this] { return ended_; });
  }

 private:
  struct Closed {};

  /// Waits for the next item; rows that do not come are given up, and asked for again.
  void wait_for_item(std::unique_lock<std::mutex>& guard) {
    while (!changed_.wait_for(guard, silence_, [this] { return !items_.empty(); })) {
      if (restoring_) continue;  // The scheduler bounds how long rows may take to be made again.
      if (stalled_) raise(silence());
      stalled_ = true;
      end_call();
    }
  }

  void end_call() {
    if (rows_ != nullptr) rows_->cancel();
    if (call_ != nullptr) call_->TryCancel();
  }

  /// Reads all parts; those that are lost are made again and taken up where they broke off.
  void read_all() {
    for (int tried = 0;; ++tried) {
      try {
        read_parts();
        return;
      } catch (const ResultChanged&) {
        throw;
      } catch (const Error& error) {
        const auto told = is_stalled() ? silence() : error.proto();
        const auto lost = lost_outputs(told, parts_[current_]);
        if (is_closed()) throw Closed();
        if (!lost || tried == limits::kRestoresMax) raise(told);
        restore(*lost);
      }
    }
  }

  void restore(const std::vector<std::string>& lost) {
    set_restoring(true);
    auto parts = restored_parts(*session_, operation_id_, lost, [this](const auto& context) {
      const std::lock_guard guard(lock_);
      call_ = context;
      return !closed_;
    });
    set_restoring(false);
    check_rows_before(parts_, parts, given_);
    parts_ = std::move(parts);
  }

  /// Reads the parts from the first row on that was not given out.
  void read_parts() {
    auto skipped = given_;
    for (current_ = 0; current_ < parts_.size(); ++current_) {
      const auto& part = parts_[current_];
      if (part.rows() > 0 && part.rows() <= skipped) {
        skipped -= part.rows();
      } else {
        read(part, skipped);
      }
    }
    current_ = 0;
  }

  void read(const ResultPart& part, std::uint64_t& skipped) {
    const auto rows = open(part);
    if (schema_ == nullptr) {
      schema_ = rows->schema();
      put(schema_);
    }
    check_same(*rows->schema());
    std::uint64_t received = 0;
    while (auto batch = rows->next()) {
      const auto count = static_cast<std::uint64_t>(batch->num_rows());
      received += count;
      const auto known = std::min(skipped, count);
      skipped -= known;
      if (known < count || count == 0) {
        put(known == 0 ? batch : batch->Slice(static_cast<std::int64_t>(known)));
        given_ += count - known;
      }
    }
    if (is_closed()) throw Closed();
    if (part.rows() == 0 && is_stalled()) raise(silence());
    if (received < part.rows()) {
      raise(error::v1::CODE_FETCH_FAILED, "all rows of a part must arrive: got " +
                                              std::to_string(received) + " of " +
                                              std::to_string(part.rows()) + " from " +
                                              part.flight_address() + "; run the query again");
    }
    hold(nullptr);
  }

  std::shared_ptr<RowSource> open(const ResultPart& part) {
    const std::shared_ptr<RowSource> rows = session_->flight().read(part);
    hold(rows);
    return rows;
  }

  /// Notes what is to be cancelled by whoever wants no more.
  void hold(const std::shared_ptr<RowSource>& rows) {
    const std::lock_guard guard(lock_);
    if (closed_) throw Closed();
    rows_ = rows;
  }

  void set_restoring(bool restoring) {
    const std::lock_guard guard(lock_);
    restoring_ = restoring;
    if (restoring) {
      rows_ = nullptr;
    } else {
      call_ = nullptr;
      stalled_ = false;
    }
  }

  bool is_closed() {
    const std::lock_guard guard(lock_);
    return closed_;
  }

  bool is_stalled() {
    const std::lock_guard guard(lock_);
    return stalled_;
  }

  /// Hands an item over when there is room.
  void put(Item item) {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return closed_ || items_.size() < limits::kPrefetchBatchesMax; });
    if (closed_) throw Closed();
    items_.push_back(std::move(item));
    changed_.notify_all();
  }

  void put_last(std::exception_ptr error) {
    const std::lock_guard guard(lock_);
    restoring_ = false;
    if (!closed_) items_.emplace_back(std::move(error));
    changed_.notify_all();
  }

  error::v1::Error silence() const {
    return make_error(error::v1::CODE_FETCH_FAILED,
                      "rows of a result must keep coming: got none for " +
                          std::to_string(silence_.count()) + " ms; run the query again");
  }

  void check_same(const arrow::Schema& schema) const {
    if (schema.Equals(*schema_)) return;
    raise(error::v1::CODE_INTERNAL, "all parts of a result have one schema: got " +
                                        schema.ToString() + " after " + schema_->ToString());
  }

  // The thread's own.
  std::shared_ptr<Session> session_;
  const limits::milliseconds silence_ = session_->options().rows_silence;
  const std::string operation_id_;
  Parts parts_;
  std::size_t current_ = 0;
  std::uint64_t given_ = 0;
  std::shared_ptr<arrow::Schema> schema_;

  // Guarded by the lock.
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  std::shared_ptr<RowSource> rows_;
  std::shared_ptr<grpc::ClientContext> call_;
  bool restoring_ = false;
  bool stalled_ = false;
  bool closed_ = false;
  bool ended_ = false;
};

PartReader::PartReader(std::shared_ptr<Session> session, std::string operation_id, Parts parts)
    : fetch_(
          std::make_shared<Fetch>(std::move(session), std::move(operation_id), std::move(parts))) {
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
