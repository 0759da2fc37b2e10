// SPDX-License-Identifier: Apache-2.0
#include "core/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <sstream>

namespace vouch::yaml {
namespace {

constexpr std::size_t kDepthMax = 32;
constexpr std::size_t kNodesMax = 1'000'000;

std::string position(std::string_view file_name, Mark mark, std::string_view what) {
  return std::string(file_name) + ":" + std::to_string(mark.line) + ":" +
         std::to_string(mark.column) + ": " + std::string(what);
}

// How the handler below leaves yaml-cpp's parser, which has no other way out. Caught in parse().
struct Refused : std::exception {
  Refused(Mark at, std::string text) : mark(at), what_is_wrong(std::move(text)) {}
  Mark mark;
  std::string what_is_wrong;
};

Mark to_mark(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

// Builds our tree from yaml-cpp's events; yaml-cpp's own tree forgets quotes and duplicate keys.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view text) : text_(text) {}
  Node take() { return std::move(root_); }
  [[nodiscard]] bool ends_in_quotes() const { return ends_in_quotes_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused(to_mark(mark), "aliases are not used here: write the value out");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(Node::Kind::null, mark, "?", anchor));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = make(Node::Kind::scalar, mark, tag, anchor);
    node.quoted = tag == "!";
    ends_in_quotes_ = node.quoted;
    node.scalar = value;
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(make(Node::Kind::sequence, mark, tag, anchor));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(make(Node::Kind::mapping, mark, tag, anchor));
  }
  void OnMapEnd() override { close(); }

 private:
  // A collection that is still open; a mapping waits for a value while it has a key.
  struct Open {
    Node node;
    Node key;
    bool has_key = false;
  };

  Node make(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    if (++nodes_ > kNodesMax) throw Refused(to_mark(mark), "too many values");
    if (anchor != 0) throw Refused(to_mark(mark), "anchors are not used here");
    // yaml-cpp reports quoted scalars as tagged "!": only the text tells a written tag from that.
    const auto at = static_cast<std::size_t>(std::max(mark.pos, 0));
    const bool written = at < text_.size() && text_[at] == '!';
    if (written || (tag != "?" && tag != "!" && !tag.empty())) {
      throw Refused(to_mark(mark), "tags are not used here");
    }
    Node node;
    node.kind = kind;
    node.mark = to_mark(mark);
    return node;
  }

  void open(Node node) {
    if (stack_.size() == kDepthMax) throw Refused(node.mark, "nested more than 32 deep");
    stack_.push_back({std::move(node), {}, false});
  }

  void close() {
    Node node = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.kind == Node::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      require_key(parent.node, node);
      parent.key = std::move(node);
      parent.has_key = true;
    } else {
      parent.node.members.emplace_back(std::move(parent.key), std::move(node));
      parent.has_key = false;
    }
  }

  static void require_key(const Node& mapping, const Node& key) {
    if (key.kind != Node::Kind::scalar) throw Refused(key.mark, "a key must be plain text");
    if (!key.quoted && key.scalar == "<<") throw Refused(key.mark, "merge keys are not used here");
    if (const Node* first = mapping.find(key.scalar); first != nullptr) {
      throw Refused(key.mark, "key \"" + key.scalar + "\" is there twice");
    }
  }

  std::string_view text_;
  std::vector<Open> stack_;
  Node root_;
  std::size_t nodes_ = 0;
  bool ends_in_quotes_ = false;
};

// yaml-cpp guesses UTF-16 and UTF-32 from the first bytes and lets control bytes through.
// Returns the position of the first byte that may not be there, or npos.
std::size_t find_bad_byte(std::string_view text) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") return 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool allowed = byte >= 0x20 || byte == '\n' || byte == '\t' || byte == '\r';
    if (!allowed || byte == 0x7f) return i;
  }
  return std::string_view::npos;
}

// The first line that is not UTF-8; `text` has one.
Mark mark_of_bad_utf8(std::string_view text) {
  Mark mark{1, 1};
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    if (!json::is_valid_utf8(text.substr(0, end))) break;
    text.remove_prefix(end + 1);
    ++mark.line;
  }
  return mark;
}

Mark mark_of(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto line_start = before.rfind('\n');
  const auto column = line_start == std::string_view::npos ? offset : offset - line_start - 1;
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(column) + 1};
}

// yaml-cpp says "illegal map value" of this, at the colon behind.
bool is_indented_by_tab(std::string_view text, int line) {
  for (; line > 1; --line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  const auto blanks = text.substr(0, text.find_first_not_of(" \t"));
  return blanks.find('\t') != std::string_view::npos;
}

// yaml-cpp takes a quoted scalar that nothing closes if a line break ends the file. Without that
// line break it throws, as it should.
void require_closed_quote(std::string_view text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  std::istringstream stream{std::string(text.substr(0, end + 1))};
  YAML::Parser parser(stream);
  Builder ignored(text);
  parser.HandleNextDocument(ignored);
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A number of the core schema with a point, an exponent, or .inf and .nan.
bool looks_like_float(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text == ".inf" || text == ".Inf" || text == ".INF") return true;
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  const auto exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    auto digits = text.substr(exponent + 1);
    if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) digits.remove_prefix(1);
    if (!all_digits(digits)) return false;
    text = text.substr(0, exponent);
    if (all_digits(text)) return true;
  }
  const auto point = text.find('.');
  if (point == std::string_view::npos) return false;
  const auto whole = text.substr(0, point);
  const auto fraction = text.substr(point + 1);
  if (whole.empty()) return all_digits(fraction);
  return all_digits(whole) && (fraction.empty() || all_digits(fraction));
}

Result<json::Value> scalar_to_json(const Node& node, std::string_view file_name) {
  const std::string& text = node.scalar;
  if (node.quoted) return json::Value(text);
  if (text == "true" || text == "True" || text == "TRUE") return json::Value(true);
  if (text == "false" || text == "False" || text == "FALSE") return json::Value(false);
  if (looks_like_float(text)) {
    return error_at(file_name, node, text + " is not an integer; write it in quotes if it is text");
  }
  const bool has_sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  const auto digits = std::string_view(text).substr(has_sign ? 1 : 0);
  if (!all_digits(digits)) return json::Value(text);
  if ((digits.size() > 1 && digits[0] == '0') || text == "-0") {
    return error_at(file_name, node, text + ": an integer has no leading zero; write it in quotes");
  }
  std::int64_t value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
    if (value > json::kIntegerMax) return error_at(file_name, node, text + " is too large");
  }
  return json::Value(text[0] == '-' ? -value : value);
}

}  // namespace

Node::Node() = default;

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name.scalar == key) return &value;
  }
  return nullptr;
}

Error error_at(std::string_view file_name, const Node& node, std::string_view what) {
  return {Errc::invalid, position(file_name, node.mark, what)};
}

Result<Node> parse(std::string_view text, std::string_view file_name) {
  if (!json::is_valid_utf8(text)) {
    return Error{Errc::invalid, position(file_name, mark_of_bad_utf8(text), "not valid UTF-8")};
  }
  if (const auto bad = find_bad_byte(text); bad != std::string_view::npos) {
    return Error{Errc::invalid, position(file_name, mark_of(text, bad),
                                         "a byte order mark or control byte is not used here")};
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(text);
    if (!parser.HandleNextDocument(builder)) {
      Node empty;
      empty.mark = {1, 1};
      return empty;
    }
    if (builder.ends_in_quotes()) require_closed_quote(text);
    Builder second(text);
    if (parser.HandleNextDocument(second)) {
      return Error{Errc::invalid,
                   position(file_name, second.take().mark, "more than one document in one file")};
    }
    return builder.take();
  } catch (const Refused& refused) {
    return Error{Errc::invalid, position(file_name, refused.mark, refused.what_is_wrong)};
  } catch (const YAML::Exception& exception) {
    const auto mark = exception.mark.is_null() ? Mark{1, 1} : to_mark(exception.mark);
    if (is_indented_by_tab(text, mark.line)) {
      return Error{Errc::invalid,
                   position(file_name, {mark.line, 1}, "a tab does not indent: use blanks")};
    }
    return Error{Errc::invalid, position(file_name, mark, exception.msg)};
  }
}

Result<json::Value> to_json(const Node& node, std::string_view file_name) {
  switch (node.kind) {
    case Node::Kind::null:
      return json::Value(nullptr);
    case Node::Kind::scalar:
      return scalar_to_json(node, file_name);
    case Node::Kind::sequence: {
      json::Array array;
      for (const Node& item : node.items) {
        auto value = to_json(item, file_name);
        if (!value) return value;
        array.push_back(*std::move(value));
      }
      return json::Value(std::move(array));
    }
    case Node::Kind::mapping:
      break;
  }
  json::Object object;
  for (const auto& [key, member] : node.members) {
    auto value = to_json(member, file_name);
    if (!value) return value;
    object.emplace(key.scalar, *std::move(value));
  }
  return json::Value(std::move(object));
}

}  // namespace vouch::yaml
