/// Errors of gRPC calls: the typed error in the trailer, or what the status says.
#pragma once

#include <grpcpp/grpcpp.h>

#include <string>
#include <string_view>

#include "springald/error.hpp"

namespace springald {

/// Makes the error that a failed call carries.
///
/// `peer` is who was called, and `tried` what was asked and for how long was waited, for people.
error::v1::Error error_from_rpc(const grpc::Status& status, const grpc::ClientContext& context,
                                std::string_view peer, std::string_view tried = "");

}  // namespace springald
