// SPDX-License-Identifier: Apache-2.0
#include "collectors/kernel_rules/kernel_rules.h"
#include "collectors/sdk/run.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::kernel_rules::make_kernel_rules(), argc, argv);
}
