// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/patch_level.h"
#include "collectors/sdk/run.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::patch_level::make_patch_level(), argc, argv);
}
