// SPDX-License-Identifier: Apache-2.0
// The commands that steer an agent: documents, baselines, keys, parcels by hand.
#include "agent/cli/command.h"

namespace vouch::cli {
namespace {

constexpr OptionSpec kConfig{"--config", "FILE", "the agent's configuration", false};

Command attachment_add_command() {
  return {
      "attachment add",
      "FILE",
      "sign a document into the chain, as evidence for a control that no host can show",
      "The document (16 MiB at most) becomes part of the next bundle, with the name of who typed\n"
      "this. One of the same name takes the place of the last, and counts from today. When it is\n"
      "due again and nobody has attached a newer one, that is an alert (`document-overdue`).",
      "  sudo vouch attachment add access-policy.pdf --control access-policy-approved \\\n"
      "      --title \"Access control policy\" --every 365\n"
      "  sudo vouch attachment add pentest.pdf --control penetration-test --expires 2027-06-30",
      {{"--control", "ID", "control that it is evidence for", true},
       {"--title", "TEXT", "what it is; default: its name", false},
       {"--every", "DAYS", "how often it is to be renewed", false},
       {"--expires", "DAY", "when it ends, 2027-06-30", false},
       {"--effective", "DAY", "since when it holds; default: now", false},
       {"--name", "NAME", "file name on record; default: that of FILE", false},
       {"--media-type", "TYPE", "default: by its content and name", false},
       kConfig},
      1,
      1,
      run_attachment_add};
}

Command baseline_approve_command() {
  return {
      "baseline approve",
      "TABLE",
      "make the last observed state of a table its baseline",
      "What differs from it later is drift. The approval is a record of the chain, with the name\n"
      "of who typed this, and claimed until somebody else approves it in the store.",
      "  vouch query \"SELECT * FROM sudo_rules\"\n"
      "  sudo vouch baseline approve sudo_rules --ticket OPS-4411 --reason \"as reviewed in June\"",
      {{"--reason", "TEXT", "why this state is right", false},
       {"--ticket", "ID", "where it was decided", false},
       {"--collector", "NAME", "which instance, if several have the table", false},
       kConfig},
      1,
      1,
      run_baseline_approve};
}

}  // namespace

std::vector<Command> agent_commands() {
  return {
      attachment_add_command(),
      {"attachment list",
       "",
       "the documents that are attached, and when they are due again",
       "Asks the running vouchd. Exit 69: none answers.",
       "  sudo vouch attachment list --format json",
       {kConfig},
       0,
       0,
       run_attachment_list},
      baseline_approve_command(),
      {"baseline list",
       "",
       "the tables that have a baseline, and who approved it",
       "Asks the running vouchd. Exit 69: none answers.",
       "  sudo vouch baseline list --format json",
       {kConfig},
       0,
       0,
       run_baseline_list},
      {"key show",
       "",
       "the key that signs now: its id, epoch and age",
       "Asks the running vouchd. The private half is never shown.",
       "  vouch key show",
       {kConfig},
       0,
       0,
       run_key_show},
      {"key rotate",
       "",
       "sign with a new key from the next bundle on",
       "Seals a bundle that hands over to a new key. The old key is erased once the store has\n"
       "acknowledged all that it signed: root cannot forge what was sealed before.",
       "  sudo vouch key rotate",
       {kConfig},
       0,
       0,
       run_key_rotate},
      {"parcel export",
       "DIR",
       "copy what waits for delivery to a directory, to be carried",
       "Copies each waiting parcel to DIR/<agent>/<seq>.parcel and reads it back. Nothing counts "
       "as\n"
       "delivered until the store's receipts are back (`vouch parcel import`).",
       "  sudo vouch parcel export /media/stick\n"
       "  vouch-store import /media/stick --dir /var/lib/vouch-store",
       {kConfig},
       1,
       1,
       run_parcel_export},
      {"parcel import",
       "DIR",
       "bring the store's receipts home from a directory",
       "Takes what `vouch-store import` wrote beside the parcels. vouchd checks each receipt.",
       "  sudo vouch parcel import /media/stick",
       {kConfig},
       1,
       1,
       run_parcel_import},
  };
}

}  // namespace vouch::cli
