// SPDX-License-Identifier: Apache-2.0
#include "collectors/command/command.h"
#include "collectors/sdk/run.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::command::make_command(), argc, argv);
}
