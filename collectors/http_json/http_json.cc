// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/http_json.h"

#include <fmt/format.h>

#include <thread>

#include "collectors/http_json/declarations.h"
#include "collectors/http_json/sources.h"

namespace vouch::http_json {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::string_view kDefaultFile = "/etc/vouch/collectors/http_json.yaml";

using SourceList = std::vector<std::unique_ptr<const SourceSpec>>;

class LiveWeb final : public Web {
 public:
  explicit LiveWeb(const Context& context) : context_(context) {}
  Result<http::Reply> send(const http::Request& request) override {
    http::Request bounded = request;
    bounded.timeout = std::min(request.timeout, context_.remaining());
    if (bounded.timeout.count() == 0) return Error{Errc::timeout, "the deadline of the run"};
    return client_.send(bounded);
  }
  bool wait(std::int64_t seconds) override {
    const std::chrono::seconds time(seconds);
    if (time >= context_.remaining()) return false;
    std::this_thread::sleep_for(time);
    return true;
  }
  WallSeconds now() const override { return context_.now(); }

 private:
  const Context& context_;
  http::Client client_;
};

// The sources of this run, and the network that they are asked by.
struct Run {
  explicit Run(const Context& context) : web(context), sources(web) {}
  LiveWeb web;
  Sources sources;
};

Status require_host(const Context& context) {
  if (context.is_host()) return Ok{};
  return Error{Errc::unsupported, "an API is no part of an image"};
}

Status collect_source(const SourceSpec& source, Context& context, Rows& rows) {
  if (auto host = require_host(context); !host) return host;
  const auto& run = context.once([&] { return std::make_shared<Run>(context); });
  const Collected& collected = run->sources.collect(source);
  if (collected.error) return *collected.error;
  for (const auto& [object, error] : collected.gaps) rows.gap(object, error);
  for (const auto& row : collected.rows) sdk::add_row(rows, row);
  return Ok{};
}

Status collect_sources(const SourceList& sources, Context& context, Rows& rows) {
  if (auto host = require_host(context); !host) return host;
  for (const auto& source : sources) {
    const ServerSpec& server = *source->server;
    rows.add({source->table->name, server.url + source->path,
              fmt::format("{}", fmt::join(source->query, "&")), !server.credential.empty(),
              server.url.starts_with("https:"), !server.pinned_key.empty()});
  }
  return Ok{};
}

Status collect_unconfigured(Context& /*context*/, Rows& /*rows*/) {
  return Error{Errc::not_found, std::string(kDefaultFile) + ": no source is declared"};
}

// The tables by their sources, which both live in what the tables' functions hold.
Result<sdk::Collector> configure(const sdk::Collector& collector, const json::Object& options) {
  const auto declarations = sdk::find_declarations(options, kDefaultFile);
  if (!declarations) return declarations.error();
  if (!*declarations) return collector;
  auto read = read_sources(**declarations);
  if (!read) return std::move(read).error();
  // Shared by the functions of all tables.
  const auto sources = std::make_shared<const SourceList>(*std::move(read));
  sdk::Collector configured = collector;
  configured.tables[0].collect = [sources](Context& context, Rows& rows) {
    return collect_sources(*sources, context, rows);
  };
  for (const auto& source : *sources) {
    auto table = sdk::make_table(source->table,
                                 [sources, spec = source.get()](Context& context, Rows& rows) {
                                   return collect_source(*spec, context, rows);
                                 });
    if (auto added = sdk::add_table(configured, std::move(table)); !added) {
      return std::move(added).error().in((*declarations)->path);
    }
  }
  return configured;
}

}  // namespace

sdk::Collector make_http_json() {
  sdk::Collector collector;
  collector.name = "http_json";
  collector.title = "APIs that answer in JSON, by declaration: each source fills one table";
  collector.interval_s = 6 * 3600;
  collector.deadline_s = 300;
  collector.needs_network = true;
  collector.options = {{.name = "file",
                        .type = sdk::OptionType::text,
                        .title = "What is asked of whom (docs/collectors/declared.md): absolute "
                                 "path; default: /etc/vouch/collectors/http_json.yaml"}};
  collector.tables = {{.name = "http_sources",
                       .title = "What the other tables were asked of",
                       .columns = {sdk::text("table_name", "The table that it fills").key(),
                                   sdk::text("url", "Of its first page").redact(Redaction::url),
                                   sdk::text("query", "name=value, joined by &"),
                                   sdk::boolean("authenticated", "A credential was shown"),
                                   sdk::boolean("encrypted", "By TLS; else on this host alone"),
                                   sdk::boolean("pinned", "The server's key is pinned")},
                       .collect = collect_unconfigured}};
  collector.configure = configure;
  return collector;
}

}  // namespace vouch::http_json
