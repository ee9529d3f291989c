#include "text.hpp"

#include <arrow/util/utf8.h>

#include "springald/error.hpp"

namespace springald {

const std::string& client_name() {
  static const std::string kName = "springald-cpp/" SPRINGALD_VERSION;
  return kName;
}

std::string checked_text(std::string_view text, const char* what) {
  static const bool kReady = (arrow::util::InitializeUTF8(), true);
  if (!(kReady && arrow::util::ValidateUTF8(text))) {
    raise(error::v1::CODE_INVALID_ARGUMENT, std::string(what) + " is UTF-8: got " +
                                                std::to_string(text.size()) +
                                                " bytes that are not; encode them first");
  }
  return std::string(text);
}

}  // namespace springald
