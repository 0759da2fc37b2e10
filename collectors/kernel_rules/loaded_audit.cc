// SPDX-License-Identifier: Apache-2.0
#include "collectors/kernel_rules/loaded_audit.h"

#include <linux/audit.h>
#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "collectors/kernel_rules/netlink.h"

namespace vouch::kernel_rules {
namespace {

#include "collectors/kernel_rules/syscall_names.inc"

constexpr std::uint32_t kArchI386 = 0x40000003;
constexpr std::uint32_t kArchX8664 = 0xc000003e;
constexpr std::uint32_t kArchAarch64 = 0xc00000b7;
constexpr std::uint32_t kArchIs64Bit = 0x80000000;
constexpr std::size_t kRulesMax = 100'000;

struct Named {
  std::uint32_t value;
  std::string_view name;
};

template <std::size_t size>
std::string name_of(const std::array<Named, size>& names, std::uint32_t value) {
  for (const Named& each : names) {
    if (each.value == value) return std::string(each.name);
  }
  return std::to_string(value);
}

constexpr std::array<Named, 44> kFields{{
    {AUDIT_PID, "pid"},
    {AUDIT_UID, "uid"},
    {AUDIT_EUID, "euid"},
    {AUDIT_SUID, "suid"},
    {AUDIT_FSUID, "fsuid"},
    {AUDIT_GID, "gid"},
    {AUDIT_EGID, "egid"},
    {AUDIT_SGID, "sgid"},
    {AUDIT_FSGID, "fsgid"},
    {AUDIT_LOGINUID, "auid"},
    {AUDIT_PERS, "pers"},
    {AUDIT_ARCH, "arch"},
    {AUDIT_MSGTYPE, "msgtype"},
    {AUDIT_SUBJ_USER, "subj_user"},
    {AUDIT_SUBJ_ROLE, "subj_role"},
    {AUDIT_SUBJ_TYPE, "subj_type"},
    {AUDIT_SUBJ_SEN, "subj_sen"},
    {AUDIT_SUBJ_CLR, "subj_clr"},
    {AUDIT_PPID, "ppid"},
    {AUDIT_OBJ_USER, "obj_user"},
    {AUDIT_OBJ_ROLE, "obj_role"},
    {AUDIT_OBJ_TYPE, "obj_type"},
    {AUDIT_OBJ_LEV_LOW, "obj_lev_low"},
    {AUDIT_OBJ_LEV_HIGH, "obj_lev_high"},
    {AUDIT_LOGINUID_SET, "loginuid_set"},
    {AUDIT_SESSIONID, "sessionid"},
    {AUDIT_DEVMAJOR, "devmajor"},
    {AUDIT_DEVMINOR, "devminor"},
    {AUDIT_INODE, "inode"},
    {AUDIT_EXIT, "exit"},
    {AUDIT_SUCCESS, "success"},
    {AUDIT_WATCH, "path"},
    {AUDIT_PERM, "perm"},
    {AUDIT_DIR, "dir"},
    {AUDIT_FILETYPE, "filetype"},
    {AUDIT_OBJ_UID, "obj_uid"},
    {AUDIT_OBJ_GID, "obj_gid"},
    {AUDIT_EXE, "exe"},
    {AUDIT_FSTYPE, "fstype"},
    {AUDIT_ARG0, "a0"},
    {AUDIT_ARG1, "a1"},
    {AUDIT_ARG2, "a2"},
    {AUDIT_ARG3, "a3"},
    {AUDIT_FILTERKEY, "key"},
}};

constexpr std::array<Named, 8> kOperators{{{AUDIT_EQUAL, "="},
                                           {AUDIT_NOT_EQUAL, "!="},
                                           {AUDIT_LESS_THAN, "<"},
                                           {AUDIT_GREATER_THAN, ">"},
                                           {AUDIT_LESS_THAN_OR_EQUAL, "<="},
                                           {AUDIT_GREATER_THAN_OR_EQUAL, ">="},
                                           {AUDIT_BIT_MASK, "&"},
                                           {AUDIT_BIT_TEST, "&="}}};

// Pairs of AUDIT_COMPARE_*, as -C writes them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 26> kComparisons{{
    {"", ""},
    {"uid", "obj_uid"},
    {"gid", "obj_gid"},
    {"euid", "obj_uid"},
    {"egid", "obj_gid"},
    {"auid", "obj_uid"},
    {"suid", "obj_uid"},
    {"sgid", "obj_gid"},
    {"fsuid", "obj_uid"},
    {"fsgid", "obj_gid"},
    {"uid", "auid"},
    {"uid", "euid"},
    {"uid", "fsuid"},
    {"uid", "suid"},
    {"auid", "fsuid"},
    {"auid", "suid"},
    {"auid", "euid"},
    {"euid", "suid"},
    {"euid", "fsuid"},
    {"suid", "fsuid"},
    {"gid", "egid"},
    {"gid", "fsgid"},
    {"gid", "sgid"},
    {"egid", "fsgid"},
    {"egid", "sgid"},
    {"sgid", "fsgid"},
}};

// Types that rules name, so that both sides are written the same.
constexpr std::array<Named, 12> kTypes{{{1300, "SYSCALL"},
                                        {1302, "PATH"},
                                        {1303, "IPC"},
                                        {1305, "CONFIG_CHANGE"},
                                        {1306, "SOCKADDR"},
                                        {1307, "CWD"},
                                        {1309, "EXECVE"},
                                        {1320, "EOE"},
                                        {1327, "PROCTITLE"},
                                        {1107, "USER_AVC"},
                                        {1400, "AVC"},
                                        {2404, "CRYPTO_KEY_USER"}}};

bool is_text_field(std::uint32_t field) {
  return (field >= AUDIT_SUBJ_USER && field <= AUDIT_SUBJ_CLR) ||
         (field >= AUDIT_OBJ_USER && field <= AUDIT_OBJ_LEV_HIGH) || field == AUDIT_WATCH ||
         field == AUDIT_DIR || field == AUDIT_EXE || field == AUDIT_FILTERKEY;
}

std::string permissions_of(std::uint32_t bits) {
  std::string out;
  if ((bits & AUDIT_PERM_READ) != 0) out += 'r';
  if ((bits & AUDIT_PERM_WRITE) != 0) out += 'w';
  if ((bits & AUDIT_PERM_EXEC) != 0) out += 'x';
  if ((bits & AUDIT_PERM_ATTR) != 0) out += 'a';
  return out;
}

// "exit=-EACCES", as auditctl prints it.
std::string exit_code(std::uint32_t value) {
  const auto number = static_cast<std::int32_t>(value);
  const char* name = number < 0 ? ::strerrorname_np(-number) : nullptr;
  return name == nullptr ? std::to_string(number) : "-" + std::string(name);
}

std::string number_of(std::uint32_t field, std::uint32_t value) {
  if (field == AUDIT_ARCH) return (value & kArchIs64Bit) != 0 ? "b64" : "b32";
  if (field == AUDIT_PERM) return permissions_of(value);
  if (field == AUDIT_EXIT) return exit_code(value);
  if (field == AUDIT_MSGTYPE) return name_of(kTypes, value);
  return std::to_string(value);
}

std::string_view calls_of(std::uint32_t arch) {
  switch (arch) {
    case kArchX8664:
      return kX8664Calls;
    case kArchI386:
      return kI386Calls;
    case kArchAarch64:
      return kAarch64Calls;
    default:
      return {};
  }
}

// Without arch= a rule speaks of the system calls that the kernel itself has.
std::uint32_t native_arch() {
#if defined(__x86_64__)
  return kArchX8664;
#elif defined(__aarch64__)
  return kArchAarch64;
#else
  return 0;
#endif
}

std::vector<std::string> syscalls_of(const audit_rule_data& rule, std::uint32_t arch) {
  // The last word is for classes of calls, which the kernel has resolved already.
  constexpr std::uint32_t kWords = AUDIT_BITMASK_SIZE - 1;
  if (std::all_of(rule.mask, rule.mask + kWords, [](auto word) { return word == ~0u; })) return {};
  std::vector<std::string> calls;
  std::string_view names = calls_of(arch);
  for (std::uint32_t number = 0; number < kWords * 32; ++number) {
    const std::string_view name = names.substr(0, names.find(' '));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    if ((rule.mask[number / 32] >> number % 32 & 1) == 0) continue;
    const bool is_named = !name.empty() && name != "-";
    calls.push_back(is_named ? std::string(name) : std::to_string(number));
  }
  return calls;
}

std::string filter_of(const audit_rule_data& rule) {
  static constexpr std::array<std::string_view, 8> kLists{
      "user", "task", "entry", "watch", "exit", "exclude", "filesystem", "io_uring"};
  static constexpr std::array<std::string_view, 3> kActions{"never", "possible", "always"};
  const std::uint32_t list = rule.flags & ~static_cast<std::uint32_t>(AUDIT_FILTER_PREPEND);
  const std::string action(rule.action < kActions.size() ? kActions[rule.action] : "unknown");
  return action + "," + (list < kLists.size() ? std::string(kLists[list]) : std::to_string(list));
}

}  // namespace

Result<drift::AuditRule> decode_audit_rule(std::string_view bytes) {
  audit_rule_data rule;
  if (bytes.size() < sizeof rule) return Error{Errc::invalid, "an audit rule that is cut short"};
  std::memcpy(&rule, bytes.data(), sizeof rule);
  std::string_view texts = bytes.substr(sizeof rule);
  texts = texts.substr(0, rule.buflen);
  if (rule.field_count > AUDIT_MAX_FIELDS) {
    return Error{Errc::invalid, "an audit rule with too many fields"};
  }
  std::vector<std::string> fields;
  std::uint32_t arch = native_arch();
  for (std::size_t i = 0; i < rule.field_count; ++i) {
    const std::uint32_t field = rule.fields[i];
    const std::uint32_t value = rule.values[i];
    const std::string operation = name_of(kOperators, rule.fieldflags[i] & AUDIT_OPERATORS);
    if (field == AUDIT_ARCH) arch = value;
    if (field == AUDIT_FIELD_COMPARE) {
      const auto& [left, right] = kComparisons[value < kComparisons.size() ? value : 0];
      fields.push_back("-C " + std::string(left) + operation + std::string(right));
    } else if (is_text_field(field)) {
      if (value > texts.size()) return Error{Errc::invalid, "an audit rule that is cut short"};
      const std::string text(texts.substr(0, value));
      texts.remove_prefix(value);
      // Several keys of one rule are kept in one, with 0x01 between them.
      fields.push_back(name_of(kFields, field) + operation + text.substr(0, text.find('\x01')));
    } else {
      fields.push_back(name_of(kFields, field) + operation + number_of(field, value));
    }
  }
  return drift::make_audit_rule(filter_of(rule), syscalls_of(rule, arch), std::move(fields));
}

Result<std::vector<drift::AuditRule>> query_audit_rules() {
  std::vector<drift::AuditRule> rules;
  const Status status = ask_kernel(NETLINK_AUDIT, AUDIT_LIST_RULES, NLM_F_ACK, "",
                                   [&](std::uint16_t type, std::string_view body) -> Status {
                                     if (type != AUDIT_LIST_RULES) return Ok{};
                                     if (rules.size() >= kRulesMax)
                                       return Error{Errc::too_large, "over 100,000 audit rules"};
                                     auto rule = decode_audit_rule(body);
                                     if (!rule) return rule.error();
                                     rules.push_back(*std::move(rule));
                                     return Ok{};
                                   });
  if (!status) return status.error();
  return rules;
}

Result<AuditStatus> query_audit_status() {
  AuditStatus out;
  const Status status = ask_kernel(
      NETLINK_AUDIT, AUDIT_GET, 0, "", [&](std::uint16_t type, std::string_view body) -> Status {
        if (type != AUDIT_GET) return Ok{};
        audit_status answer = {};
        std::memcpy(&answer, body.data(), std::min(body.size(), sizeof answer));
        out = {answer.enabled, answer.failure, answer.rate_limit, answer.backlog_limit,
               answer.pid != 0};
        return Ok{};
      });
  if (!status) return status.error();
  return out;
}

}  // namespace vouch::kernel_rules
