// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/apt_sources.h"

#include <algorithm>
#include <utility>

#include "collectors/patch_level/apt_config.h"
#include "collectors/patch_level/stanza.h"

namespace vouch::patch_level {
namespace {

constexpr std::string_view kEmbeddedKey = "(embedded key)";

std::string at_line(std::size_t line, std::string_view what) {
  return "line " + std::to_string(line) + ": " + std::string(what);
}

// Values of one-line options are separated by commas, those of deb822 fields by white space.
std::vector<std::string> split_list(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; (at = text.find_first_not_of(separators, at)) != text.npos;) {
    const auto end = std::min(text.find_first_of(separators, at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return parts;
}

void set_architectures(AptSource& source, std::vector<std::string> values, std::string_view sign) {
  for (std::string& value : values) source.architectures.push_back(std::string(sign) + value);
}

// True if the option is known or may be ignored; false if it has no value.
bool set_option(AptSource& source, std::string_view option) {
  const auto equals = option.find('=');
  if (equals == 0 || equals == std::string_view::npos) return false;
  auto name = option.substr(0, equals);
  const auto value = option.substr(equals + 1);
  std::string_view sign;
  if (name.ends_with('+') || name.ends_with('-')) {
    sign = name.substr(name.size() - 1);
    name.remove_suffix(1);
  }
  if (name == "arch") set_architectures(source, split_list(value, ","), sign);
  if (name == "signed-by") source.signed_by = value;
  if (name == "trusted") source.trusted = apt_bool(value, false);
  if (name == "allow-insecure") source.allow_insecure = apt_bool(value, false);
  return true;
}

// What is wrong with the line; empty if `source` is filled.
std::string_view parse_line(std::string_view line, AptSource& source) {
  auto parts = words(line);
  source.type = parts[0];
  if (source.type != "deb" && source.type != "deb-src")
    return "the type is neither deb nor deb-src";
  std::size_t next = 1;
  if (parts.size() > 1 && parts[1].starts_with('[')) {
    const auto open = line.find('[');
    const auto close = line.find(']', open);
    if (close == std::string_view::npos) return "the options are not closed: `]` is missing";
    for (const auto option : words(line.substr(open + 1, close - open - 1))) {
      if (!set_option(source, option)) return "an option without a value";
    }
    parts = words(line.substr(close + 1));
    next = 0;
  }
  if (parts.size() < next + 2) return "the URI or the suite is missing";
  source.uri = parts[next];
  source.suite = parts[next + 1];
  source.components.assign(parts.begin() + static_cast<std::ptrdiff_t>(next) + 2, parts.end());
  if (source.uri.find(':') == std::string::npos) return "the URI has no scheme";
  const bool is_flat = source.suite.ends_with('/');
  if (is_flat && !source.components.empty()) return "a path as suite takes no components";
  if (!is_flat && source.components.empty()) return "the components are missing";
  return {};
}

bool has_known_type(const std::vector<std::string_view>& types) {
  return !types.empty() && std::all_of(types.begin(), types.end(), [](std::string_view type) {
    return type == "deb" || type == "deb-src";
  });
}

// What is wrong with the stanza; empty if its sources were added.
std::string_view add_stanza(const Stanza& stanza, std::string_view file, AptSources& result) {
  AptSource source;
  source.file = file;
  const auto types = words(stanza.get("Types"));
  const auto uris = words(stanza.get("URIs"));
  const auto suites = words(stanza.get("Suites"));
  if (stanza.bad_line != 0) return "a line that is no field";
  if (!has_known_type(types)) return "Types is neither deb nor deb-src";
  if (uris.empty()) return "URIs is missing";
  if (suites.empty()) return "Suites is missing";
  for (const auto component : words(stanza.get("Components"))) {
    source.components.emplace_back(component);
  }
  set_architectures(source, split_list(stanza.get("Architectures"), " \t\r\n"), "");
  set_architectures(source, split_list(stanza.get("Architectures-Add"), " \t\r\n"), "+");
  set_architectures(source, split_list(stanza.get("Architectures-Remove"), " \t\r\n"), "-");
  if (const auto key = stanza.get("Signed-By"); key.find("-----BEGIN") != key.npos) {
    source.signed_by = kEmbeddedKey;
  } else if (!key.empty()) {
    std::string joined;
    for (const auto word : words(key)) joined += (joined.empty() ? "" : " ") + std::string(word);
    source.signed_by = joined;
  }
  source.trusted = apt_bool(stanza.get("Trusted"), false);
  source.allow_insecure = apt_bool(stanza.get("Allow-Insecure"), false);
  source.enabled = apt_bool(stanza.get("Enabled"), true);
  for (const auto type : types) {
    for (const auto uri : uris) {
      for (const auto suite : suites) {
        source.type = type;
        source.uri = uri;
        source.suite = suite;
        if (!suite.ends_with('/') && source.components.empty()) return "Components is missing";
        result.sources.push_back(source);
      }
    }
  }
  return {};
}

// The URI without scheme, user and password.
std::string_view without_access(std::string_view uri) {
  if (const auto scheme = uri.find(':'); scheme != uri.npos) uri.remove_prefix(scheme + 1);
  if (!uri.starts_with("//")) return uri;
  uri.remove_prefix(2);
  const auto host = uri.substr(0, uri.find('/'));
  if (const auto at = host.rfind('@'); at != host.npos) uri.remove_prefix(at + 1);
  return uri;
}

// As apt names files after URIs.
std::string file_name(std::string_view path) {
  constexpr std::string_view kQuoted = "\\|{}[]<>\"^~_=!@#$%^&*";
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string name;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '/') {
      name += '_';
    } else if (kQuoted.find(c) != kQuoted.npos || byte <= 0x20 || byte >= 0x7f) {
      name += '%';
      name += kHex[byte >> 4];
      name += kHex[byte & 15];
    } else {
      name += c;
    }
  }
  return name;
}

}  // namespace

AptSources parse_sources_list(std::string_view text, std::string_view file) {
  AptSources result;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    line = trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    AptSource source;
    source.file = file;
    if (const auto problem = parse_line(line, source); !problem.empty()) {
      result.problems.push_back(at_line(number, problem));
    } else {
      result.sources.push_back(std::move(source));
    }
  }
  return result;
}

AptSources parse_deb822_sources(std::string_view text, std::string_view file) {
  AptSources result;
  std::size_t line = 1;
  Stanza stanza;
  while (next_stanza(text, line, Comments::hash, stanza)) {
    if (const auto problem = add_stanza(stanza, file, result); !problem.empty()) {
      result.problems.push_back(at_line(stanza.line, problem));
    }
  }
  return result;
}

std::string list_prefix(const AptSource& source, std::string_view native) {
  std::string path(without_access(source.uri));
  if (!path.ends_with('/')) path += '/';
  const bool is_flat = source.suite.ends_with('/');
  if (!is_flat) path += "dists/";
  if (source.suite != "/") path += source.suite;
  if (!is_flat) path += '/';
  for (auto at = path.find("$(ARCH)"); at != path.npos; at = path.find("$(ARCH)", at)) {
    path.replace(at, 7, native);
  }
  return file_name(path);
}

std::string packages_name(std::string_view component, std::string_view architecture) {
  if (component.empty()) return "Packages";
  return file_name(component) + "_binary-" + std::string(architecture) + "_Packages";
}

std::string site_of(std::string_view uri) {
  const auto scheme = uri.find(':');
  if (scheme == uri.npos || !uri.substr(scheme + 1).starts_with("//")) return {};
  const auto rest = without_access(uri);
  return std::string(rest.substr(0, rest.find_first_of("/:")));
}

}  // namespace vouch::patch_level
