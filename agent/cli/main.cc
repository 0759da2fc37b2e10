// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "agent/cli/command.h"

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    vouch::cli::Output output{std::cout, std::cerr, vouch::terminal_style()};
    const int code = vouch::cli::run_vouch(words, output);
    std::cout.flush();
    // A full disk or a closed pipe: what was printed is not all.
    return std::cout.good() || code != 0 ? code : vouch::cli::kExitSoftware;
  } catch (const std::exception& error) {
    std::cerr << "vouch: " << error.what() << '\n';
    return vouch::cli::kExitSoftware;
  }
}
