// The form NAME("path", option = value, ...).
#include "runtime/data/data_source.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>

#include "runtime/core/error.h"

namespace gradc {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

size_t word_length(std::string_view text) {
  size_t length = 0;
  while (length < text.size() && is_word(text[length])) ++length;
  return length;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), rest_(text) {}

  DataSource read() {
    DataSource source;
    source.kind = word();
    expect('(');
    while (!accept(')')) {
      argument(source);
      if (accept(')')) break;
      expect(',');
    }
    skip_blanks();
    if (!rest_.empty()) refuse("nothing follows the closing parenthesis");
    return source;
  }

 private:
  [[noreturn]] void refuse(const std::string& expected) const {
    throw Error(ExitCode::ModelOrData, "E0910",
                fmt::format("cannot read the data source `{}`: at character {}, {}", text_,
                            text_.size() - rest_.size() + 1, expected));
  }
  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n'))
      rest_.remove_prefix(1);
  }
  bool accept(char c) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse(fmt::format("`{}` is expected", c));
  }
  std::string word() {
    skip_blanks();
    const std::string found(rest_.substr(0, word_length(rest_)));
    if (found.empty()) refuse("a name is expected");
    rest_.remove_prefix(found.size());
    return found;
  }
  std::string string() {
    expect('"');
    std::string result;
    while (!rest_.empty() && rest_.front() != '"') {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\\' && !rest_.empty()) {
        c = rest_.front() == 'n' ? '\n' : rest_.front() == 't' ? '\t' : rest_.front();
        rest_.remove_prefix(1);
      }
      result += c;
    }
    if (rest_.empty()) refuse("a string is not closed");
    rest_.remove_prefix(1);
    return result;
  }
  OptionValue value() {
    skip_blanks();
    if (!rest_.empty() && rest_.front() == '"') return string();
    if (accept('[')) {
      std::vector<std::string> list;
      while (!accept(']')) {
        list.push_back(string());
        if (accept(']')) break;
        expect(',');
      }
      return list;
    }
    for (const bool truth : {true, false})
      if (rest_.starts_with(truth ? "true" : "false")) {
        rest_.remove_prefix(truth ? 4 : 5);
        return truth;
      }
    double number = 0;
    const auto [end, fault] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (fault != std::errc()) refuse("a number, true, false, a string or a list of strings is due");
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return number;
  }
  void argument(DataSource& source) {
    skip_blanks();
    if (!rest_.empty() && rest_.front() == '"') {
      if (!source.path.empty()) refuse("there is one path already");
      source.path = string();
      return;
    }
    const std::string name = word();
    expect('=');
    OptionValue given = value();
    if (!source.options.emplace(name, std::move(given)).second)
      refuse(fmt::format("`{}` is given twice", name));
  }

  std::string_view text_;
  std::string_view rest_;
};

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n' || c == '\t')
      result += c == '\n' ? "\\n" : "\\t";
    else
      result += c;
  }
  return result + "\"";
}

struct ToText {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(const std::vector<std::string>& value) const {
    std::string text;
    for (const std::string& element : value) text += (text.empty() ? "" : ", ") + quoted(element);
    return "[" + text + "]";
  }
};

}  // namespace

double DataSource::number(const std::string& option, double otherwise) const {
  const auto found = options.find(option);
  return found == options.end() ? otherwise : std::get<double>(found->second);
}

std::vector<std::string> DataSource::names(const std::string& option) const {
  const auto found = options.find(option);
  return found == options.end() ? std::vector<std::string>()
                                : std::get<std::vector<std::string>>(found->second);
}

bool is_data_call(std::string_view text) {
  const size_t length = word_length(text);
  return length > 0 && length < text.size() && text[length] == '(' && text.back() == ')';
}

DataSource parse_data_call(std::string_view text) { return Reader(text).read(); }

std::string without_path(std::string_view text) {
  if (!is_data_call(text)) return {};
  DataSource source = parse_data_call(text);
  source.path.clear();
  return to_text(source);
}

std::string to_text(const DataSource& source) {
  if (source.path.empty() && source.options.empty()) return source.kind;
  std::string arguments = source.path.empty() ? "" : quoted(source.path);
  for (const auto& [name, value] : source.options)
    arguments +=
        fmt::format("{}{} = {}", arguments.empty() ? "" : ", ", name, std::visit(ToText(), value));
  return source.kind + "(" + arguments + ")";
}

}  // namespace gradc
