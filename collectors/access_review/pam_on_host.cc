// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/pam_on_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "collectors/facts/sshd_config.h"

namespace vouch::access {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;
constexpr std::size_t kServicesMax = 500;
constexpr const char* kPamConf = "/etc/pam.conf";
// The first directory that has a file of the service decides.
constexpr std::array<const char*, 3> kDirectories{"/etc/pam.d", "/usr/lib/pam.d",
                                                  "/usr/share/pam.d"};

// What package managers and editors leave behind; no program asks for such a service.
bool is_leftover(std::string_view name) {
  if (name.starts_with('.') || name.ends_with('~')) return true;
  for (const std::string_view mark : {".dpkg-", ".rpm", ".ucf-", ".bak", ".old", ".orig"}) {
    if (name.find(mark) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

Result<PamConfig> PamConfig::open(const Root& root) {
  PamConfig config(root);
  if (auto status = config.list_services(); !status) return std::move(status).error();
  config.list_modules();
  config.list_setting_files();
  return config;
}

Status PamConfig::list_services() {
  std::set<std::string> names;
  for (const std::string directory : kDirectories) {
    const auto listed = root_->list(directory);
    if (!listed && listed.error().code != Errc::not_found) return listed.error();
    if (!listed) continue;
    inputs_.push_back(directory);
    // Beside the vendor's directories pam.conf counts no more, either.
    has_directory_ = true;
    for (const std::string& name : *listed) {
      if (is_leftover(name)) continue;
      names.insert(name);
      inputs_.push_back(directory + "/" + name);
    }
  }
  if (!has_directory_) {
    if (!root_->exists(kPamConf)) {
      return Error{Errc::not_found, "this host has neither /etc/pam.d nor /etc/pam.conf"};
    }
    inputs_.emplace_back(kPamConf);
  }
  if (names.size() > kServicesMax) return Error{Errc::too_large, "over 500 PAM services"};
  services_.assign(names.begin(), names.end());
  return Ok{};
}

void PamConfig::list_modules() {
  for (const char* pattern :
       {"/lib/*-linux-*/security", "/lib/security", "/lib64/security",
        "/usr/lib/*-linux-*/security", "/usr/lib/security", "/usr/lib64/security"}) {
    for (std::string& path : facts::glob_paths(*root_, pattern)) {
      inputs_.push_back(path);
      module_directories_.push_back(std::move(path));
    }
  }
}

void PamConfig::list_setting_files() {
  for (const char* pattern : {"/etc/security/pwquality.conf.d/*.conf", "/etc/security/*.conf"}) {
    for (std::string& path : facts::glob_paths(*root_, pattern)) {
      inputs_.push_back(path);
      setting_files_.push_back(std::move(path));
    }
  }
}

bool PamConfig::is_installed(const std::string& module) const {
  if (module_directories_.empty() || module.find("$ISA") != std::string::npos) return true;
  if (module.starts_with('/')) return root_->exists(module);
  return std::any_of(module_directories_.begin(), module_directories_.end(),
                     [&](const auto& path) { return root_->exists(path + "/" + module); });
}

Result<const PamSource*> PamConfig::load(const std::string& path) {
  const auto known = sources_.find(path);
  if (known != sources_.end()) return &known->second;
  const auto text = root_->read(path, kFileBytesMax);
  if (!text) return text.error();
  PamSource source{path, parse_pam_file(*text, PamFile::of_service)};
  return &sources_.emplace(path, std::move(source)).first->second;
}

Result<const PamSource*> PamConfig::find(const std::string& service) {
  if (service.starts_with('/')) return load(service);
  const auto known = sources_.find(service);  // Of pam.conf.
  if (known != sources_.end()) return &known->second;
  for (const char* directory : kDirectories) {
    auto source = load(fmt::format("{}/{}", directory, service));
    if (source || source.error().code != Errc::not_found) return source;
  }
  return Error{Errc::not_found, "there is no file of this service"};
}

// One file for all services, the first word of a line is the service.
void PamConfig::read_pam_conf(PamGaps& gaps) {
  const auto text = root_->read(kPamConf, kFileBytesMax);
  if (!text) {
    gaps.emplace_back(kPamConf, text.error());
    return;
  }
  auto parsed = parse_pam_file(*text, PamFile::pam_conf);
  for (const Fault& fault : parsed.faults) {
    gaps.emplace_back(fmt::format("{}:{}", kPamConf, fault.line),
                      Error{Errc::invalid, fault.message});
  }
  for (PamLine& line : parsed.entries) {
    PamSource& source = sources_[line.service];
    source.path = kPamConf;
    if (source.content.entries.empty()) services_.push_back(line.service);
    source.content.entries.push_back(std::move(line));
  }
}

std::map<std::string, PamStacks> PamConfig::resolve(PamGaps& gaps) {
  if (!has_directory_) read_pam_conf(gaps);
  const FindPamSource find = [this](const std::string& service) { return this->find(service); };
  std::map<std::string, PamStacks> resolved;
  std::size_t steps_left = kPamStepsMax;
  for (const std::string& service : services_) {
    auto stacks = resolve_pam_service(service, find, gaps);
    if (!stacks) {
      gaps.emplace_back(service, std::move(stacks).error());
      continue;
    }
    for (auto& [facility, stack] : *stacks) {
      for (PamEntry& entry : stack) entry.installed = is_installed(entry.module);
      find_mandatory(stack, facility, steps_left);
    }
    resolved.emplace(service, *std::move(stacks));
  }
  if (steps_left == 0) {
    gaps.emplace_back("mandatory", Error{Errc::too_large, "too many ways through the stacks"});
  }
  return resolved;
}

PamSettings PamConfig::settings(const PamEntry& entry, PamGaps& gaps) {
  PamSettings settings;
  for (const std::string& pattern : pam_setting_files(entry)) {
    for (const std::string& path : facts::glob_paths(*root_, pattern)) {
      auto known = setting_texts_.find(path);
      if (known == setting_texts_.end()) {
        auto text = root_->read(path, kFileBytesMax);
        if (!text) gaps.emplace_back(path, text.error());
        known = setting_texts_.emplace(path, text ? *std::move(text) : "").first;
      }
      for (const auto& [name, value] : parse_pam_settings(known->second)) {
        settings[name] = {value, path};
      }
    }
  }
  apply_pam_arguments(entry, settings);
  return settings;
}

}  // namespace vouch::access
