// SPDX-License-Identifier: Apache-2.0
#include "alerts/state.h"

#include "core/json.h"

namespace vouch::alerts {
namespace {

json::Array times_to_json(const std::vector<WallMs>& times) {
  json::Array out;
  for (const WallMs time : times) out.push_back(time);
  return out;
}

// Reads members of our own JSON; the first that is missing makes the whole corrupt.
class Members {
 public:
  explicit Members(const json::Value& object) : object_(object) {}
  template <class T>
  T take(Result<T> value) {
    if (!value) good_ = false;
    return value ? *std::move(value) : T{};
  }
  std::string text(std::string_view key) { return take(json::get_string(object_, key)); }
  std::int64_t integer(std::string_view key) { return take(json::get_integer(object_, key)); }
  bool boolean(std::string_view key) { return take(json::get_bool(object_, key)); }
  std::vector<WallMs> times(std::string_view key) {
    std::vector<WallMs> out;
    const auto array = json::get_array(object_, key);
    if (!array) good_ = false;
    if (!array) return out;
    for (const json::Value& each : **array) {
      if (each.if_integer() == nullptr) good_ = false;
      out.push_back(each.if_integer() == nullptr ? 0 : *each.if_integer());
    }
    return out;
  }
  const json::Value& object(std::string_view key) {
    static const json::Value nothing{json::Object{}};
    const auto* value = object_.find(key);
    if (value == nullptr || value->if_object() == nullptr) good_ = false;
    return value == nullptr ? nothing : *value;
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  const json::Value& object_;
  bool good_ = true;
};

json::Value to_json(const ConditionState& state) {
  json::Object told;
  for (const auto& [rule, each] : state.told) {
    told[rule] = json::Object{{"status", static_cast<std::int64_t>(each.status)},
                              {"at", each.at},
                              {"kind", each.kind},
                              {"severity", static_cast<std::int64_t>(each.severity)},
                              {"magnitude", each.magnitude}};
  }
  return json::Object{{"condition", alerts::to_json(state.condition)},
                      {"source", state.source},
                      {"listed", state.listed},
                      {"firing", state.firing},
                      {"since", state.since},
                      {"ended", state.ended},
                      {"changes", times_to_json(state.changes)},
                      {"flapping", state.flapping},
                      {"told", std::move(told)}};
}

bool read(const json::Value& value, ConditionState& state) {
  Members members(value);
  state.condition = members.take(parse_condition(members.object("condition")));
  state.source = members.text("source");
  state.listed = members.boolean("listed");
  state.firing = members.boolean("firing");
  state.since = members.integer("since");
  state.ended = members.integer("ended");
  state.changes = members.times("changes");
  state.flapping = members.boolean("flapping");
  const json::Value& told = members.object("told");
  if (!members.good()) return false;
  for (const auto& [rule, each] : *told.if_object()) {
    Members inner(each);
    const auto status = inner.integer("status");
    const auto severity = inner.integer("severity");
    const Told one{static_cast<ConditionStatus>(status), inner.integer("at"), inner.text("kind"),
                   static_cast<Severity>(severity), inner.integer("magnitude")};
    const bool known = status >= 0 && status <= 2 && severity >= 0 && severity <= 3;
    if (!inner.good() || !known) return false;
    state.told[rule] = one;
  }
  return true;
}

bool read(const json::Value& value, GroupState& state) {
  Members members(value);
  state = {members.integer("last_sent"), members.integer("waiting_since")};
  return members.good();
}

bool read(const json::Value& value, ChannelState& state) {
  Members members(value);
  state.sent = members.times("sent");
  state.held = members.take(parse_held(members.object("held")));
  return members.good();
}

json::Value to_json(const GroupState& state) {
  return json::Object{{"last_sent", state.last_sent}, {"waiting_since", state.waiting_since}};
}

json::Value to_json(const ChannelState& state) {
  return json::Object{{"sent", times_to_json(state.sent)}, {"held", alerts::to_json(state.held)}};
}

template <class Map>
std::optional<std::string> text_of(const Map& map, std::string_view key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return json::write(to_json(found->second));
}

}  // namespace

Status State::load(std::string_view key, std::string_view text) {
  const Error corrupt{Errc::corrupt, "the state of alerts is damaged at " + std::string(key)};
  const auto value = json::parse(text);
  if (!value || value->if_object() == nullptr || key.size() < 2) return corrupt;
  const std::string name(key.substr(2));
  bool good = false;
  if (key.starts_with("c/")) good = read(*value, conditions[name]);
  if (key.starts_with("g/")) good = read(*value, groups[name]);
  if (key.starts_with("l/")) good = read(*value, channels[name]);
  if (!good) return corrupt;
  return Ok{};
}

std::vector<Change> State::take_changes() {
  std::vector<Change> changes;
  for (const std::string& key : std::exchange(touched_, {})) {
    const auto name = std::string_view(key).substr(2);
    if (key[0] == 'c') changes.emplace_back(key, text_of(conditions, name));
    if (key[0] == 'g') changes.emplace_back(key, text_of(groups, name));
    if (key[0] == 'l') changes.emplace_back(key, text_of(channels, name));
  }
  return changes;
}

}  // namespace vouch::alerts
