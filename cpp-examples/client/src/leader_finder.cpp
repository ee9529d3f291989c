#include "leader_finder.hpp"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <thread>
#include <utility>

#include "backoff.hpp"
#include "springald/error.hpp"
#include "springald/etcd/v1/etcd.pb.h"
#include "springald/state/v1/state.pb.h"

namespace springald {

namespace {

/// What a value begins with that is kept under one key.
constexpr char kWhole = '\0';

/// Makes a call of etcd's, of which there are no stubs.
template <class Request, class Response>
grpc::Status call(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context,
                  const std::string& method, const Request& request, Response* response) {
  context.set_deadline(std::chrono::system_clock::now() + limits::kEtcdCallMax);
  grpc::TemplatedGenericStub<Request, Response> stub(channel);
  grpc::CompletionQueue queue;
  const auto reader = stub.PrepareUnaryCall(&context, method, request, &queue);
  reader->StartCall();
  grpc::Status status;
  reader->Finish(response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status;
}

/// Reads where the scheduler is that wrote a value; nothing if the value is something else.
std::string address_in(const std::string& value) {
  state::v1::Scheduler scheduler;
  const bool read = !value.empty() && value.front() == kWhole &&
                    scheduler.ParseFromArray(value.data() + 1, static_cast<int>(value.size() - 1));
  return read ? scheduler.address() : std::string();
}

}  // namespace

LeaderFinder::LeaderFinder(EtcdAddress etcd) : etcd_(std::move(etcd)), credentials_(etcd_.tls) {}

std::vector<std::string> LeaderFinder::find() {
  for (const auto& member : etcd_.members) {
    if (auto found = ask(member)) return std::move(*found);
  }
  return {};
}

std::vector<std::string> LeaderFinder::wait(limits::milliseconds time_max) {
  Backoff backoff(time_max);
  while (true) {
    auto found = find();
    if (!found.empty()) return found;
    const auto pause = backoff.next();
    if (!pause) break;
    std::this_thread::sleep_for(*pause);
  }
  const std::lock_guard guard(lock_);
  raise(error::v1::CODE_SCHEDULER_UNAVAILABLE,
        "etcd knows which scheduler leads: got none at " + etcd_.name() + " within " +
            std::to_string(time_max.count()) + " ms" + trouble_ +
            "; check that one runs with its state there");
}

std::optional<std::vector<std::string>> LeaderFinder::ask(const std::string& member) {
  grpc::ChannelArguments arguments;
  arguments.SetInt("grpc.enable_http_proxy", 0);
  arguments.SetInt("grpc.use_local_subchannel_pool", 1);
  const auto channel = grpc::CreateCustomChannel(member, credentials_.for_channel(), arguments);
  grpc::ClientContext context;
  if (!etcd_.user.empty()) {
    etcd::v1::AuthenticateRequest who;
    who.set_name(etcd_.user);
    who.set_password(etcd_.password);
    grpc::ClientContext door;
    etcd::v1::AuthenticateResponse token;
    const auto status = call(channel, door, "/etcdserverpb.Auth/Authenticate", who, &token);
    if (!status.ok()) {
      note(", " + member + " says '" + status.error_message() + "'");
      return std::nullopt;
    }
    context.AddMetadata("token", token.token());
  }
  etcd::v1::RangeRequest request;
  request.set_key(etcd_.prefix + "/.values/leader");
  etcd::v1::RangeResponse response;
  const auto status = call(channel, context, "/etcdserverpb.KV/Range", request, &response);
  if (!status.ok()) {
    note(", " + member + " says '" + status.error_message() + "'");
    return std::nullopt;
  }
  note("");
  std::vector<std::string> found;
  for (const auto& each : response.kvs()) {
    if (auto address = address_in(each.value()); !address.empty()) {
      found.push_back(std::move(address));
    }
  }
  return found;
}

void LeaderFinder::note(const std::string& trouble) {
  const std::lock_guard guard(lock_);
  trouble_ = trouble;
}

}  // namespace springald
