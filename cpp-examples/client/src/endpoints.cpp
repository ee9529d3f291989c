#include "endpoints.hpp"

#include <algorithm>
#include <utility>

#include "limits.hpp"

namespace springald {

namespace {

grpc::ChannelArguments channel_arguments(const Credentials& credentials, bool several) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(limits::kMessageBytesMax);
  arguments.SetMaxReceiveMessageSize(limits::kMessageBytesMax);
  const auto set_ms = [&](const char* name, limits::milliseconds value) {
    arguments.SetInt(name, static_cast<int>(value.count()));
  };
  set_ms("grpc.keepalive_time_ms",
         several ? limits::kKeepaliveIntervalOfSeveral : limits::kKeepaliveInterval);
  set_ms("grpc.keepalive_timeout_ms",
         several ? limits::kKeepaliveAnswerOfSeveralMax : limits::kKeepaliveAnswerMax);
  // Otherwise a stream that is quiet for long is probed no more.
  arguments.SetInt("grpc.http2.max_pings_without_data", 0);
  set_ms("grpc.initial_reconnect_backoff_ms", limits::kBackoffFirst);
  set_ms("grpc.max_reconnect_backoff_ms", limits::kReconnectMax);
  // A cluster is reached directly, whatever proxy the environment names for the web.
  arguments.SetInt("grpc.enable_http_proxy", 0);
  // Channels would share one backoff: a new connection must try at once, not wait for an old one.
  arguments.SetInt("grpc.use_local_subchannel_pool", 1);
  if (!credentials.host_name().empty()) {
    arguments.SetSslTargetNameOverride(credentials.host_name());
  }
  return arguments;
}

/// Returns the address after one; the first if that is the last, or not among them.
const std::string& after(const std::string& address, const std::vector<std::string>& addresses) {
  const auto found = std::ranges::find(addresses, address);
  if (found == addresses.end() || found + 1 == addresses.end()) return addresses.front();
  return *(found + 1);
}

}  // namespace

Endpoint::Endpoint(std::string address, const Credentials& credentials, bool several)
    : address_(std::move(address)),
      stub_(scheduler::v1::SchedulerService::NewStub(grpc::CreateCustomChannel(
          address_, credentials.for_channel(), channel_arguments(credentials, several)))) {}

Endpoints::Endpoints(Cluster cluster, Credentials credentials)
    : credentials_(std::move(credentials)),
      find_(std::move(cluster.find)),
      several_(cluster.addresses.size() > 1 || find_),
      addresses_(std::move(cluster.addresses)),
      current_(made_for(addresses_.front())) {}

std::shared_ptr<const Endpoint> Endpoints::current() const {
  const std::lock_guard guard(lock_);
  return current_;
}

bool Endpoints::leave(const Endpoint& endpoint, const error::v1::Error& error) {
  if (error.code() != error::v1::CODE_NOT_LEADER &&
      error.code() != error::v1::CODE_SCHEDULER_UNAVAILABLE) {
    return false;
  }
  const std::string& leader = error.leader_address();
  std::vector<std::string> found;
  if (find_ && leader.empty() && &endpoint == current().get()) found = find_();
  const std::lock_guard guard(lock_);
  if (&endpoint != current_.get()) return true;
  if (!leader.empty() && std::ranges::find(addresses_, leader) == addresses_.end()) {
    addresses_.push_back(leader);
  }
  const auto& known = found.empty() ? addresses_ : found;
  current_ = made_for(leader.empty() ? after(endpoint.address(), known) : leader);
  return true;
}

std::shared_ptr<const Endpoint> Endpoints::made_for(const std::string& address) {
  auto& made = made_[address];
  if (made == nullptr) made = std::make_shared<const Endpoint>(address, credentials_, several_);
  return made;
}

}  // namespace springald
