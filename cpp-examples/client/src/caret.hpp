/// Where a finger points in the text of a statement.
#pragma once

#include <string>
#include <string_view>

#include "springald/error.hpp"

namespace springald {

/// Shows a line of a statement with a caret under one of its characters.
std::string point_at(std::string_view text, Position position);

/// Adds the statement's line with a caret to the message of an error that knows its place.
void add_caret(error::v1::Error& told, std::string_view text);

}  // namespace springald
