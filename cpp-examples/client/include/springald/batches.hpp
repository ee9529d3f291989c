/// The rows of a result, batch by batch.
#pragma once

#include <iterator>
#include <memory>

namespace arrow {
class RecordBatch;
class RecordBatchReader;
class Schema;
class Table;
}  // namespace arrow

namespace springald {

class RowSource;

/// A stream of record batches, read once. A few batches are fetched ahead of the reader and no
/// more, so that a result of any size needs little memory. Destroying it ends the fetch.
///
///     auto job = connection.execute("SELECT * FROM lineitem");
///     for (const auto& batch : job.batches()) { rows += batch->num_rows(); }
class Batches {
 public:
  /// Wraps a source of rows. Users call Job::batches().
  explicit Batches(std::unique_ptr<RowSource> source);
  Batches(Batches&&) noexcept;
  Batches& operator=(Batches&&) noexcept;
  ~Batches();

  /// The result's columns.
  std::shared_ptr<arrow::Schema> schema() const;

  /// The next batch, which may have no rows; null after the last.
  ///
  /// Throws Error if the rows cannot be fetched to their end.
  std::shared_ptr<arrow::RecordBatch> next();

  /// All rows that are left, in memory.
  std::shared_ptr<arrow::Table> to_table();

  /// Hands the rows to code that takes Arrow's own interface. An Error becomes an IOError of its
  /// text.
  static std::shared_ptr<arrow::RecordBatchReader> to_reader(Batches batches);

  /// An input iterator over the batches that are left.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::shared_ptr<arrow::RecordBatch>;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = const value_type&;

    explicit Iterator(Batches* batches) : batches_(batches) { ++*this; }
    reference operator*() const { return batch_; }
    Iterator& operator++() {
      batch_ = batches_->next();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return batch_ == nullptr; }

   private:
    Batches* batches_;
    value_type batch_;
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::unique_ptr<RowSource> source_;
};

}  // namespace springald
