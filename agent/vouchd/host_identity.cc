// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/host_identity.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace vouch::agent {
namespace {

constexpr std::size_t kFactBytesMax = 4096;
constexpr std::size_t kTextBytesMax = 256;
constexpr std::size_t kInstanceDataBytesMax = std::size_t{4} << 20;
constexpr std::string_view kInstanceData = "/run/cloud-init/instance-data.json";
constexpr std::string_view kAzureAssetTag = "7783-7084-3265-9085-8269-3286-77";

// What stands there where nobody wrote anything.
constexpr std::array<std::string_view, 11> kFillers{"none",
                                                    "n/a",
                                                    "not specified",
                                                    "not applicable",
                                                    "default string",
                                                    "system serial number",
                                                    "to be filled by o.e.m.",
                                                    "unknown",
                                                    "system manufacturer",
                                                    "system product name",
                                                    "chassis asset tag"};

bool is_filler(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::find(kFillers.begin(), kFillers.end(), lower) != kFillers.end() ||
         lower.find_first_not_of("0-. ") == std::string::npos;
}

// One line of printable ASCII, or nothing. A device tree ends its strings with U+0000.
std::string fact(const Root& root, std::string_view path) {
  auto text = root.read(path, kFactBytesMax);
  if (!text) return {};
  text->erase(std::min(text->find_first_of(std::string_view("\0\n", 2)), text->size()));
  const auto end = text->find_last_not_of(' ');
  text->erase(end == std::string::npos ? 0 : end + 1);
  const bool is_plain =
      std::all_of(text->begin(), text->end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!is_plain || text->size() > kTextBytesMax || is_filler(*text)) return {};
  return *std::move(text);
}

void put(json::Object& object, std::string_view name, std::string value) {
  if (!value.empty()) object.emplace(name, std::move(value));
}

json::Object hardware_of(const Root& root) {
  json::Object hardware;
  put(hardware, "vendor", fact(root, "/sys/class/dmi/id/sys_vendor"));
  put(hardware, "model", fact(root, "/sys/class/dmi/id/product_name"));
  put(hardware, "serial", fact(root, "/sys/class/dmi/id/product_serial"));
  put(hardware, "uuid", fact(root, "/sys/class/dmi/id/product_uuid"));
  if (!hardware.contains("model")) put(hardware, "model", fact(root, "/proc/device-tree/model"));
  if (!hardware.contains("serial")) {
    put(hardware, "serial", fact(root, "/proc/device-tree/serial-number"));
  }
  return hardware;
}

// cloud-init's own account, which has the same shape on every cloud.
json::Object cloud_of_cloud_init(const Root& root) {
  const auto text = root.read(kInstanceData, kInstanceDataBytesMax);
  const auto value = text ? json::parse(*text) : Error{Errc::not_found, ""};
  const auto* known = value ? value->find("v1") : nullptr;
  json::Object cloud;
  if (known == nullptr) return cloud;
  const std::array<std::pair<std::string_view, std::string_view>, 3> members{
      {{"provider", "cloud_name"}, {"instance", "instance_id"}, {"region", "region"}}};
  for (const auto& [name, member] : members) {
    const auto* found = known->find(member);
    if (found == nullptr || found->if_string() == nullptr) continue;
    if (found->if_string()->size() <= kTextBytesMax) put(cloud, name, *found->if_string());
  }
  // "nocloud" and "none" name no provider, and their instance id is what an image was given.
  const auto provider = cloud.find("provider");
  if (provider == cloud.end()) return {};
  const std::string& cloud_name = *provider->second.if_string();
  if (cloud_name == "unknown" || cloud_name == "none" || cloud_name == "nocloud") return {};
  return cloud;
}

// By what the clouds document of their virtual firmware.
json::Object cloud_of_firmware(const Root& root, const json::Object& hardware) {
  const auto known = [&](std::string_view name) {
    const auto found = hardware.find(name);
    return found == hardware.end() ? std::string() : *found->second.if_string();
  };
  const std::string vendor = known("vendor");
  const std::string model = known("model");
  json::Object cloud;
  if (vendor == "Amazon EC2") {
    cloud.emplace("provider", "aws");
    put(cloud, "instance", fact(root, "/sys/class/dmi/id/board_asset_tag"));
  } else if (model == "Google Compute Engine") {
    cloud.emplace("provider", "gce");  // Its instance id is in the metadata service alone.
  } else if (fact(root, "/sys/class/dmi/id/chassis_asset_tag") == kAzureAssetTag) {
    cloud.emplace("provider", "azure");
    put(cloud, "instance", known("uuid"));
  } else if (vendor == "DigitalOcean" || vendor == "Hetzner") {
    cloud.emplace("provider", vendor == "Hetzner" ? "hetzner" : "digitalocean");
    put(cloud, "instance", known("serial"));
  } else if (model == "OpenStack Nova" || model == "OpenStack Compute") {
    cloud.emplace("provider", "openstack");
    put(cloud, "instance", known("uuid"));
  }
  return cloud;
}

}  // namespace

json::Object describe_machine(const Root& root) {
  json::Object machine;
  json::Object hardware = hardware_of(root);
  json::Object cloud = cloud_of_cloud_init(root);
  if (cloud.empty()) cloud = cloud_of_firmware(root, hardware);
  if (!hardware.empty()) machine.emplace("hardware", std::move(hardware));
  if (!cloud.empty()) machine.emplace("cloud", std::move(cloud));
  return machine;
}

}  // namespace vouch::agent
