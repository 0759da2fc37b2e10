// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/shell_settings.h"

#include <algorithm>
#include <initializer_list>

namespace vouch::access {
namespace {

constexpr std::size_t kSettingsMax = 1000;  // Of one file.
constexpr std::size_t kWordsMax = 1000;     // Of one command; more are not looked at.

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_watched(std::string_view name) {
  return is_one_of(name, {"TMOUT", "autologout"});
}

// Splits a script into commands and follows the compound ones around them.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::vector<ShellSetting> read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        end_command(false);
        ++line_;
        ++at_;
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++at_;
      } else if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') {
        at_ += 2;
        ++line_;
      } else if (is_operator(c)) {
        take_operator();
      } else {
        take_word();
      }
    }
    end_command(false);
    return std::move(settings_);
  }

 private:
  static bool is_operator(char c) {
    return c == ';' || c == '&' || c == '|' || c == '(' || c == ')';
  }

  void take_operator() {
    const std::string_view two = text_.substr(at_, 2);
    const bool is_list = two == "&&" || two == "||";
    end_command(is_list);
    at_ += is_list || two == ";;" || two == "()" ? 2 : 1;
  }

  void take_word() {
    std::string word;
    if (words_.empty()) command_line_ = line_;
    char quote = '\0';
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        if (quote == '\0') break;
        ++line_;
      }
      if (quote != '\0' ? c == quote : c == '"' || c == '\'') {
        quote = quote != '\0' ? '\0' : c;
        continue;
      }
      if (c == '\\' && quote != '\'' && at_ + 1 < text_.size()) {
        if (text_[at_ + 1] == '\n') ++line_;
        word += text_[++at_];
        continue;
      }
      if (quote == '\0' && (c == ' ' || c == '\t' || c == '\r' || is_operator(c))) break;
      word += c;
    }
    if (words_.empty() && take_keyword(word)) return;
    if (words_.size() < kWordsMax) words_.push_back(std::move(word));
  }

  // Keywords stand where a command would; behind most of them another command begins.
  bool take_keyword(const std::string& word) {
    if (is_one_of(word, {"if", "while", "until", "for", "case", "select"})) {
      ++depth_;
      // The words of these are no command.
      return is_one_of(word, {"if", "while", "until"});
    }
    if (word == "{") {  // Mostly the body of a function, which somebody may call or not.
      ++depth_;
      return true;
    }
    if (is_one_of(word, {"}", "fi", "done", "esac", "endif", "end", "endsw"})) {
      depth_ = std::max(0, depth_ - 1);
      return true;
    }
    return is_one_of(word, {"then", "else", "elif", "do", "!"});
  }

  void end_command(bool goes_on) {
    const bool is_conditional = depth_ > 0 || is_guarded_;
    if (!words_.empty()) take_command(is_conditional);
    words_.clear();
    is_guarded_ = goes_on;
  }

  void take_command(bool is_conditional) {
    const std::string& first = words_[0];
    if (first == "umask") return take_umask(is_conditional);
    if (first == "unset" || first == "unsetenv") return take_unset(is_conditional);
    ShellSetting marks;
    std::size_t i = 0;
    if (is_one_of(first, {"readonly", "export", "declare", "typeset", "local", "set", "setenv"})) {
      marks.readonly = first == "readonly";
      marks.exported = first == "export" || first == "setenv";
      for (i = 1; i < words_.size() && words_[i].starts_with('-'); ++i) {
        if (words_[i].find('r') != std::string::npos) marks.readonly = true;
        if (words_[i].find('x') != std::string::npos) marks.exported = true;
      }
    } else {
      // "TMOUT=5 command" holds for that command alone.
      const bool is_assignment = std::all_of(words_.begin(), words_.end(), [](const auto& word) {
        return word.find('=') != std::string::npos && word[0] != '=';
      });
      if (!is_assignment) return;
    }
    for (; i < words_.size(); ++i) take_assignment(marks, i, is_conditional);
  }

  void take_assignment(const ShellSetting& marks, std::size_t index, bool is_conditional) {
    const std::string& word = words_[index];
    ShellSetting setting = marks;
    setting.name = word.substr(0, word.find('='));
    if (!is_watched(setting.name)) return;
    if (word.size() > setting.name.size()) {
      setting.value = word.substr(setting.name.size() + 1);
    } else if (index + 2 < words_.size() && words_[index + 1] == "=") {
      setting.value = words_[index + 2];  // csh: set autologout = 15
    }
    add(std::move(setting), is_conditional);
  }

  void take_umask(bool is_conditional) {
    for (std::size_t i = 1; i < words_.size(); ++i) {
      if (words_[i].starts_with('-')) continue;
      ShellSetting setting;
      setting.name = "umask";
      setting.value = words_[i];
      return add(std::move(setting), is_conditional);
    }
  }

  void take_unset(bool is_conditional) {
    for (std::size_t i = 1; i < words_.size(); ++i) {
      if (!is_watched(words_[i])) continue;
      ShellSetting setting;
      setting.name = words_[i];
      setting.value = "unset";
      add(std::move(setting), is_conditional);
    }
  }

  void add(ShellSetting setting, bool is_conditional) {
    setting.line = command_line_;
    setting.conditional = is_conditional;
    if (settings_.size() < kSettingsMax) settings_.push_back(std::move(setting));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  int command_line_ = 1;
  int depth_ = 0;
  bool is_guarded_ = false;
  std::vector<std::string> words_;
  std::vector<ShellSetting> settings_;
};

}  // namespace

std::vector<ShellSetting> parse_shell_settings(std::string_view text) {
  return Reader(text).read();
}

}  // namespace vouch::access
