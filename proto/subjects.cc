// SPDX-License-Identifier: Apache-2.0
#include "proto/subjects.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "proto/names.h"
#include "proto/outcomes.h"

namespace vouch {
namespace {

constexpr std::size_t kSuffixDigits = 12;

// What two kinds of blobs name in turn.
struct Nested {
  std::set<std::string> outcomes;
  std::set<std::string> policy_sets;
};

class Mentions {
 public:
  void add(std::string name, const std::string& sha256) {
    found_.push_back({std::move(name), sha256});
  }

  void add_tables(const std::vector<TableRef>& tables) {
    for (const auto& table : tables) {
      if (!table.error) add("table/" + table.name, table.sha256);
    }
  }

  void add_policy_set(const std::string& sha256) {
    add("pack/set", sha256);
    nested_.policy_sets.insert(sha256);
  }

  void add_content(const RunContent& content) {
    add_tables(content.tables);
    add_tables(content.inputs);
    add_policy_set(content.policy);
    add("outcomes/" + content.collector.name, content.outcomes.sha256);
    nested_.outcomes.insert(content.outcomes.sha256);
  }

  void add_record(const Record& record) {
    if (const auto* run = std::get_if<Observation>(&record)) {
      if (const auto* content = std::get_if<RunContent>(&run->content)) add_content(*content);
    } else if (const auto* config = std::get_if<ConfigChange>(&record)) {
      add("config", config->from);
      add("config", config->to);
    } else if (const auto* policy = std::get_if<PolicyChange>(&record)) {
      add_policy_set(policy->from);
      add_policy_set(policy->to);
    } else if (const auto* waivers = std::get_if<WaiverChange>(&record)) {
      add("table/waivers", waivers->from);
      add("table/waivers", waivers->to);
    } else if (const auto* approval = std::get_if<Approval>(&record)) {
      add("table/baseline_" + approval->table, approval->baseline_sha256);
    } else if (const auto* attachment = std::get_if<Attachment>(&record)) {
      add("attachment/" + attachment->file, attachment->sha256);
    }
  }

  void add_bundle(const Bundle& bundle) {
    add("config", bundle.config);
    for (const auto& record : bundle.records) add_record(record);
  }

  Status add_outcomes(std::string_view blob) {
    const auto outcomes = read_outcomes(blob);
    if (!outcomes) return Error(outcomes.error());
    for (const auto& outcome : *outcomes) {
      if (outcome.findings) add("findings/" + outcome.check, *outcome.findings);
    }
    return Ok{};
  }

  Status add_packs(std::string_view blob) {
    const auto packs = parse_policy_set(blob);
    if (!packs) return Error(packs.error());
    for (const auto& pack : *packs) add("pack/" + pack.pack, pack.sha256);
    return Ok{};
  }

  // Reads what the bundle names. With `complete`, blobs that are not there are passed over and
  // noted.
  Status add_nested(const BlobReader& read, bool* complete) {
    const auto nested = nested_;
    for (const auto* digests : {&nested.outcomes, &nested.policy_sets}) {
      for (const auto& sha256 : *digests) {
        auto blob = read(sha256);
        if (!blob && complete && blob.error().code == Errc::not_found) {
          *complete = false;
          continue;
        }
        if (!blob) return std::move(blob).error().in("blob " + sha256);
        auto added = digests == &nested.outcomes ? add_outcomes(*blob) : add_packs(*blob);
        if (!added) return std::move(added).error().in("blob " + sha256);
      }
    }
    return Ok{};
  }

  std::vector<BlobMention> take() { return std::move(found_); }

 private:
  std::vector<BlobMention> found_;
  Nested nested_;
};

}  // namespace

std::vector<BlobMention> blobs_of_bundle(const Bundle& bundle) {
  Mentions mentions;
  mentions.add_bundle(bundle);
  return mentions.take();
}

Result<std::vector<BlobMention>> all_blobs(const Bundle& bundle, const BlobReader& read) {
  Mentions mentions;
  mentions.add_bundle(bundle);
  if (auto added = mentions.add_nested(read, nullptr); !added) return std::move(added).error();
  return mentions.take();
}

std::vector<Subject> name_subjects(std::vector<BlobMention> mentions) {
  std::map<std::string, std::string> least;  // Digest: name.
  for (auto& mention : mentions) {
    const auto [place, is_new] = least.try_emplace(mention.sha256, mention.name);
    if (!is_new && mention.name < place->second) place->second = std::move(mention.name);
  }
  std::map<std::string_view, int> digests_of;  // Name: how many digests it stands for.
  for (const auto& [sha256, name] : least) ++digests_of[name];

  std::vector<Subject> subjects;
  for (const auto& [sha256, name] : least) {
    const bool shared = digests_of[name] > 1;
    subjects.push_back({shared ? name + "@" + sha256.substr(0, kSuffixDigits) : name, sha256});
  }
  std::ranges::sort(subjects, {}, &Subject::name);
  return subjects;
}

Status check_subjects(const Statement& statement, const BlobReader& read, bool& complete) {
  Mentions mentions;
  mentions.add_bundle(statement.bundle);
  complete = true;
  if (auto added = mentions.add_nested(read, &complete); !added) return added;

  std::set<std::string> referenced;
  for (auto& mention : mentions.take()) referenced.insert(std::move(mention.sha256));
  for (const auto& sha256 : referenced) {
    if (!statement.has_subject(sha256)) {
      return Error{Errc::invalid, fmt::format("/subject: lacks blob {}", sha256)};
    }
  }
  for (const auto& subject : statement.subject) {
    if (complete && !referenced.contains(subject.sha256)) {
      return Error{Errc::invalid, fmt::format("/subject: nothing refers to {}", subject.sha256)};
    }
  }
  return Ok{};
}

}  // namespace vouch
