// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/repo_metadata.h"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <type_traits>
#include <utility>

namespace vouch::rpm_packages {
namespace {

constexpr int kDepthMax = 64;
constexpr std::size_t kTextBytesMax = std::size_t{4} << 10;
constexpr std::size_t kPackagesMax = 200'000;  // Of one advisory.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using Parser = std::unique_ptr<std::remove_pointer_t<XML_Parser>, FreeParser>;

std::string_view attribute(const XML_Char** attributes, std::string_view wanted) {
  for (; *attributes != nullptr; attributes += 2) {
    if (attributes[0] == wanted) return attributes[1];
  }
  return {};
}

// Calls for elements and the text in those that are asked for; prefixes are part of the names.
class Document {
 public:
  virtual ~Document() = default;
  virtual void open(std::string_view name, const XML_Char** attributes) = 0;
  // `text` is what stood between, if want_text() was called in open().
  virtual void close(std::string_view name, const std::string& text) = 0;

  Document() : parser_(XML_ParserCreate(nullptr)) {
    if (!parser_) return;
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), on_open, on_close);
    XML_SetCharacterDataHandler(parser_.get(), on_text);
    XML_SetStartDoctypeDeclHandler(
        parser_.get(), [](void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
          static_cast<Document*>(user)->fail(Errc::invalid, "a document type is not accepted");
        });
  }
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  Status feed(std::string_view bytes) {
    if (!parser_) return Error{Errc::other, "no memory for an XML parser"};
    while (!bytes.empty() && !error_) {
      const auto piece = bytes.substr(0, kPieceBytes);
      bytes.remove_prefix(piece.size());
      parse(piece, false);
    }
    return error_ ? Status(*error_) : Status(Ok{});
  }
  Status finish(std::string_view root) {
    if (!error_) parse({}, true);
    if (!error_ && root != root_) fail(Errc::invalid, fmt::format("no <{}> file", root));
    return error_ ? Status(*error_) : Status(Ok{});
  }

 protected:
  void want_text() {
    wants_text_ = true;
    text_.clear();
  }
  void fail(Errc code, std::string message) {
    if (error_) return;
    error_ = Error{code, std::move(message)};
    XML_StopParser(parser_.get(), XML_FALSE);
  }

 private:
  static void on_open(void* user, const XML_Char* name, const XML_Char** attributes) {
    auto& self = *static_cast<Document*>(user);
    self.wants_text_ = false;
    if (self.depth_ == 0) self.root_ = name;
    if (++self.depth_ > kDepthMax) return self.fail(Errc::invalid, "nested too deeply");
    self.open(name, attributes);
  }
  static void on_close(void* user, const XML_Char* name) {
    auto& self = *static_cast<Document*>(user);
    --self.depth_;
    self.close(name, self.wants_text_ ? self.text_ : std::string());
    self.wants_text_ = false;
  }
  static void on_text(void* user, const XML_Char* text, int size) {
    auto& self = *static_cast<Document*>(user);
    if (!self.wants_text_) return;
    self.text_.append(text, static_cast<std::size_t>(size));
    if (self.text_.size() > kTextBytesMax) self.fail(Errc::too_large, "a text over 4 KiB");
  }
  void parse(std::string_view piece, bool is_last) {
    XML_Parser parser = parser_.get();
    if (XML_Parse(parser, piece.data(), static_cast<int>(piece.size()), is_last ? 1 : 0) ==
        XML_STATUS_OK) {
      return;
    }
    fail(Errc::invalid, fmt::format("line {}: {}", XML_GetCurrentLineNumber(parser),
                                    XML_ErrorString(XML_GetErrorCode(parser))));
  }

  Parser parser_;
  int depth_ = 0;
  bool wants_text_ = false;
  std::string text_;
  std::string root_;
  std::optional<Error> error_;
};

ListedPackage package_from(const XML_Char** attributes) {
  ListedPackage package;
  package.name = attribute(attributes, "name");
  package.arch = attribute(attributes, "arch");
  package.epoch = attribute(attributes, "epoch");
  package.version = attribute(attributes, "version");
  package.release = attribute(attributes, "release");
  if (package.epoch.empty()) package.epoch = "0";
  return package;
}

class Primary final : public Document {
 public:
  explicit Primary(MetadataReader::TakePackage take) : take_(std::move(take)) {}

  void open(std::string_view name, const XML_Char** attributes) override {
    if (name == "package") {
      package_ = {};
    } else if (name == "version") {
      package_.epoch = attribute(attributes, "epoch");
      package_.version = attribute(attributes, "ver");
      package_.release = attribute(attributes, "rel");
      if (package_.epoch.empty()) package_.epoch = "0";
    } else if (name == "name" || name == "arch" || name == "rpm:vendor") {
      want_text();
    }
  }
  void close(std::string_view name, const std::string& text) override {
    if (name == "name") {
      package_.name = text;
    } else if (name == "arch") {
      package_.arch = text;
    } else if (name == "rpm:vendor") {
      package_.vendor = text;
    } else if (name == "package" && !package_.name.empty() && package_.arch != "src" &&
               package_.arch != "nosrc") {
      take_(package_);
    }
  }

 private:
  MetadataReader::TakePackage take_;
  ListedPackage package_;
};

class UpdateInfo final : public Document {
 public:
  explicit UpdateInfo(MetadataReader::TakeAdvisory take) : take_(std::move(take)) {}

  void open(std::string_view name, const XML_Char** attributes) override {
    if (name == "update") {
      advisory_ = {};
      advisory_.type = attribute(attributes, "type");
    } else if (name == "package") {
      if (advisory_.packages.size() == kPackagesMax) {
        return fail(Errc::too_large, "an advisory with too many packages");
      }
      advisory_.packages.push_back(package_from(attributes));
    } else if (name == "id" || name == "severity") {
      want_text();
    }
  }
  void close(std::string_view name, const std::string& text) override {
    if (name == "id") {
      advisory_.id = text;
    } else if (name == "severity") {
      advisory_.severity = text;
    } else if (name == "update") {
      take_(advisory_);
    }
  }

 private:
  MetadataReader::TakeAdvisory take_;
  Advisory advisory_;
};

class RepomdDocument final : public Document {
 public:
  explicit RepomdDocument(Repomd& repomd) : repomd_(repomd) {}

  void open(std::string_view name, const XML_Char** attributes) override {
    if (name == "data") {
      repomd_.data.push_back({std::string(attribute(attributes, "type")), {}});
    } else if (name == "location" && !repomd_.data.empty()) {
      repomd_.data.back().location = attribute(attributes, "href");
    } else if (name == "timestamp") {
      want_text();
    }
  }
  void close(std::string_view name, const std::string& text) override {
    if (name != "timestamp") return;
    std::int64_t second = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), second);
    const bool is_plausible = code == std::errc() && second > 0 && second < 253402300799;
    if (is_plausible) repomd_.made = std::max(repomd_.made.value_or(0), second);
  }

 private:
  Repomd& repomd_;
};

}  // namespace

std::string evr_text(std::string_view epoch, std::string_view version, std::string_view release) {
  const bool has_epoch = !epoch.empty() && epoch != "0";
  return fmt::format("{}{}{}-{}", has_epoch ? epoch : "", has_epoch ? ":" : "", version, release);
}

const Repomd::Data* Repomd::find(std::string_view type) const {
  for (const Data& one : data) {
    if (one.type == type) return &one;
  }
  return nullptr;
}

Result<Repomd> parse_repomd(std::string_view text) {
  Repomd repomd;
  RepomdDocument document(repomd);
  auto status = document.feed(text);
  if (status) status = document.finish("repomd");
  if (!status) return status.error();
  return repomd;
}

struct MetadataReader::State {
  std::unique_ptr<Document> document;
  std::string_view root;
};

MetadataReader::MetadataReader(TakePackage take) : state_(std::make_unique<State>()) {
  *state_ = {std::make_unique<Primary>(std::move(take)), "metadata"};
}
MetadataReader::MetadataReader(TakeAdvisory take) : state_(std::make_unique<State>()) {
  *state_ = {std::make_unique<UpdateInfo>(std::move(take)), "updates"};
}
MetadataReader::~MetadataReader() = default;

Status MetadataReader::feed(std::string_view piece) {
  return state_->document->feed(piece);
}

Status MetadataReader::finish() {
  return state_->document->finish(state_->root);
}

}  // namespace vouch::rpm_packages
