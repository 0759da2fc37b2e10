// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <ostream>

#include "agent/cli/ask.h"

namespace vouch::cli {

int run_key_show(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto answer = ask_daemon(*places, json::Object{{"command", "status"}});
  if (!answer) return fail_daemon(answer.error(), *places, output);
  const auto* status = answer->find("status");
  json::Object key;
  for (const std::string_view name : {"agent", "keyid", "epoch", "epoch_since", "epoch_bundles"}) {
    const auto* value = status == nullptr ? nullptr : status->find(name);
    if (value == nullptr) {
      return output.fail({Errc::invalid, fmt::format("vouchd's answer has no {}", name)});
    }
    key.emplace(name, *value);
  }
  if (output.json) {
    output.write_json(key);
    return kExitPass;
  }
  const auto text = [&](std::string_view name) {
    const auto& value = key.find(name)->second;
    return value.if_string() != nullptr ? *value.if_string() : json::write(value);
  };
  output.out << fmt::format(
      "agent {}\nkey   {} (its keyid in bundles)\nepoch {}, since {}, {} bundles\n"
      "It changes after {} s or {} bundles, whichever comes first, or with `vouch key rotate`.\n",
      text("agent"), text("keyid"), text("epoch"), text("epoch_since"), text("epoch_bundles"),
      places->config.rotate_s, places->config.rotate_bundles);
  return kExitPass;
}

int run_key_rotate(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto answer = ask_daemon(*places, json::Object{{"command", "rotate-key"}});
  if (!answer) return fail_daemon(answer.error(), *places, output);
  const auto epoch = json::get_integer(*answer, "epoch");
  if (!epoch) return output.fail(epoch.error());
  if (output.json) {
    output.write_json(json::Object{{"epoch", *epoch}});
    return kExitPass;
  }
  output.out << fmt::format(
      "the next bundle is signed by the key of epoch {}; the key before is erased once the store "
      "has acknowledged all that it signed\n",
      *epoch);
  return kExitPass;
}

}  // namespace vouch::cli
