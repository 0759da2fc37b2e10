// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "store/arguments.h"
#include "store/commands.h"
#include "store/descriptors.h"
#include "store/fleet_alerts.h"
#include "store/http_server.h"
#include "store/layout.h"
#include "store/store.h"

namespace vouch::store {
namespace {

constexpr std::int64_t kConnectionsOptionMax = 100'000;

// The bounds of connections, and the descriptors that they need.
Status bound_connections(const Arguments& arguments, ServerOptions& options) {
  auto total = parse_count(arguments.get("--connections", std::to_string(kConnectionsMax)),
                           kConnectionsOptionMax);
  if (!total) return std::move(total).error().in("--connections");
  options.connections_max = static_cast<std::size_t>(*total);
  auto limit = raise_descriptor_limit(options.connections_max + kDescriptorsBesideConnections);
  if (!limit) return std::move(limit).error();
  auto fit = connections_that_fit(options.connections_max, *limit);
  if (!fit) return std::move(fit).error();
  if (*fit < options.connections_max) {
    log::warn("only " + std::to_string(*limit) + " files may be open: serving at most " +
              std::to_string(*fit) + " connections instead of " +
              std::to_string(options.connections_max) + "; raise LimitNOFILE= of the unit to " +
              std::to_string(options.connections_max + kDescriptorsBesideConnections));
    options.connections_max = *fit;
  }
  const std::size_t share = std::max<std::size_t>(1, options.connections_max / 4);
  auto each = parse_count(arguments.get("--connections-per-client", std::to_string(share)),
                          kConnectionsOptionMax);
  if (!each) return std::move(each).error().in("--connections-per-client");
  options.connections_per_client_max = static_cast<std::size_t>(*each);
  return Ok{};
}

}  // namespace

int command_serve(const std::vector<std::string>& words) {
  auto arguments = Arguments::parse(words,
                                    {"--dir", "--listen", "--certificate", "--key", "--threads",
                                     "--connections", "--connections-per-client", "--alerts"},
                                    {});
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  if (!arguments->has("--dir") || !arguments->rest().empty()) {
    return fail(kExitUsage, "serve needs --dir DIR; see --help");
  }
  const std::string dir = arguments->get("--dir");
  const SystemClock clock;
  StoreOptions store_options;
  const std::string usual(kDefaultAlertRules);
  store_options.alert_rules = arguments->get("--alerts", file_exists(usual) ? usual : "");
  auto store = Store::open(dir, clock, std::move(store_options));
  if (!store) return fail(kExitUnavailable, store.error().message);
  Settings settings = (*store)->settings();
  auto listen = parse_listen(arguments->get("--listen", ""), settings);
  if (!listen) return fail(kExitUsage, "--listen " + listen.error().message);
  auto renewed = renew_certificate(dir, settings, clock);
  if (!renewed) return fail(kExitFailed, renewed.error().message);

  ServerOptions options;
  options.address = settings.address;
  options.port = settings.port;
  options.certificate_path =
      arguments->get("--certificate", dir + "/" + std::string(layout::kServerCertificate));
  options.key_path = arguments->get("--key", dir + "/" + std::string(layout::kServerKey));
  auto threads = parse_count(arguments->get("--threads", "2"), 64);
  if (!threads) return fail(kExitUsage, "--threads " + threads.error().message);
  options.threads = static_cast<unsigned>(*threads);
  auto connections = bound_connections(*arguments, options);
  if (!connections) {
    const bool wrong_word = connections.error().code == Errc::invalid;
    return fail(wrong_word ? kExitUsage : kExitFailed, connections.error().message);
  }
  auto server = HttpServer::listen(options, (*store)->handler());
  if (!server) return fail(kExitFailed, server.error().message);
  log::info("serving " + settings.origin + " on " + options.address + ":" +
            std::to_string((*server)->port()));
  (*server)->run(true);
  log::info("stopping");
  (*store)->stop();
  return kExitOk;
}

}  // namespace vouch::store
