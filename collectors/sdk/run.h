// SPDX-License-Identifier: Apache-2.0
// Runs a collector: the whole of its main().
//
//   int main(int argc, char** argv) { return vouch::sdk::run(vouch::make_example(), argc, argv); }
//
// `--describe` prints the manifest. Without options one request line is read from stdin and
// answered on stdout. By hand: `--tables users,groups`, `--root DIR`, `--option NAME=VALUE` make
// the request (all tables if none is named). Exit status: 0 answered, 64 the request or an option
// is wrong, 74 the answer could not be written.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "collectors/sdk/manifest.h"
#include "core/result.h"

namespace vouch::sdk {

int run(const Collector& collector, int argc, char** argv);

// With the tables that the options declare.
Result<Collector> with_configured_tables(const Collector& collector, const json::Object& options);

// One request, answered: lines go to `sink` as they come; false from it ends the run. The Error is
// that of a bad request (Errc::invalid) or a sink that refused (Errc::unavailable).
using LineSink = std::function<bool(std::string_view)>;
Status answer_request(const Collector& collector, std::string_view request_line,
                      const LineSink& sink);

}  // namespace vouch::sdk
