// SPDX-License-Identifier: Apache-2.0
// boot_parameters and core_dump_settings.
#include <catch2/catch.hpp>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/core_dumps.h"
#include "collectors/config_drift/kernel_command_line.h"
#include "collectors/config_drift/unified_kernel.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::drift;
using sdk::TestTree;

namespace {

std::string shown(std::string_view command_line) {
  std::string out;
  for (const KernelParameter& one : parse_command_line(command_line)) {
    out += "<" + one.name + (one.value ? "|" + *one.value : "") + ">";
  }
  return out;
}

void put(std::string& bytes, std::size_t at, std::uint32_t value, int size = 4) {
  for (int i = 0; i < size; ++i) {
    bytes[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i));
  }
}

// The least EFI program with a section .text and, unless it is empty, .cmdline behind it.
std::string unified_kernel(const std::string& command_line) {
  std::string image(64 + 24 + 16 + 2 * 40, '\0');
  image.replace(0, 2, "MZ");
  put(image, 0x3c, 64);
  image.replace(64, 4, std::string("PE\0\0", 4));
  put(image, 64 + 6, command_line.empty() ? 1 : 2, 2);
  put(image, 64 + 20, 16, 2);  // The optional header, which says nothing here.
  image.replace(104, 5, ".text");
  image.replace(144, 8, ".cmdline");
  put(image, 144 + 8, static_cast<std::uint32_t>(command_line.size()));
  put(image, 144 + 16, 512);
  put(image, 144 + 20, static_cast<std::uint32_t>(image.size()));
  return image + command_line;
}

sdk::TestAnswer collect(const TestTree& tree, const std::string& table) {
  auto answer = run_collector(make_config_drift(), tree.path(), {.tables = {table}});
  CHECK(answer.violation == "");
  return answer;
}

// "scope|entry|name|value", in the order of the rows.
std::string parameters(const sdk::TestAnswer& answer) {
  std::string out;
  for (const json::Value& row : answer.tables.at("boot_parameters")) {
    for (const char* column : {"scope", "entry", "name"}) {
      out += *row.find(column)->if_string() + "|";
    }
    const auto* value = row.find("value")->if_string();
    out += (value != nullptr ? *value : "-") + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("a command line is cut as the kernel cuts it", "[boot]") {
  CHECK(shown("ro  quiet\tdyndbg=\"file a +p; x\" root=UUID=1 \"a b\"=c\n") ==
        "<ro><quiet><dyndbg|file a +p; x><root|UUID=1><a b|c>");
  CHECK(shown("ro -- single init=/bin/sh") == "<ro>");
  CHECK(shown("x=\"open quote") == "<x|open quote>");
  CHECK(shown("rd.password=planted ks=http://u:planted@h/k").find("planted") == std::string::npos);
}

TEST_CASE("variables are replaced where they are known", "[boot]") {
  const Variables known{{"a", "1"}, {"b", "2 3"}};

  CHECK(with_variables("$a ${b} $c ${d} $ ${a $", known) == "1 2 3 $c ${d} $ ${a $");
}

TEST_CASE("each entry of GRUB has its own command line", "[boot]") {
  TestTree tree;
  tree.file("/boot/grub/grub.cfg",
            "set kernelopts=\"root=/dev/a ro\"\n"
            "menuentry 'Debian \"12\"' --class debian {\n\tlinux /vmlinuz-6 root=UUID=1 ro quiet\n"
            "}\nsubmenu 'More' {\n menuentry 'Old' {\n linuxefi /vmlinuz-5 $kernelopts $saved "
            "nokaslr\n}\n}\n");
  tree.file("/boot/grub/grubenv", "# GRUB Environment Block\nsaved=audit=1\n#####\n");
  tree.file("/boot/loader/entries/x.conf",
            "title RHEL\nlinux /vmlinuz\noptions $saved selinux=1\noptions debug\n");
  tree.file("/etc/default/grub",
            "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX='a=b'\n");
  tree.file("/etc/default/grub.d/50-x.cfg",
            "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT apparmor=0\"\n");
  tree.file("/boot/efi/EFI/Linux/unified.efi", "MZ").fifo("/etc/kernel/cmdline");

  const auto answer = collect(tree, "boot_parameters");

  CHECK(parameters(answer) ==
        "boot|Debian \"12\"|root|UUID=1\nboot|Debian \"12\"|ro|-\nboot|Debian \"12\"|quiet|-\n"
        "boot|Old|root|/dev/a\nboot|Old|ro|-\nboot|Old|audit|1\nboot|Old|nokaslr|-\n"
        "boot|RHEL|audit|1\nboot|RHEL|selinux|1\nboot|RHEL|debug|-\n"
        "template|GRUB_CMDLINE_LINUX|a|b\ntemplate|GRUB_CMDLINE_LINUX_DEFAULT|quiet|-\n"
        "template|GRUB_CMDLINE_LINUX_DEFAULT|apparmor|0\n");
  CHECK(answer.has_gap("boot_parameters", "/boot/efi/EFI/Linux/unified.efi"));
  CHECK(answer.has_gap("boot_parameters", "/etc/kernel/cmdline"));
}

TEST_CASE("a unified kernel image has its command line in a section", "[boot]") {
  const std::string image = unified_kernel("root=UUID=2 apparmor=0");
  TestTree tree;
  tree.file("/efi/EFI/Linux/one.efi", image);
  tree.file("/boot/EFI/Linux/cut.efi", image.substr(0, image.size() - 3));
  tree.file("/boot/EFI/Linux/none.efi", unified_kernel(""));

  const auto answer = collect(tree, "boot_parameters");

  CHECK(parameters(answer) == "boot||root|UUID=2\nboot||apparmor|0\n");
  CHECK(answer.has_gap("boot_parameters", "/boot/EFI/Linux/cut.efi"));
  CHECK_FALSE(answer.has_gap("boot_parameters", "/boot/EFI/Linux/none.efi"));
  for (std::size_t i = 0; i < image.size(); ++i) {
    const auto cut = unified_kernel_command_line([&](std::uint64_t offset, std::size_t size) {
      return Result<std::string>(offset < i ? image.substr(0, i).substr(offset, size) : "");
    });
    CHECK_FALSE(cut);
  }
}

TEST_CASE("a variable that names itself ends", "[boot]") {
  Variables variables{{"a", "x"}};
  std::string text;
  for (int i = 0; i < 64; ++i) text += "a=$a$a\n";

  read_assignments(text, variables);

  CHECK(variables["a"].size() <= 64 << 10);
}

TEST_CASE("the running kernel's command line is that of this host", "[boot]") {
  const auto answer = run_collector(make_config_drift(), "/", {.tables = {"boot_parameters"}});

  CHECK(answer.violation == "");
  CHECK(answer.errors.empty());
}

TEST_CASE("core dumps: limits, systemd-coredump and its defaults", "[boot]") {
  TestTree tree;
  tree.file("/usr/lib/systemd/systemd-coredump", "", 0755);
  tree.file("/etc/systemd/coredump.conf", "[Coredump]\n#Storage=x\nProcessSizeMax=0\n");
  tree.file("/etc/systemd/system.conf.d/c.conf", "[Manager]\nDefaultLimitCORE=0:0\n");
  tree.file("/etc/security/limits.conf", "# * hard core 9\n* Hard core 0# off\n@dev - core 100\n");
  tree.file("/etc/security/limits.d/x.conf", "* soft nofile 7\nbob soft core unlimited\n* hard\n");

  const auto answer = collect(tree, "core_dump_settings");

  const auto value = [&](std::string_view name, std::string_view column) {
    return answer.cell("core_dump_settings", "name", name, column);
  };
  CHECK(value("storage", "value") == "external");
  CHECK(value("storage", "source") == "null");
  CHECK(value("processsizemax", "value") == "0");
  CHECK(value("processsizemax", "source") == "/etc/systemd/coredump.conf");
  CHECK(value("defaultlimitcore", "value") == "0:0");
  CHECK(value("* hard", "value") == "0");
  CHECK(value("@dev -", "value") == "100");
  CHECK(value("bob soft", "source") == "/etc/security/limits.d/x.conf");
  CHECK(answer.tables.at("core_dump_settings").size() == 6);
}
