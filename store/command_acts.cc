// SPDX-License-Identifier: Apache-2.0
// revoke, decommission, drop: what people do, each a leaf of the log.
#include <cstdio>
#include <string>

#include "core/clock.h"
#include "core/encoding.h"
#include "core/json.h"
#include "proto/names.h"
#include "store/arguments.h"
#include "store/commands.h"
#include "store/orders.h"
#include "store/store.h"

namespace vouch::store {
namespace {

constexpr std::size_t kDigestBytes = 32;

int act(const std::string& name, Order order, const Arguments& arguments) {
  order.by = arguments.get("--by", "local");
  order.reason = arguments.get("--reason");
  if (!is_id(order.by)) return fail(kExitUsage, "--by \"" + order.by + "\": not an account");
  if (!json::is_valid_utf8(order.reason) || order.reason.size() > kReasonBytesMax) {
    return fail(kExitUsage, "--reason: at most 4 KiB of UTF-8");
  }
  const std::string dir = arguments.get("--dir");
  auto settings = read_settings(dir);
  if (!settings) return fail(kExitUnavailable, settings.error().message);
  auto answer = carry_out(dir, SystemClock(), order);
  if (!answer) return fail(kExitFailed, name + ": " + answer.error().message);
  if (!answer->done) return fail(kExitFailed, name + ": " + answer->message);
  std::printf("%s\n", answer->message.c_str());
  return kExitOk;
}

bool is_keyid(const std::string& text) {
  const auto bytes = base64_decode(text);
  return bytes && bytes->size() == kDigestBytes;
}

Result<std::int64_t> parse_seq(const std::string& text) {
  // parse_count() is for what there must be one of.
  if (text == "0") return std::int64_t{0};
  return parse_count(text, json::kIntegerMax);
}

Result<Arguments> parse(const std::vector<std::string>& words, std::size_t count,
                        const std::string& usage) {
  auto arguments = Arguments::parse(words, {"--dir", "--by", "--reason", "--from-seq"}, {});
  if (!arguments) return arguments;
  if (!arguments->has("--dir") || arguments->rest().size() != count) {
    return Error{Errc::invalid, "expected: " + usage};
  }
  return arguments;
}

}  // namespace

int command_revoke(const std::vector<std::string>& words) {
  auto arguments =
      parse(words, 1, "revoke AGENT|KEYID --dir DIR [--from-seq N] [--reason TEXT] [--by ACCOUNT]");
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  Order order;
  const std::string& who = arguments->rest()[0];
  if (is_agent_id(who)) {
    order.agent = who;
  } else if (is_keyid(who)) {
    order.keyid = who;
  } else {
    return fail(kExitUsage, "\"" + who + "\": neither an agent id nor a key id");
  }
  if (arguments->has("--from-seq")) {
    auto seq = parse_seq(arguments->get("--from-seq"));
    if (!seq) return fail(kExitUsage, "--from-seq: " + seq.error().message);
    order.seq = *seq;
  }
  return act("revoke", std::move(order), *arguments);
}

int command_decommission(const std::vector<std::string>& words) {
  auto arguments = parse(words, 1, "decommission AGENT --dir DIR [--reason TEXT] [--by ACCOUNT]");
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  Order order;
  order.act = Order::Act::decommission;
  order.agent = arguments->rest()[0];
  if (!is_agent_id(order.agent)) {
    return fail(kExitUsage, "\"" + order.agent + "\": not an agent id; see `vouch-store hosts`");
  }
  return act("decommission", std::move(order), *arguments);
}

int command_drop(const std::vector<std::string>& words) {
  auto arguments = parse(words, 2, "drop AGENT SEQ --dir DIR [--by ACCOUNT]");
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  Order order;
  order.act = Order::Act::drop;
  order.agent = arguments->rest()[0];
  if (!is_agent_id(order.agent)) {
    return fail(kExitUsage, "\"" + order.agent + "\": not an agent id; see `vouch-store hosts`");
  }
  auto seq = parse_seq(arguments->rest()[1]);
  if (!seq) return fail(kExitUsage, "the bundle's number: " + seq.error().message);
  order.seq = *seq;
  return act("drop", std::move(order), *arguments);
}

}  // namespace vouch::store
