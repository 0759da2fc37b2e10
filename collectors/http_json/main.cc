// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/http_json.h"
#include "collectors/sdk/run.h"

int main(int argc, char** argv) {
  return vouch::sdk::run(vouch::http_json::make_http_json(), argc, argv);
}
