// SPDX-License-Identifier: Apache-2.0
#include "collectors/package_files/package_files.h"
#include "collectors/sdk/run.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::package_files::make_package_files(), argc, argv);
}
