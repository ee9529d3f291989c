/// Every limit of the client, with its unit as the name's last word or type.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace springald::limits {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// The version of the protocol that this client speaks.
inline constexpr std::uint32_t kProtocolMajor = 1;
inline constexpr std::uint32_t kProtocolMinor = 0;

/// Where a scheduler listens unless a URL says otherwise.
inline constexpr int kPortDefault = 50050;

/// A control message, in both directions.
inline constexpr int kMessageBytesMax = 16 * 1024 * 1024;

/// The text of one statement.
inline constexpr std::size_t kStatementBytesMax = 4 * 1024 * 1024;

/// How long saying goodbye may take: closing a session, releasing a result, ending a fetch.
inline constexpr milliseconds kCloseMax = 2s;

/// How long calls are made again, and jobs attached to again, while no scheduler can be reached.
inline constexpr milliseconds kSchedulerAwayMax = 60s;

/// How long opening a session goes on among several schedulers of which none leads yet.
inline constexpr milliseconds kElectionMax = 15s;

/// How long a member of etcd may take to say who leads.
inline constexpr milliseconds kEtcdCallMax = 2s;

/// The wait before the second try; it doubles from try to try, up to the longest.
inline constexpr milliseconds kBackoffFirst = 50ms;
inline constexpr milliseconds kBackoffMax = 500ms;

/// How often a client tells that its session is alive, at least.
inline constexpr milliseconds kSessionKeepInterval = 60s;

/// How often an idle channel to the scheduler is probed, and how long a probe may go unanswered.
inline constexpr milliseconds kKeepaliveInterval = 30s;
inline constexpr milliseconds kKeepaliveAnswerMax = 20s;

/// The same where there are other schedulers to turn to.
inline constexpr milliseconds kKeepaliveIntervalOfSeveral = 10s;
inline constexpr milliseconds kKeepaliveAnswerOfSeveralMax = 5s;

/// How often an idle Flight channel is probed: servers by default resent it below five minutes.
inline constexpr milliseconds kFlightKeepaliveInterval = 310s;

/// The longest wait between two attempts of a channel to connect.
inline constexpr milliseconds kReconnectMax = 1s;

/// How long sending the rows of one table may take.
inline constexpr milliseconds kUploadMax = 1h;

/// Rows are sent in blocks of about this size.
inline constexpr std::int64_t kUploadBlockBytesMax = 8 * 1024 * 1024;

/// Batches of a result that are fetched before they are asked for.
inline constexpr std::size_t kPrefetchBatchesMax = 4;

/// How often a reading has lost parts of a result made again.
inline constexpr int kRestoresMax = 5;

/// A part of a result from this size on is worth asking whether its file lies on this host, and how
/// long the executor may take to say so.
inline constexpr std::uint64_t kInPlaceBytesMin = 4 * 1024 * 1024;
inline constexpr milliseconds kLocateMax = 5s;

/// Levels of nested types in a schema.
inline constexpr int kTypeDepthMax = 32;

/// Characters of a long line that are shown round a caret.
inline constexpr std::size_t kCaretCharactersMax = 160;

}  // namespace springald::limits
