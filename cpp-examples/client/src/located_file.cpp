#include "located_file.hpp"

// The wheel carries Arrow's own copy, which has no library of its own to link.
#define XXH_INLINE_ALL
#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/vendored/xxhash.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "flight_error.hpp"

namespace springald {

namespace {

/// What a file begins with, before its schema.
constexpr std::int64_t kMagicBytes = 8;

/// Reads a block; a file's first one begins with what makes it a file, and the schema.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> rows_of(
    const std::shared_ptr<arrow::Buffer>& block, const std::shared_ptr<arrow::Schema>& schema,
    bool is_first) {
  arrow::io::BufferReader reader(block);
  if (is_first) {
    ARROW_RETURN_NOT_OK(reader.Seek(kMagicBytes));
    ARROW_RETURN_NOT_OK(arrow::ipc::ReadMessage(&reader).status());
  }
  ARROW_ASSIGN_OR_RAISE(const auto message, arrow::ipc::ReadMessage(&reader));
  if (message == nullptr) return arrow::Status::IOError("no message");
  const arrow::ipc::DictionaryMemo none;
  return arrow::ipc::ReadRecordBatch(*message, schema, &none,
                                     arrow::ipc::IpcReadOptions::Defaults());
}

}  // namespace

std::optional<LocatedFile> LocatedFile::open(const executor::v1::LocatedFile& told) {
  const int fd = ::open(told.path().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  struct stat found = {};
  const bool is_same = ::fstat(fd, &found) == 0 && found.st_ino == told.inode() &&
                       static_cast<std::uint64_t>(found.st_size) == told.size_bytes() &&
                       S_ISREG(found.st_mode) && found.st_uid == ::geteuid();
  if (!is_same) {
    ::close(fd);
    return std::nullopt;
  }
  // Read and not mapped: what was read is the reader's own memory, and is given back.
  auto file = arrow::io::ReadableFile::Open(fd);
  if (!file.ok()) return std::nullopt;
  const auto batches = arrow::ipc::RecordBatchFileReader::Open(*file);
  if (!batches.ok()) return std::nullopt;
  for (const auto& part : told.partitions()) {
    if (part.starts_size() != part.ends_size() || part.starts_size() != part.checksums_size()) {
      return std::nullopt;
    }
  }
  return LocatedFile(*std::move(file), (*batches)->schema(), told);
}

LocatedFile::LocatedFile(std::shared_ptr<arrow::io::RandomAccessFile> file,
                         std::shared_ptr<arrow::Schema> schema,
                         const executor::v1::LocatedFile& told)
    : file_(std::move(file)), schema_(std::move(schema)), task_id_(told.task_id()) {
  for (const auto& part : told.partitions()) {
    for (int at = 0; at < part.starts_size(); ++at) {
      blocks_.push_back({static_cast<std::int64_t>(part.starts(at)),
                         static_cast<std::int64_t>(part.ends(at)), part.checksums(at)});
    }
  }
}

std::shared_ptr<arrow::RecordBatch> LocatedFile::next() {
  if (at_ == blocks_.size()) return nullptr;
  const auto& block = blocks_[at_++];
  const auto size = block.end - block.start;
  auto bytes = take_arrow(file_->ReadAt(block.start, size), "a result's file");
  if (bytes->size() != size ||
      XXH3_64bits(bytes->data(), static_cast<std::size_t>(size)) != block.checksum) {
    auto lost = make_error(error::v1::CODE_INPUT_LOST,
                           "a result is what was written: got a block with another checksum");
    lost.set_node_id(task_id_);
    raise(std::move(lost));
  }
  return take_arrow(rows_of(bytes, schema_, block.start == 0), "a result's block");
}

}  // namespace springald
