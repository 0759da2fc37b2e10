// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/rpm_packages.h"
#include "collectors/sdk/run.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::rpm_packages::make_rpm_packages(), argc, argv);
}
