// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/host_identity.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

namespace vouch::agent {
namespace {

namespace fs = std::filesystem;

// A root with the files that it is given.
class Machine {
 public:
  Machine() {
    std::string name = (fs::temp_directory_path() / "vouch-identity-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Machine() { fs::remove_all(path_); }
  Machine& has(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(path_ + path).parent_path());
    std::ofstream(path_ + path, std::ios::binary) << text;
    return *this;
  }
  Machine& dmi(const std::string& name, const std::string& text) {
    return has("/sys/class/dmi/id/" + name, text + "\n");
  }
  [[nodiscard]] std::string described() const {
    return json::write(json::Value(describe_machine(*Root::open(path_))));
  }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("a machine is known by its firmware", "[identity]") {
  const auto text = Machine()
                        .dmi("sys_vendor", "Dell Inc.")
                        .dmi("product_name", "PowerEdge R650")
                        .dmi("product_serial", "7XK2JB3")
                        .dmi("product_uuid", "4c4c4544-0058-4b10-8032-b7c04f4a4233")
                        .described();

  CHECK(
      text ==
      R"({"hardware":{"model":"PowerEdge R650","serial":"7XK2JB3","uuid":"4c4c4544-0058-4b10-8032-b7c04f4a4233","vendor":"Dell Inc."}})");
}

TEST_CASE("what a manufacturer did not fill in says nothing", "[identity]") {
  const auto text = Machine()
                        .dmi("sys_vendor", "To Be Filled By O.E.M.")
                        .dmi("product_name", "System Product Name")
                        .dmi("product_serial", "0")
                        .dmi("product_uuid", "00000000-0000-0000-0000-000000000000")
                        .described();

  CHECK(text == "{}");
}

TEST_CASE("bytes that are no plain text, and too long ones, are left out", "[identity]") {
  const auto text = Machine()
                        .dmi("sys_vendor", "Vend\xff")
                        .dmi("product_name", "a\x1b[2J")
                        .dmi("product_serial", std::string(300, 'a'))
                        .dmi("product_uuid", std::string(10000, 'a'))
                        .described();

  CHECK(text == "{}");
}

TEST_CASE("a board without firmware tables has a device tree", "[identity]") {
  const std::string nul(1, '\0');

  const auto text = Machine()
                        .has("/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4" + nul)
                        .has("/proc/device-tree/serial-number", "100000001b2c3d4e" + nul)
                        .described();

  CHECK(text ==
        R"({"hardware":{"model":"Raspberry Pi 4 Model B Rev 1.4","serial":"100000001b2c3d4e"}})");
}

TEST_CASE("cloud-init says which instance of which cloud it is", "[identity]") {
  const auto text =
      Machine()
          .has(
              "/run/cloud-init/instance-data.json",
              R"({"ds":{"password":"x"},"v1":{"cloud_name":"aws","instance_id":"i-0abc","region":"eu-west-1","x":1}})")
          .described();

  CHECK(text == R"({"cloud":{"instance":"i-0abc","provider":"aws","region":"eu-west-1"}})");
}

TEST_CASE("an image that only was given an id is in no cloud", "[identity]") {
  const auto data =
      GENERATE(R"({"v1":{"cloud_name":"nocloud","instance_id":"iid-local01"}})",
               R"({"v1":{"cloud_name":"none","instance_id":"x"}})", R"({"v1":{"instance_id":"x"}})",
               R"({"v1":[]})", R"({"v1":{"cloud_name":7}})", "{", "[]");

  CHECK(Machine().has("/run/cloud-init/instance-data.json", data).described() == "{}");
}

TEST_CASE("the firmware of a cloud names its instance", "[identity]") {
  CHECK(Machine().dmi("sys_vendor", "Amazon EC2").dmi("board_asset_tag", "i-0123").described() ==
        R"({"cloud":{"instance":"i-0123","provider":"aws"},"hardware":{"vendor":"Amazon EC2"}})");
  CHECK(Machine()
            .dmi("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77")
            .dmi("product_uuid", "aa-bb")
            .described() ==
        R"({"cloud":{"instance":"aa-bb","provider":"azure"},"hardware":{"uuid":"aa-bb"}})");
  CHECK(
      Machine().dmi("sys_vendor", "Hetzner").dmi("product_serial", "4711").described() ==
      R"({"cloud":{"instance":"4711","provider":"hetzner"},"hardware":{"serial":"4711","vendor":"Hetzner"}})");
  CHECK(Machine().dmi("product_name", "Google Compute Engine").described() ==
        R"({"cloud":{"provider":"gce"},"hardware":{"model":"Google Compute Engine"}})");
  CHECK(
      Machine().dmi("product_name", "OpenStack Nova").dmi("product_uuid", "u-1").described() ==
      R"({"cloud":{"instance":"u-1","provider":"openstack"},"hardware":{"model":"OpenStack Nova","uuid":"u-1"}})");
}

}  // namespace vouch::agent
