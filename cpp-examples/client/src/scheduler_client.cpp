#include "scheduler_client.hpp"

#include <utility>

namespace springald {

namespace {

grpc::ChannelArguments channel_arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(limits::kMessageBytesMax);
  arguments.SetMaxReceiveMessageSize(limits::kMessageBytesMax);
  const auto set_ms = [&](const char* name, limits::milliseconds value) {
    arguments.SetInt(name, static_cast<int>(value.count()));
  };
  set_ms("grpc.keepalive_time_ms", limits::kKeepaliveInterval);
  set_ms("grpc.keepalive_timeout_ms", limits::kKeepaliveAnswerMax);
  set_ms("grpc.initial_reconnect_backoff_ms", limits::kBackoffFirst);
  set_ms("grpc.max_reconnect_backoff_ms", limits::kReconnectMax);
  // A cluster is reached directly, whatever proxy the environment names for the web.
  arguments.SetInt("grpc.enable_http_proxy", 0);
  // Channels would share one backoff: a new connection must try at once, not wait for an old one.
  arguments.SetInt("grpc.use_local_subchannel_pool", 1);
  return arguments;
}

}  // namespace

SchedulerClient::SchedulerClient(std::string address)
    : address_(std::move(address)),
      stub_(scheduler::v1::SchedulerService::NewStub(grpc::CreateCustomChannel(
          address_, grpc::InsecureChannelCredentials(), channel_arguments()))) {}

void SchedulerClient::close() {
  {
    const std::lock_guard guard(closed_lock_);
    closed_ = true;
  }
  closed_changed_.notify_all();
}

bool SchedulerClient::closed_within(limits::milliseconds pause) {
  std::unique_lock guard(closed_lock_);
  return closed_changed_.wait_for(guard, pause, [this] { return closed_; });
}

}  // namespace springald
