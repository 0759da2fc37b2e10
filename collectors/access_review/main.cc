// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/access_review.h"
#include "collectors/sdk/run.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::access::make_access_review(), argc, argv);
}
