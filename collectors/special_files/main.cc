// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/run.h"
#include "collectors/special_files/special_files.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::special_files::make_special_files(), argc, argv);
}
