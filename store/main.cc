// SPDX-License-Identifier: Apache-2.0
// vouch-store: receives, checks, keeps and logs the evidence of a fleet.
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "core/owner.h"
#include "store/commands.h"

namespace {

constexpr const char* kHelp =
    R"(vouch-store: receives, checks, keeps and logs the evidence of a fleet

  vouch-store init --dir DIR --origin NAME [--host NAME] [--listen ADDR:PORT] [--no-ca]
      make a new store: the log's key, a private CA and certificate, an empty log
        --origin   name of the log, for ever: store.example.com/log1
        --host     name or address by which agents reach it (this host's name)
        --listen   where to listen (0.0.0.0:8443)
        --no-ca    the site has a certificate of its own: see serve --certificate
  vouch-store serve --dir DIR [--listen ADDR:PORT] [--certificate PEM --key PEM] [--threads N]
      [--connections N] [--connections-per-client N] [--alerts FILE]
      serve until SIGTERM
        --connections             at once (1024); the limit of open files is raised for them
        --connections-per-client  of one address, or IPv6 network of 64 bits (a quarter)
        --alerts  who is told of the fleet (/etc/vouch/store-alerts.yaml, if it is there)
  vouch-store token create --dir DIR [--uses N] [--expires 24h] [--label NAME=VALUE]…
      print a join string, once, for `vouch enroll` on standard input
  vouch-store token create --dir DIR --role auditor [--expires 7d]
      print a bearer token, once, for reading evidence over HTTPS
  vouch-store token list --dir DIR [--format table|json]
  vouch-store token revoke ID --dir DIR
  vouch-store revoke AGENT|KEYID --dir DIR [--from-seq N] [--reason TEXT] [--by ACCOUNT]
      refuse what a key signs, from its next bundle on (or from N): it was stolen
  vouch-store decommission AGENT --dir DIR [--reason TEXT] [--by ACCOUNT]
      the host is gone: its chain is complete, and its silence no longer counts
  vouch-store drop AGENT SEQ --dir DIR [--by ACCOUNT]
      take a bundle without its lost blobs, where its agent cannot say so itself any more
  vouch-store import PARCELS --dir DIR
      take the parcels that `vouch parcel export` wrote to a directory, and write receipts
      beside them for `vouch parcel import`; the store must not be serving
  vouch-store alert list --dir DIR [--alerts FILE] [--format table|json]
      what is wrong in the fleet, and the latest alerts
  vouch-store alert test CHANNEL --dir DIR [--alerts FILE]
      queue a test; vouch-ship delivers it like every alert
  vouch-store hosts --dir DIR [--format table|json]
      the enrolled hosts, and which of them have gone quiet
  vouch-store status --dir DIR [--framework soc2-2017] [--content DIR] [--format table|json]
      a scorecard per host, from the latest verified runs
        --content  where frameworks/ and mappings/ are (/usr/share/vouch/policies)
  vouch-store succeed --dir DIR --origin NAME [--reason WORD] [--key-lost] [--by ACCOUNT]
      end the log and go on in another, of a new name and key: the key is rotated or lost, or
      leaves that were signed are gone; the store must not be serving
  vouch-store fsck --dir DIR [--set-aside] [--format table|json]
      which files of the evidence are lost or damaged; 1 if any is
        --set-aside  move damaged blobs to damaged/, so that agents send them again

Exit codes: 0 done, 1 failed, 64 wrong command line, 69 not a store or in use.
The operator's page is docs/store.md.
)";

}  // namespace

int main(int argc, char** argv) {
  namespace store = vouch::store;
  ::umask(0027);
  std::signal(SIGPIPE, SIG_IGN);
  const std::map<std::string, int (*)(const std::vector<std::string>&)> commands{
      {"init", store::command_init},
      {"serve", store::command_serve},
      {"token", store::command_token},
      {"succeed", store::command_succeed},
      {"import", store::command_import},
      {"revoke", store::command_revoke},
      {"decommission", store::command_decommission},
      {"drop", store::command_drop},
      {"fsck", store::command_fsck},
      {"alert", store::command_alert},
      {"hosts", store::command_hosts},
      {"status", store::command_status}};
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    std::fputs(kHelp, words.empty() ? stderr : stdout);
    return words.empty() ? store::kExitUsage : store::kExitOk;
  }
  if (words[0] == "--version") {
    std::printf("vouch-store %s\n", VOUCH_VERSION);
    return store::kExitOk;
  }
  const auto command = commands.find(words[0]);
  if (command == commands.end()) {
    return store::fail(store::kExitUsage, words[0] + ": no such command; see --help");
  }
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  for (const auto& word : rest) {
    if (word != "--help" && word != "-h") continue;
    std::fputs(kHelp, stdout);
    return store::kExitOk;
  }
  // Root acts in the place of whoever owns the store: what a command leaves must be theirs.
  const auto dir = std::find(rest.begin(), rest.end(), "--dir");
  if (dir != rest.end() && dir + 1 != rest.end()) {
    if (auto done = vouch::become_owner_of(*(dir + 1)); !done) {
      return store::fail(store::kExitUnavailable, done.error().message);
    }
  }
  try {
    return command->second(rest);
  } catch (const std::exception& failure) {
    return store::fail(store::kExitFailed, failure.what());
  }
}
