// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/config_drift.h"
#include "collectors/sdk/run.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::drift::make_config_drift(), argc, argv);
}
