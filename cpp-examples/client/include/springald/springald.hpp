/// The C++ client of Springald: include this, link `springald::client`.
#pragma once

#include "springald/batches.hpp"
#include "springald/connection.hpp"
#include "springald/error.hpp"
#include "springald/job.hpp"
#include "springald/print.hpp"
#include "springald/statement.hpp"
#include "springald/types.hpp"
