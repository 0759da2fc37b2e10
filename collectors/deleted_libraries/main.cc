// SPDX-License-Identifier: Apache-2.0
#include "collectors/deleted_libraries/deleted_libraries.h"
#include "collectors/sdk/run.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::deleted_libraries::make_deleted_libraries(), argc, argv);
}
