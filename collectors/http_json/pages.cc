// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/pages.h"

#include <fmt/format.h>

#include <optional>
#include <set>

#include "collectors/http_json/link_header.h"
#include "core/digest.h"
#include "core/http/url.h"
#include "core/redact.h"

namespace vouch::http_json {
namespace {

constexpr std::size_t kReasonBytesMax = 200;

std::string text_of(const sdk::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return {};
}

// What an API says of its own error, in the member that most have.
std::string reason_in(const http::Reply& reply) {
  const auto value = json::parse_foreign(reply.body);
  if (!value) return {};
  for (const char* name : {"message", "errorSummary", "error_description", "error"}) {
    const auto* found = value->find(name);
    if (found == nullptr || found->if_string() == nullptr) continue;
    return ": " + redact(Redaction::command, found->if_string()->substr(0, kReasonBytesMax));
  }
  return {};
}

Error error_of(const http::Reply& reply) {
  const auto said = fmt::format("answered {}{}", reply.status, reason_in(reply));
  switch (reply.status) {
    case 401:
      return {Errc::denied, said + " (the credential)"};
    case 403:
      return {Errc::denied, said};
    case 404:
    case 410:
      return {Errc::not_found, said};
    case 304:
      return {Errc::invalid, said};
    default:
      return {reply.status >= 500 ? Errc::unavailable : Errc::tool_failed, said};
  }
}

bool says_absent(const SourceSpec& source, const http::Reply& reply) {
  for (const Absence& absence : source.absences) {
    if (absence.status != reply.status) continue;
    if (!absence.pointer) return true;
    const auto value = json::parse_foreign(reply.body);
    const auto* found = value ? absence.pointer->find(*value) : nullptr;
    if (found != nullptr && found->if_string() != nullptr && *found->if_string() == absence.equals)
      return true;
  }
  return false;
}

Result<json::Value> value_in(const http::Reply& reply) {
  if (reply.status != 200) return error_of(reply);
  auto value = json::parse_foreign(reply.body);
  if (value) return value;
  const auto type = reply.header("content-type");
  return Error{Errc::invalid, fmt::format("is no JSON ({}): {}",
                                          type.empty() ? "no content type" : type.substr(0, 80),
                                          value.error().message)};
}

std::string with_parameter(const std::string& url, const std::string& name,
                           const std::string& value) {
  return url + (url.find('?') == std::string::npos ? "?" : "&") + http::percent_encode(name) + "=" +
         http::percent_encode(value);
}

// What stands where the cursor is; empty at the end.
Result<std::string> cursor_in(const SourceSpec& source, const json::Value& value) {
  const auto* found = source.cursor.find(value);
  if (found == nullptr || found->is_null()) return std::string();
  if (const auto* flag = found->if_bool(); flag != nullptr && !*flag) return std::string();
  if (const auto* text = found->if_string()) return *text;
  if (found->if_integer() != nullptr) return json::write(*found);
  return Error{Errc::invalid, "its cursor is no text"};
}

// Where the series stands.
struct Place {
  std::string first;
  std::string url;  // Of the page just read.
  std::size_t page = 1;
  std::size_t rows = 0;  // Of this page.
};

// nullopt: that was the last page.
Result<std::optional<std::string>> next_url(const SourceSpec& source, const Place& place,
                                            const http::Reply& reply, const json::Value& value) {
  using Next = std::optional<std::string>;
  if (source.paging == Paging::none || source.paging == Paging::link) {
    auto link = next_link(reply.header("link"));
    if (!link || !*link) return link;
    if (source.paging == Paging::none) {
      return Error{Errc::invalid, "says that there is a next page: pages: link follows it"};
    }
    auto url = http::resolve_url(place.url, **link);
    if (!url) return std::move(url).error().in("the link to the next page");
    return Next(*std::move(url));
  }
  if (source.paging == Paging::number) {
    if (place.rows == 0) return Next();
    const auto number = source.first_page + static_cast<std::int64_t>(place.page);
    return Next(with_parameter(place.first, source.parameter, std::to_string(number)));
  }
  auto cursor = cursor_in(source, value);
  if (!cursor) return std::move(cursor).error();
  if (cursor->empty()) return Next();
  if (source.paging == Paging::cursor) {
    return Next(with_parameter(place.first, source.parameter, *cursor));
  }
  auto url = http::resolve_url(place.url, *cursor);
  if (!url) return std::move(url).error().in("the URL of the next page");
  return Next(*std::move(url));
}

// Pages that were there already.
class Circle {
 public:
  // False for a URL, or a page with rows, that was there before.
  bool add_url(const std::string& url) { return urls_.insert(url).second; }
  bool add_page(const http::Reply& reply, std::size_t rows) {
    return rows == 0 || pages_.insert(sha256(reply.body)).second;
  }

 private:
  std::set<std::string> urls_;
  std::set<std::string> pages_;
};

}  // namespace

Result<std::string> first_url(const SourceSpec& source, const std::vector<sdk::Value>* parent_row) {
  std::string url = source.server->url;
  std::string_view rest = source.path;
  while (!rest.empty()) {
    const auto open = rest.find('{');
    url += rest.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = rest.find('}', open);
    const auto name = rest.substr(open + 1, close - open - 1);
    const auto& columns = source.parent->table->columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].name != name) continue;
      const auto text = text_of((*parent_row)[i]);
      if (text.empty() || text == "." || text == "..") {
        return Error{Errc::invalid, fmt::format("the path needs a {}", name)};
      }
      url += http::percent_encode(text);
    }
    rest.remove_prefix(close + 1);
  }
  for (const std::string& parameter : source.query) {
    const auto equals = parameter.find('=');
    url = with_parameter(url, parameter.substr(0, equals), parameter.substr(equals + 1));
  }
  if (source.paging == Paging::number && source.first_page == 0) {
    return with_parameter(url, source.parameter, "0");
  }
  return url;
}

Status follow_pages(Fetcher& fetcher, const SourceSpec& source, const std::string& first,
                    const PageSink& sink) {
  Place place{first, first};
  Circle circle;
  for (;; ++place.page) {
    const auto on_page = [&](Error error) {
      return std::move(error).in(fmt::format("{}, page {}", without_query(place.url), place.page));
    };
    if (static_cast<std::int64_t>(place.page) > source.pages_max) {
      return on_page({Errc::too_large,
                      fmt::format("there are more than {} pages (pages_max)", source.pages_max)});
    }
    if (!circle.add_url(place.url)) {
      return on_page({Errc::invalid, "the pages go in a circle: this one was there before"});
    }
    const auto reply = fetcher.get(place.url, static_cast<std::size_t>(source.page_bytes_max));
    if (!reply) return on_page(reply.error());
    if (place.page == 1 && says_absent(source, *reply)) return Ok{};
    const auto value = value_in(*reply);
    if (!value) return on_page(value.error());
    const auto rows = sink(place.page, *value);
    if (!rows) return on_page(rows.error());
    place.rows = *rows;
    if (!circle.add_page(*reply, place.rows)) {
      return on_page({Errc::invalid, "the pages go in a circle: this one has what another had"});
    }
    const auto next = next_url(source, place, *reply, *value);
    if (!next) return on_page(next.error());
    if (!*next) return Ok{};
    place.url = **next;
  }
}

Result<std::size_t> read_rows(const SourceSpec& source, const json::Value& page,
                              const std::vector<sdk::Value>* parent_row, const RowSink& sink) {
  const auto* found = source.rows.find(page);
  const auto* list = found == nullptr ? nullptr : found->if_array();
  const bool is_object = found != nullptr && found->if_object() != nullptr;
  if (source.is_single ? !is_object : list == nullptr) {
    return Error{Errc::invalid, source.is_single ? "has no object where the row is to be (rows)"
                                                 : "has no list where the rows are to be (rows)"};
  }
  const auto read_row = [&](const json::Value& row) -> Result<std::vector<sdk::Value>> {
    std::vector<sdk::Value> values;
    const auto& columns = source.table->columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (source.inherited[i]) {
        values.push_back((*parent_row)[*source.inherited[i]]);
        continue;
      }
      auto value = sdk::value_of(columns[i], columns[i].pointer.find(row));
      if (!value) return std::move(value).error();
      values.push_back(*std::move(value));
    }
    return values;
  };
  if (source.is_single) {
    sink(1, read_row(*found));
    return std::size_t{1};
  }
  for (std::size_t i = 0; i < list->size(); ++i) sink(i + 1, read_row((*list)[i]));
  return list->size();
}

}  // namespace vouch::http_json
