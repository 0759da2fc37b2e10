// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/unit_files.h"

#include <algorithm>
#include <array>
#include <set>

namespace vouch::drift {
namespace {

constexpr std::size_t kUnitBytesMax = 1 << 20;
constexpr std::size_t kEntriesMax = 20'000;  // Of one directory.

// systemd's search path for the system manager; the first directory that has a name defines it.
constexpr std::array<std::string_view, 9> kDirectories{
    "/etc/systemd/system",    "/run/systemd/system",           "/run/systemd/transient",
    "/run/systemd/generator", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
    "/lib/systemd/system",    "/run/systemd/generator.late",   "/run/systemd/generator.early"};

bool is_unit_name(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kSuffixes{
      ".service", ".socket", ".timer", ".target",    ".mount",
      ".path",    ".slice",  ".swap",  ".automount", ".scope"};
  return std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](std::string_view suffix) {
    return name.size() > suffix.size() && name.ends_with(suffix);
  });
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0.
}

class Scanner {
 public:
  explicit Scanner(const Root& root) : root_(root) {}

  Result<UnitFiles> scan() {
    bool found_any = false;
    std::set<std::pair<dev_t, ino_t>> seen;  // /lib may be a link to /usr/lib.
    for (const std::string_view directory : kDirectories) {
      const auto status = root_.stat(directory);
      if (!status) continue;
      if (!seen.emplace(status->st_dev, status->st_ino).second) continue;
      const auto names = root_.list(directory, kEntriesMax);
      if (!names) {
        out_.gaps.emplace_back(std::string(directory), names.error());
        continue;
      }
      found_any = found_any || !names->empty();
      for (const std::string& name : *names) take(std::string(directory), name);
    }
    if (!found_any && out_.gaps.empty()) {
      return Error{Errc::not_found, "no systemd units: this system is not run by systemd"};
    }
    settle();
    return std::move(out_);
  }

 private:
  void take(const std::string& directory, const std::string& name) {
    const std::string path = directory + "/" + name;
    if (name.ends_with(".d")) return take_drop_ins(path, name.substr(0, name.size() - 2));
    if (name.ends_with(".wants") || name.ends_with(".requires") || name.ends_with(".upholds")) {
      return take_links(directory, path);
    }
    if (is_unit_name(name)) take_unit(directory, path, name);
  }

  // Drop-ins of one base name: the first directory that has it wins.
  void take_drop_ins(const std::string& path, const std::string& unit) {
    const auto names = root_.list(path, kEntriesMax);
    if (!names) {
      out_.gaps.emplace_back(path, names.error());
      return;
    }
    for (const std::string& name : *names) {
      if (name.ends_with(".conf")) drop_ins_[unit].try_emplace(name, path + "/" + name);
    }
  }

  // Links made by `systemctl enable` lie in /etc or /run; those of packages make nothing "enabled".
  void take_links(const std::string& directory, const std::string& path) {
    const auto names = root_.list(path, kEntriesMax);
    if (!names) {
      out_.gaps.emplace_back(path, names.error());
      return;
    }
    for (const std::string& name : *names) {
      if (!is_unit_name(name)) continue;
      linked_.insert(name);
      if (directory == "/etc/systemd/system") enabled_[name] = "enabled";
      if (directory == "/run/systemd/system") enabled_.try_emplace(name, "enabled-runtime");
    }
  }

  void take_unit(const std::string& directory, const std::string& path, const std::string& name) {
    const auto link = root_.read_link(path);
    const bool is_configured = directory == "/etc/systemd/system";
    if (link && *link != "/dev/null" && base_name(*link) != name) {
      // An alias in /etc is how `enable` carries out Alias=.
      if (is_configured) enabled_.try_emplace(std::string(base_name(*link)), "enabled");
    }
    UnitFile unit;
    if (out_.units.contains(name)) return;
    unit.load_state = "loaded";
    unit.fragment_path = path;
    const bool is_runtime = directory.starts_with("/run/systemd/system");
    if (link && *link == "/dev/null") {
      unit.load_state = "masked";
      unit.unit_file_state = is_runtime ? "masked-runtime" : "masked";
      unit.fragment_path.reset();
    } else if (link && base_name(*link) != name) {
      unit.unit_file_state = "alias";
    } else if (directory.starts_with("/run/systemd/generator")) {
      unit.unit_file_state = "generated";
    } else if (directory == "/run/systemd/transient") {
      unit.unit_file_state = "transient";
    } else {
      read(path, unit);
    }
    out_.units.emplace(name, std::move(unit));
  }

  void read(const std::string& path, UnitFile& unit) {
    const auto text = root_.read(path, kUnitBytesMax);
    if (!text) {
      out_.gaps.emplace_back(path, text.error());
      unit.load_state = "error";
      unit.unit_file_state = "bad";
      return;
    }
    if (text->empty()) {
      unit.load_state = "masked";
      unit.unit_file_state = "masked";
      return;
    }
    const std::string_view kind = install_kind(*text);
    unit.unit_file_state = kind == "enable" ? "disabled" : kind == "also" ? "indirect" : "static";
  }

  // Enablement and drop-ins are known only once all directories were read.
  void settle() {
    for (const std::string& name : linked_) {
      if (out_.units.contains(name)) continue;
      const auto base = out_.units.find(template_of(name));
      UnitFile unit;
      unit.load_state = base == out_.units.end() ? "not-found" : base->second.load_state;
      unit.unit_file_state = base == out_.units.end() ? "" : base->second.unit_file_state;
      if (base != out_.units.end()) unit.fragment_path = base->second.fragment_path;
      out_.units.emplace(name, std::move(unit));
    }
    for (const auto& [name, state] : enabled_) {
      for (const std::string& id : {name, template_of(name)}) {
        const auto unit = out_.units.find(id);
        if (unit == out_.units.end()) continue;
        std::string& current = unit->second.unit_file_state;
        if (current == "disabled" || current == "indirect") current = state;
      }
    }
    for (auto& [id, unit] : out_.units) {
      unit.is_wanted = linked_.contains(id);
      for (const std::string& owner : {id, template_of(id)}) {
        const auto found = drop_ins_.find(owner);
        if (found == drop_ins_.end()) continue;
        for (const auto& [name, path] : found->second) unit.drop_ins.push_back(path);
      }
      std::sort(unit.drop_ins.begin(), unit.drop_ins.end());
    }
  }

  const Root& root_;
  UnitFiles out_;
  std::map<std::string, std::map<std::string, std::string>> drop_ins_;
  std::map<std::string, std::string> enabled_;
  std::set<std::string> linked_;
};

}  // namespace

std::string template_of(std::string_view name) {
  const std::size_t at = name.find('@');
  const std::size_t dot = name.rfind('.');
  if (at == std::string_view::npos || dot == std::string_view::npos || dot <= at + 1) return "";
  return std::string(name.substr(0, at + 1)) + std::string(name.substr(dot));
}

Result<UnitFiles> scan_units(const Root& root) {
  return Scanner(root).scan();
}

std::string_view install_kind(std::string_view unit_text) {
  static constexpr std::array<std::string_view, 4> kEnable{"WantedBy", "RequiredBy", "UpheldBy",
                                                           "Alias"};
  bool in_install = false;
  bool has_also = false;
  while (!unit_text.empty()) {
    std::string_view line = unit_text.substr(0, unit_text.find('\n'));
    unit_text.remove_prefix(std::min(unit_text.size(), line.size() + 1));
    const std::size_t start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos) continue;
    line.remove_prefix(start);
    if (line[0] == '[') in_install = line.starts_with("[Install]");
    const std::size_t equals = line.find('=');
    if (!in_install || equals == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, line.find_last_not_of(" \t", equals - 1) + 1);
    const bool has_value = line.find_first_not_of(" \t\r", equals + 1) != std::string_view::npos;
    if (!has_value) continue;
    if (std::find(kEnable.begin(), kEnable.end(), name) != kEnable.end()) return "enable";
    has_also = has_also || name == "Also";
  }
  return has_also ? "also" : "";
}

std::map<std::string, UnitState> parse_list_units(std::string_view text) {
  std::map<std::string, UnitState> states;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::array<std::string_view, 4> fields;
    std::size_t count = 0;
    while (count < fields.size()) {
      const std::size_t start = line.find_first_not_of(' ');
      if (start == std::string_view::npos) break;
      line.remove_prefix(start);
      fields[count] = line.substr(0, line.find(' '));
      line.remove_prefix(fields[count++].size());
    }
    if (count == fields.size()) {
      states[std::string(fields[0])] = {std::string(fields[2]), std::string(fields[3])};
    }
  }
  return states;
}

}  // namespace vouch::drift
