/// Parts of a result that lie on this host: read from their files instead of over Flight (P5.6).
#pragma once

#include <arrow/flight/client.h>

#include <memory>
#include <string>

#include "row_source.hpp"

namespace springald {

/// Opens the files in which the rows of a ticket lie.
///
/// Returns null if they have to be fetched: they lie on another host, their files are not this
/// user's, the executor does not say, or their columns need more than Arrow's own casts to become
/// those of the result.
std::unique_ptr<RowSource> rows_in_place(arrow::flight::FlightClient& client,
                                         const std::string& ticket);

}  // namespace springald
