// SPDX-License-Identifier: Apache-2.0
// The texts of `vouch help`. A command without an example is a command that nobody tries.
#include <fmt/format.h>

#include "agent/cli/command.h"

namespace vouch::cli {
namespace {

constexpr OptionSpec kConfig{"--config", "FILE", "the agent's configuration", false};
constexpr OptionSpec kRoot{"--root", "DIR", "examine the image mounted at DIR, not this host",
                           false};
constexpr OptionSpec kPack{"--pack", "PATH", "packs to judge by, in place of the configured ones",
                           true};

Command check_command() {
  return {
      "check",
      "[CHECK|CONTROL…]",
      "collect now, judge, and print what was found",
      "Runs the collectors, judges every check (or those named, by check or control), and prints\n"
      "outcomes, the violating rows and what could not be judged. Nothing is sealed or sent.\n"
      "Exit 0: all pass. 1: something fails. 2: nothing fails, but something could not be judged.\n"
      "A waiver covers its rows and is counted; made on this host, it is only claimed.",
      "  vouch check\n"
      "  vouch check --framework soc2-2017\n"
      "  sudo vouch check dormant-accounts --format json\n"
      "  vouch check --root /mnt/image",
      {{"--framework", "ID", "print the scorecard of a framework, e.g. soc2-2017", true},
       {"--all", "", "also print what passes, every criterion and every finding", false},
       kRoot,
       kPack,
       kConfig},
      0,
      1000,
      run_check};
}

Command collect_command() {
  return {
      "collect",
      "NAME",
      "run one collector and print its tables",
      "Runs the collector once and prints its tables, its gaps (what it could not examine) and\n"
      "the tables that it could not read, with the reason. Nothing is judged, sealed or sent.\n"
      "Exit 0: every table asked for was read. 2: one was not.",
      "  vouch collect access_review --table users\n"
      "  sudo vouch collect config_drift --table mounts --format json\n"
      "  vouch collect patch_level --root /mnt/image",
      {{"--table", "TABLE", "print this table only", true}, kRoot, kConfig},
      1,
      1,
      run_collect};
}

Command collectors_command() {
  return {
      "collectors",
      "[NAME]",
      "what is collected: tables, columns, what they need",
      "Lists the collectors of this host. With a NAME, prints its page: options, tables, columns,\n"
      "what null says, what is personal, which grant a table needs. Nothing is examined.",
      "  vouch collectors\n"
      "  vouch collectors access_review\n"
      "  vouch collectors access_review --format json",
      {kConfig},
      0,
      1,
      run_collectors};
}

Command query_command() {
  return {
      "query",
      "SQL",
      "ask the tables of this host, or of a parcel, in SQL",
      "Finds out which tables the query names, collects them now, and prints the rows. With --at,\n"
      "reads the tables of a parcel instead; its signature is not checked here: `vouch verify`\n"
      "does that. The rules are those of a check's SQL: one SELECT, no floats, :now is the time.\n"
      "Tables that could not be read, and gaps, are named on the error stream; then exit 2.",
      "  vouch query \"SELECT username, shell FROM users WHERE can_login\"\n"
      "  vouch query --tables\n"
      "  vouch query --at 0000000007.parcel \"SELECT count(*) AS packages FROM deb_packages\"",
      {{"--at", "PARCEL", "query the tables of this parcel", false},
       {"--tables", "", "list the tables and their columns", false},
       kRoot,
       kConfig},
      0,
      1,
      run_query};
}

Command explain_command() {
  return {
      "explain",
      "CHECK",
      "what a check reads, why, and how to mend a violation",
      "Prints the check's reason, tables, parameters (in force, and the pack's own where a site\n"
      "pack changed them), SQL, remediation, and the criteria of each framework that it\n"
      "supports.",
      "  vouch explain dormant-accounts.login\n"
      "  vouch explain AR-010",
      {kPack, kConfig},
      1,
      1,
      run_explain};
}

Command verify_command() {
  return {
      "verify",
      "PATH",
      "verify a store's directory, or one parcel",
      "Checks signatures, chains, the log's tree and receipts, and counts the runs. With --replay\n"
      "it judges every record again from its own evidence, and must get the same outcomes; and it\n"
      "counts whether each control was judged as often as its pack asks, over --from … --to.\n"
      "Without --policy the keys are taken from what is being verified, and the verdict says\n"
      "ANCHORS FROM EXPORT: it then shows that nothing contradicts itself, not who signed.\n"
      "Exit 0: VERIFIED. 1: FAILED. 2: VERIFIED, NOT REPLAYED UNDER THE SAME ENGINE: outcomes\n"
      "differ here, and another engine than this one made those on record.",
      "  vouch verify /var/lib/vouch-store --policy policy.txt --replay\n"
      "  vouch verify 0000000007.parcel --receipt 7.tlog-proof --policy policy.txt\n"
      "  vouch verify export/ --from 2026-01-01T00:00:00Z --to 2026-07-01T00:00:00Z",
      {{"--policy", "FILE", "the policy file, from elsewhere than PATH: whom to trust", false},
       {"--replay", "", "recompute every outcome", false},
       {"--receipt", "FILE", "a receipt of the parcel, or of its agent's enrolment", true},
       {"--consistency", "FILE", "a .consistency file, from the log that the bundle saw", false},
       {"--tsa-ca", "FILE", "roots (PEM) of the authorities that time-stamped checkpoints", false},
       {"--key", "FILE", "the agent's public key (PEM), for a parcel without receipts", false},
       {"--from", "TIME", "begin of the period to account for", false},
       {"--to", "TIME", "its end (not included)", false}},
      1,
      1,
      run_verify};
}

Command pause_command() {
  return {
      "pause",
      "[NAME…]",
      "keep collectors from their schedule for a while",
      "From now on, for the time given, scheduled runs of the collectors named, or of all "
      "(--all),\n"
      "are not made. Each is on record as suppressed, with who asked, why and until when: a pause\n"
      "is evidence. Manual runs still work; a change of a watched path is looked at afterwards.\n"
      "Asks the running vouchd, as root or its user. What is planned goes into the configuration\n"
      "(maintenance). Exit 69: no vouchd answers.",
      "  sudo vouch pause patch_level --for 2h --reason \"kernel update, CHG-1042\"\n"
      "  sudo vouch pause --all --for 30m --reason \"restore test\"",
      {{"--for", "TIME", "how long: 1m to 7d", false},
       {"--reason", "TEXT", "why, in one line", false},
       {"--all", "", "every configured collector", false},
       kConfig},
      0,
      1000,
      run_pause};
}

std::vector<Command> with_agent_commands(std::vector<Command> list) {
  for (const Command& command : agent_commands()) list.push_back(command);
  return list;
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> list = with_agent_commands({
      check_command(),
      explain_command(),
      collect_command(),
      collectors_command(),
      query_command(),
      verify_command(),
      {"enroll",
       "[FILE]",
       "make this host an agent of a store",
       "Reads the join string from FILE (mode 0600) or the standard input; never from an argument "
       "or\n"
       "the environment, where others could see it. Makes the first key, which stays here, and\n"
       "checks that the store's log is the one that the string pins. Safe to repeat after a "
       "failure.\nvouchd must not run meanwhile; start it afterwards.\n"
       "With --repin, an enrolled host keeps its chain and trusts the log that the string pins,\n"
       "for a store whose old log key is lost. A host whose chain cannot go on (a cloned image, a\n"
       "damaged database, a fork) becomes a new agent that names the old one.",
       "  sudo vouch enroll < join.txt\n  sudo vouch enroll /root/join.txt",
       {{"--repin", "", "keep the chain, trust another log", false},
        {"--reason", "TEXT", "why, with --repin", false},
        kConfig},
       0,
       1,
       run_enroll},
      {"status",
       "",
       "whether the agent works, and if not, why",
       "Asks the running vouchd what it has collected, sealed and delivered. --metrics prints the "
       "same\n"
       "for Prometheus; the daemon keeps it in <runtime_dir>/metrics.prom, too.\n"
       "Exit 0: it works. 1: it does not, and what to do is said. 69: no vouchd answers.",
       "  vouch status\n  vouch status --format json\n  vouch status --metrics",
       {{"--metrics", "", "print metrics in the Prometheus text format", false}, kConfig},
       0,
       0,
       run_status},
      pause_command(),
      {"resume",
       "[NAME…]",
       "put paused collectors on schedule again",
       "Ends the pauses of the collectors named, or of all (--all). For root and the daemon's "
       "user.",
       "  sudo vouch resume patch_level",
       {{"--all", "", "every configured collector", false}, kConfig},
       0,
       1000,
       run_resume},
      {"alert list",
       "",
       "what fires, and who was told what",
       "Asks the running vouchd for the conditions that fire, and the last alerts: delivered,\n"
       "or waiting and why. Exit 69: none answers.",
       "  sudo vouch alert list\n  sudo vouch alert list --format json",
       {kConfig},
       0,
       0,
       run_alert_list},
      {"alert test",
       "CHANNEL",
       "send a test by a channel, the whole way",
       "Has the running vouchd queue a test for a channel of its rule file, waits until\n"
       "vouch-ship has delivered it, and says how long it took. Exit 0: the other side took it.\n"
       "1: it did not, with the reason. 69: no vouchd answers.",
       "  sudo vouch alert test ops",
       {kConfig},
       1,
       1,
       run_alert_test},
      {"doctor",
       "",
       "look at everything that the agent rests on, and say what to do",
       "Looks at configuration, collectors, packs, state, disk, clock, daemon and store, and says "
       "of\n"
       "each what is wrong and how to mend it. It changes nothing. Run it as root: others may not "
       "see\n"
       "the state.\n"
       "Exit 0: all is well, or warnings only. 1: something is not.",
       "  sudo vouch doctor\n  sudo vouch doctor --format json",
       {kConfig},
       0,
       0,
       run_doctor},
      {"policy test",
       "[PATH…]",
       "run the tests that packs carry",
       "Compiles each check under the rules of the sandbox, runs its tests, and runs them again "
       "with\n"
       "facts taken away: a violation that vanishes so must be expected in a test.\n"
       "Exit 0: all hold. 1: something does not. 65: a file cannot be read as a pack.",
       "  vouch policy test\n  vouch policy test policies/packs/linux-server/access.yaml",
       {{"--tables", "FILE", "the tables that packs may read; the shipped tables.yaml unless given",
         false},
        kConfig},
       0,
       1000,
       run_policy_test},
      {"config check",
       "[FILE]",
       "check a configuration, its collectors, packs and waivers",
       "Reads the configuration and all that it names as the daemon would, and says what is wrong\n"
       "with file, line and column. Exit 0: good. 78: it is not.",
       "  vouch config check\n  vouch config check ./vouchd.yaml",
       {kConfig},
       0,
       1,
       run_config_check},
      {"version",
       "",
       "print the version and what judges",
       "Prints the version and the engine: everything that a verdict depends on besides evidence.",
       "  vouch version --format json",
       {},
       0,
       0,
       run_version},
  });
  return list;
}

std::string overview() {
  std::string text = "vouch: evidence of how this host is run, judged and sealed\n\nCommands:\n";
  for (const auto& command : commands()) {
    text += fmt::format("  {:<17} {}\n", command.name, command.summary);
  }
  return text +
         "  help [COMMAND]    this text, or all about a command\n\n"
         "Begin with:\n"
         "  vouch check                      judge this host now\n"
         "  vouch explain CHECK              what a check wants, and how to mend it\n\n"
         "Collectors and packs are those of the configuration (--config FILE, else\n"
         "/etc/vouch/vouchd.yaml). Without one, they are found from the program's own place:\n"
         "../libexec/vouch/collectors and ../share/vouch/policies when installed; in a source "
         "tree,\n"
         "the program's directory and the tree's policies/.\n\n"
         "Exit codes: 0 good or pass, 1 fail, 2 could not judge, 64 usage, 65 bad data, 66 no "
         "such\n"
         "input, 69 not available now, 70 something else went wrong, 77 not permitted,\n"
         "78 configuration. Colour: only on a terminal, and not with NO_COLOR set.\n";
}

}  // namespace vouch::cli
