// SPDX-License-Identifier: Apache-2.0
#include "collectors/openscap/openscap.h"
#include "collectors/sdk/run.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::openscap::make_openscap(), argc, argv);
}
