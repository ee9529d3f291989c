/// Has lost outputs of a result made again.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "result_parts.hpp"

namespace springald {

class Session;

/// Is told each call that begins, so that it can be cancelled; false if nobody wants it any more.
using CallHolder = std::function<bool(const std::shared_ptr<grpc::ClientContext>&)>;

/// Tells the scheduler of lost outputs and waits for the result that has them again. The scheduler
/// bounds how long that may take. Rides through a scheduler that restarts, as the job itself does.
///
/// Throws Error: they cannot be made again, or nobody wants them.
Parts restored_parts(Session& session, const std::string& operation_id,
                     const std::vector<std::string>& lost, const CallHolder& hold);

}  // namespace springald
