// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ostream>
#include <string>
#include <vector>

#include "agent/cli/command.h"
#include "agent/cli/places.h"
#include "agent/ship/store_file.h"
#include "agent/vouchd/control.h"
#include "agent/vouchd/health.h"
#include "agent/vouchd/host_facts.h"
#include "agent/watch/watch_stream.h"
#include "core/clock.h"
#include "core/file.h"
#include "proto/checkpoint.h"
#include "proto/note.h"

namespace vouch::cli {
namespace {

constexpr std::chrono::milliseconds kDaemonDeadline{5000};
constexpr std::size_t kCheckpointBytesMax = 64u << 10;

enum class Level { good, warning, failure };

struct Finding {
  Level level = Level::good;
  std::string object;
  std::string text;
  std::string remedy;  // Empty if it is good.
};

using Findings = std::vector<Finding>;

Finding good(std::string object, std::string text) {
  return {Level::good, std::move(object), std::move(text), ""};
}

Finding bad(std::string object, std::string text, std::string remedy) {
  return {Level::failure, std::move(object), std::move(text), std::move(remedy)};
}

Finding warning(std::string object, std::string text, std::string remedy) {
  return {Level::warning, std::move(object), std::move(text), std::move(remedy)};
}

void look_at_collectors(const Places& places, Findings& out) {
  const auto& config = places.config;
  for (const agent::CollectorConfig& collector : config.collectors) {
    const std::string object = "collector " + collector.name;
    if (::access(collector.program.c_str(), X_OK) != 0) {
      out.push_back(bad(object, collector.program + " cannot be executed",
                        "install it, or set its `program`"));
      continue;
    }
    const std::string socket = config.collect_sockets + "/" + collector.name + ".sock";
    if (!config.collect_sockets.empty() && !file_exists(socket)) {
      out.push_back(
          bad(object, "nothing listens at " + socket,
              fmt::format("systemctl enable --now 'vouch-collect@{}.socket'", collector.name)));
      continue;
    }
    out.push_back(good(object, collector.program));
  }
}

void look_at_watches(const Places& places, Findings& out) {
  const auto& config = places.config;
  const bool watches = std::any_of(config.collectors.begin(), config.collectors.end(),
                                   [](const auto& one) { return !one.watch.empty(); });
  if (config.collect_sockets.empty() || !watches) return;
  const std::string socket = config.collect_sockets + "/" + std::string(agent::kWatchSocket);
  if (file_exists(socket)) return out.push_back(good("watched paths", socket));
  out.push_back(bad("watched paths", "nothing listens at " + socket,
                    "systemctl enable --now vouch-watch.socket"));
}

void look_at_packs(const Places& places, Findings& out) {
  const auto packs = load_packs(places);
  if (packs) {
    out.push_back(good("packs", fmt::format("{} packs", packs->packs().size())));
  } else {
    out.push_back(bad("packs", packs.error().message, "vouch policy test"));
  }
}

void look_at_state(const agent::Config& config, Findings& out) {
  struct stat info {};
  if (::stat(config.state_dir.c_str(), &info) != 0) {
    out.push_back(bad("state", errno_error("look at " + config.state_dir, errno).message,
                      "systemd-tmpfiles --create, or start vouchd once"));
    return;
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    out.push_back(bad("state", config.state_dir + " can be written by others",
                      "chmod go-w " + config.state_dir));
  }
  struct statvfs disk {};
  if (::statvfs(config.state_dir.c_str(), &disk) != 0) {
    out.push_back(bad("disk", errno_error("look at " + config.state_dir, errno).message,
                      "mount the file system of state_dir"));
    return;
  }
  const auto free = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
  const std::string text = fmt::format("{} MiB free for {}", free >> 20, config.state_dir);
  if ((disk.f_flag & ST_RDONLY) != 0) {
    out.push_back(bad("disk", config.state_dir + " is on a read-only file system",
                      "remount it read-write; look at the kernel's log first"));
  } else if (free < config.spool_bytes_max + config.kept_bytes_max) {
    out.push_back(warning("disk", text + ", less than spool_max and kept_max together",
                          "free space, or lower spool_max: else a store that is away for long "
                          "stops collecting before that"));
  } else {
    out.push_back(good("disk", text));
  }
}

void look_at_clock(Findings& out) {
  const auto clock = agent::read_clock_trust();
  if (clock.synced) {
    out.push_back(good("clock", "synchronised by " + clock.source));
  } else {
    out.push_back(warning("clock", "not synchronised", "start chrony or systemd-timesyncd"));
  }
  const auto host = agent::read_host_facts("");
  if (host) {
    out.push_back(good("machine", host->machine));
  } else {
    out.push_back(bad("machine", host.error().message, "systemd-machine-id-setup"));
  }
}

void look_at_daemon(const agent::Config& config, Findings& out) {
  const auto reply = agent::control_request(config.control_socket(),
                                            json::Object{{"command", "status"}}, kDaemonDeadline);
  if (!reply) {
    out.push_back(
        bad("daemon", reply.error().message, "systemctl status vouchd; journalctl -u vouchd"));
    return;
  }
  const auto* status = reply->find("status");
  const auto problems = agent::problems_of(status != nullptr ? *status : json::Value(),
                                           SystemClock().wall_ms() / 1000);
  if (problems.empty()) out.push_back(good("daemon", "it works"));
  for (const agent::Problem& problem : problems) {
    out.push_back({problem.is_failure ? Level::failure : Level::warning, "daemon", problem.text,
                   problem.remedy});
  }
}

// What the store's checkpoint and the one that the agent accepted last say of their log.
void compare_logs(const agent::Config& config, const std::string& body, Findings& out) {
  const auto text_of = [](std::string_view note) { return note.substr(0, note.find("\n\n") + 1); };
  const auto now = checkpoint::parse_text(text_of(body));
  if (!now) {
    out.push_back(bad("log", "the store's checkpoint cannot be read: " + now.error().message,
                      "vouch-store status, at the store"));
    return;
  }
  const auto seen = read_file(config.outbox_dir() + "/log_seen", kCheckpointBytesMax);
  const auto before = seen ? checkpoint::parse_text(text_of(*seen)) : Error{Errc::not_found, ""};
  if (before && before->origin != now->origin) {
    out.push_back(bad(
        "log", fmt::format("this host knows {}, the store serves {}", before->origin, now->origin),
        "if the log was succeeded or its key lost: docs/operations.md"));
  } else if (before && before->size > now->size) {
    out.push_back(bad("log",
                      fmt::format("the store's log has {} leaves, fewer than the {} seen",
                                  now->size, before->size),
                      "was the store restored from a backup? docs/operations.md"));
  } else {
    out.push_back(good("log", fmt::format("{}, {} leaves", now->origin, now->size)));
  }
}

void look_at_store(const agent::Config& config, Findings& out) {
  auto options = ship::read_store_file(config.state_dir);
  if (!options && options.error().code == Errc::not_found) {
    out.push_back(warning("store", "this host is not enrolled",
                          "vouch-store token create, at the store, then `vouch enroll` here"));
    return;
  }
  if (!options) {
    out.push_back(bad("store", options.error().message, "run it as root"));
    return;
  }
  const std::string url = options->url;
  ship::CurlTransport transport(*std::move(options));
  const auto answer = transport.get("/v1/checkpoint", kCheckpointBytesMax);
  if (!answer) {
    out.push_back(bad("store", url + ": " + answer.error().message,
                      "is it reachable from here (name, route, firewall, proxy)? Is its "
                      "certificate still under the CA that the join string pinned?"));
  } else if (answer->status != 200) {
    out.push_back(bad("store", fmt::format("{} answers with status {}", url, answer->status),
                      "journalctl -u vouch-store, at the store"));
  } else {
    out.push_back(good("store", url + " answers, under the CA that it was enrolled with"));
    compare_logs(config, answer->body, out);
  }
}

std::string_view name_of(Level level) {
  if (level == Level::good) return "good";
  return level == Level::warning ? "warning" : "failure";
}

Colour colour_of(Level level) {
  if (level == Level::good) return Colour::green;
  return level == Level::warning ? Colour::yellow : Colour::red;
}

void print(const Findings& findings, Output& output) {
  if (output.json) {
    json::Array list;
    for (const Finding& finding : findings) {
      list.push_back(json::Object{{"level", name_of(finding.level)},
                                  {"object", finding.object},
                                  {"text", finding.text},
                                  {"remedy", finding.remedy}});
    }
    return output.write_json(json::Object{{"findings", std::move(list)}});
  }
  TextTable table({"", "what", "finding", "what to do"});
  for (const Finding& finding : findings) {
    table.add({std::string(name_of(finding.level)), finding.object, finding.text, finding.remedy},
              colour_of(finding.level));
  }
  output.out << table.render(output.style);
}

}  // namespace

int run_doctor(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  Findings findings;
  if (places->config_file.empty()) {
    findings.push_back(bad("configuration", "there is none at /etc/vouch/vouchd.yaml",
                           "install vouch-agent, or name one with --config"));
  } else {
    findings.push_back(good("configuration", places->config_file));
  }
  look_at_collectors(*places, findings);
  look_at_watches(*places, findings);
  look_at_packs(*places, findings);
  look_at_state(places->config, findings);
  look_at_clock(findings);
  look_at_daemon(places->config, findings);
  look_at_store(places->config, findings);
  print(findings, output);
  for (const Finding& finding : findings) {
    if (finding.level == Level::failure) return kExitFail;
  }
  return kExitPass;
}

}  // namespace vouch::cli
