// SPDX-License-Identifier: Apache-2.0
#include "collectors/kernel_rules/kernel_rules.h"

#include <linux/audit.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netlink.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "collectors/kernel_rules/loaded_audit.h"
#include "collectors/kernel_rules/loaded_firewall.h"
#include "collectors/kernel_rules/netlink.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::kernel_rules;

namespace {

struct Field {
  std::uint32_t field, operation, value;
};

std::string rule_bytes(std::uint32_t action, std::vector<std::uint32_t> calls,
                       const std::vector<Field>& fields, const std::string& texts) {
  audit_rule_data rule = {};
  rule.flags = AUDIT_FILTER_EXIT;
  rule.action = action;
  rule.field_count = static_cast<std::uint32_t>(fields.size());
  // As auditctl says "all": the last word stays empty.
  if (calls.empty()) std::fill(std::begin(rule.mask), std::end(rule.mask) - 1, ~0u);
  for (const std::uint32_t call : calls) rule.mask[call / 32] |= 1u << call % 32;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    rule.fields[i] = fields[i].field;
    rule.fieldflags[i] = fields[i].operation;
    rule.values[i] = fields[i].value;
  }
  rule.buflen = static_cast<std::uint32_t>(texts.size());
  return std::string(reinterpret_cast<const char*>(&rule), sizeof rule) + texts;
}

std::string attribute(std::uint16_t type, std::string payload) {
  nlattr head{static_cast<std::uint16_t>(NLA_HDRLEN + payload.size()), type};
  payload.resize((payload.size() + 3) / 4 * 4);
  return std::string(reinterpret_cast<const char*>(&head), sizeof head) + payload;
}

std::string text(std::uint16_t type, const std::string& value) {
  return attribute(type, value + '\0');
}

std::string number(std::uint16_t type, std::uint8_t value) {
  return attribute(type, std::string(3, '\0') + static_cast<char>(value));
}

std::string header(std::uint8_t family) {
  return static_cast<char>(family) + std::string(3, '\0');
}

std::string expression(const std::string& name, const std::string& data = "") {
  return attribute(NFTA_LIST_ELEM,
                   text(NFTA_EXPR_NAME, name) + attribute(NFTA_EXPR_DATA | NLA_F_NESTED, data));
}

std::string verdict(std::uint8_t code) {
  return expression("immediate",
                    attribute(NFTA_IMMEDIATE_DATA,
                              attribute(NFTA_DATA_VERDICT, number(NFTA_VERDICT_CODE, code))));
}

std::string rule(const std::string& expressions) {
  return header(NFPROTO_INET) + text(NFTA_RULE_TABLE, "f") + text(NFTA_RULE_CHAIN, "in") +
         attribute(NFTA_RULE_EXPRESSIONS, expressions);
}

}  // namespace

TEST_CASE("a rule of the kernel is spelled like one on disk", "[kernel]") {
  const auto watch = decode_audit_rule(rule_bytes(AUDIT_ALWAYS, {},
                                                  {{AUDIT_WATCH, AUDIT_EQUAL, 11},
                                                   {AUDIT_PERM, AUDIT_EQUAL, 10},
                                                   {AUDIT_FILTERKEY, AUDIT_EQUAL, 2}},
                                                  "/etc/shadowid"));
  const auto call = decode_audit_rule(rule_bytes(AUDIT_ALWAYS, {59, 257},
                                                 {{AUDIT_ARCH, AUDIT_EQUAL, 0xc000003e},
                                                  {AUDIT_EXIT, AUDIT_EQUAL, 0xfffffff3},
                                                  {AUDIT_LOGINUID, AUDIT_NOT_EQUAL, ~0u},
                                                  {AUDIT_FIELD_COMPARE, AUDIT_NOT_EQUAL, 11}},
                                                 ""));
  const auto old = decode_audit_rule(
      rule_bytes(AUDIT_NEVER, {10, 2000}, {{AUDIT_ARCH, AUDIT_EQUAL, 0x40000003}}, ""));

  REQUIRE((watch && call && old));
  CHECK(watch->rule == "-w /etc/shadow -p wa -k id");
  CHECK(call->rule ==
        "-a always,exit -F arch=b64 -S execve,openat -C uid!=euid -F auid!=-1 -F exit=-EACCES");
  CHECK(old->rule == "-a never,exit -F arch=b32 -S 2000,unlink");
}

TEST_CASE("a rule that is cut short is refused", "[kernel]") {
  const std::string good =
      rule_bytes(AUDIT_ALWAYS, {}, {{AUDIT_WATCH, AUDIT_EQUAL, 11}}, "/etc/shadow");

  CHECK(decode_audit_rule(good));
  for (std::size_t size = 0; size < good.size(); size += 13) {
    CHECK_FALSE(decode_audit_rule(good.substr(0, size)));
  }
  std::string many = good;
  many[8] = 100;  // field_count
  CHECK_FALSE(decode_audit_rule(many));
  std::string unknown = good;
  unknown[4] = 9;  // action
  CHECK(decode_audit_rule(unknown)->rule.find("unknown") != std::string::npos);
}

TEST_CASE("chains have their hook, policy, and the verdict without condition", "[kernel]") {
  ChainSet set;
  const std::string hook = attribute(NFTA_CHAIN_HOOK | NLA_F_NESTED, number(NFTA_HOOK_HOOKNUM, 1));
  set.take_chain(header(NFPROTO_INET) + text(NFTA_CHAIN_TABLE, "f") + text(NFTA_CHAIN_NAME, "in") +
                 hook + number(NFTA_CHAIN_POLICY, NF_ACCEPT));
  set.take_chain(header(NFPROTO_IPV4) + text(NFTA_CHAIN_TABLE, "f") + text(NFTA_CHAIN_NAME, "sub"));
  set.take_rule(rule(expression("meta") + expression("cmp") + verdict(NF_ACCEPT)));
  set.take_rule(rule(expression("counter") + expression("log") + verdict(NF_DROP)));
  set.take_rule(rule(verdict(NF_ACCEPT)));
  set.take_rule(header(NFPROTO_INET) + text(NFTA_RULE_TABLE, "other"));

  set.take_chain(header(NFPROTO_IPV4) + text(NFTA_CHAIN_TABLE, "filter") +
                 text(NFTA_CHAIN_NAME, "INPUT") + hook);
  set.take_rule(
      header(NFPROTO_IPV4) + text(NFTA_RULE_TABLE, "filter") + text(NFTA_RULE_CHAIN, "INPUT") +
      attribute(NFTA_RULE_EXPRESSIONS,
                expression("counter") + expression("target", text(NFTA_TARGET_NAME, "REJECT"))));

  const auto chains = set.chains();

  REQUIRE(chains.size() == 3);
  CHECK(chains[2].chain == "INPUT");
  CHECK(chains[2].policy == "accept");
  CHECK(chains[2].default_action == "reject");
  CHECK(chains[0].chain == "in");
  CHECK(chains[0].hook == "input");
  CHECK(chains[0].policy == "accept");
  CHECK(chains[0].default_action == "drop");
  CHECK(chains[0].rules == 3);
  CHECK(chains[1].family == "ipv4");
  CHECK(chains[1].hook.empty());
  CHECK(chains[1].policy.empty());
}

TEST_CASE("hostile attributes end the walk", "[kernel]") {
  int count = 0;
  const auto take = [&](std::uint16_t, std::string_view) { ++count; };

  each_attribute("", take);
  each_attribute("abc", take);
  each_attribute(std::string("\x00\x00\x01\x00", 4), take);
  each_attribute(std::string("\xff\xff\x01\x00", 4), take);
  CHECK(count == 0);
  each_attribute(std::string("\x05\x00\x01\x00x", 5), take);
  CHECK(count == 1);
  ChainSet set;
  set.take_chain("");
  set.take_rule("ab");
  CHECK(set.chains().empty());
}

TEST_CASE("an image has no kernel to ask", "[kernel]") {
  sdk::TestTree tree;

  const auto answer = sdk::run_collector(make_kernel_rules(), tree.path());

  CHECK(answer.violation == "");
  CHECK(answer.errors.size() == 3);
}

TEST_CASE("the kernel answers, or says why not", "[kernel]") {
  const auto answer = sdk::run_collector(make_kernel_rules(), "/");

  CHECK(answer.violation == "");
  for (const auto& [table, error] : answer.errors) {
    CAPTURE(table, error);
    // Not permitted, or a kernel without audit or nf_tables.
    CHECK((error.starts_with("permission-denied") || error.starts_with("not-supported") ||
           error.starts_with("other")));
  }
}
