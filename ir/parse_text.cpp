// Parses the text form of graphs. The grammar is in docs/ir.md.
#include <algorithm>
#include <limits>
#include <unordered_map>

#include "ir/builder.h"
#include "ir/text.h"
#include "ir/text_values.h"
#include "ir/verify.h"

namespace gradc {
namespace {

constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();
constexpr int kMaxDepth = 32;
constexpr size_t kMaxAttrs = 1024;

class Parser {
 public:
  Parser(std::string_view text, const std::string& file) : lexer_(text, file) {}

  Module parse() {
    Module module;
    TextToken start = lexer_.take();
    if (!start.is("graph")) lexer_.fail(start, "a graph file starts with `graph`");
    if (lexer_.accept("file")) {
      module.name = parse_name();
      while (lexer_.accept("setting")) parse_entry(module.settings);
      start = lexer_.peek();
      if (!lexer_.accept("graph")) expect_end();
    }
    while (start.is("graph")) {
      module.graphs.push_back(parse_verified(start));
      start = lexer_.peek();
      if (!lexer_.accept("graph")) break;
    }
    expect_end();
    return module;
  }

 private:
  /// The values of the graph being parsed, by the numbers they have in the text.
  using Names = std::unordered_map<uint32_t, ValueId>;

  void expect_end() {
    if (lexer_.peek().kind != TextToken::Kind::End) lexer_.fail(lexer_.peek(), "expected `graph`");
  }

  std::string parse_name() {
    TextToken token = lexer_.take();
    if (token.kind == TextToken::Kind::String) return std::move(token.decoded);
    if (token.kind == TextToken::Kind::Word) return std::string(token.text);
    lexer_.fail(token, "expected a name");
  }

  Graph parse_verified(const TextToken& start) {
    Graph graph = parse_graph();
    try {
      verify(graph, "");
    } catch (const InternalError& error) {
      lexer_.fail(start, error.what(), "E0111");
    }
    return graph;
  }

  /// After the word `graph`.
  Graph parse_graph() {
    const TextToken mode_token = lexer_.expect(TextToken::Kind::Word, "a graph mode");
    const std::optional<GraphMode> mode = parse_graph_mode(mode_token.text);
    if (!mode) lexer_.fail(mode_token, fmt::format("`{}` is no graph mode", mode_token.text));
    if (++depth_ > kMaxDepth) lexer_.fail(mode_token, "bodies are nested too deeply");
    std::string name;
    if (lexer_.peek().kind == TextToken::Kind::String) name = lexer_.take().decoded;
    int64_t rows = 0;
    if (lexer_.accept("rows")) {
      lexer_.expect('=');
      rows = parse_integer(lexer_, "the row count", 0, kHighest);
    }
    GraphBuilder builder(std::move(name), *mode, rows);
    Names names;
    lexer_.expect('{');
    while (!lexer_.accept('}')) parse_statement(builder, names);
    --depth_;
    return std::move(builder).build();
  }

  void parse_statement(GraphBuilder& builder, Names& names) {
    if (lexer_.accept("output")) return parse_output(builder, names);
    std::vector<TextToken> results;
    if (lexer_.peek().kind == TextToken::Kind::Value) {
      do {
        results.push_back(lexer_.expect(TextToken::Kind::Value, "a value"));
      } while (lexer_.accept(','));
      lexer_.expect('=');
    }
    const TextToken word = lexer_.expect(TextToken::Kind::Word, "`input`, `output` or an op");
    if (word.text == "input")
      parse_input(builder, names, word, results);
    else
      parse_node(builder, names, word, results);
  }

  void parse_input(GraphBuilder& builder, Names& names, const TextToken& word,
                   const std::vector<TextToken>& results) {
    if (results.size() != 1) lexer_.fail(word, "an input is one value");
    if (!builder.graph().nodes().empty()) lexer_.fail(word, "inputs come before the first node");
    const TextToken kind_token = lexer_.expect(TextToken::Kind::Word, "an input kind");
    const std::optional<InputKind> kind = parse_input_kind(kind_token.text);
    if (!kind) lexer_.fail(kind_token, fmt::format("`{}` is no input kind", kind_token.text));
    std::string name = lexer_.expect(TextToken::Kind::String, "the input's name").decoded;
    int64_t limit = 0;
    if (lexer_.accept("limit")) {
      lexer_.expect('=');
      limit = parse_integer(lexer_, "the limit", 1, kHighest);
    }
    lexer_.expect(':');
    define(names, results[0], builder.input(*kind, std::move(name), parse_type(lexer_), limit));
  }

  void parse_output(GraphBuilder& builder, const Names& names) {
    const TextToken kind_token = lexer_.expect(TextToken::Kind::Word, "an output kind");
    const std::optional<OutputKind> kind = parse_output_kind(kind_token.text);
    if (!kind) lexer_.fail(kind_token, fmt::format("`{}` is no output kind", kind_token.text));
    std::string name = lexer_.expect(TextToken::Kind::String, "the output's name").decoded;
    lexer_.expect('=');
    const TextToken value = lexer_.expect(TextToken::Kind::Value, "a value");
    builder.output(*kind, std::move(name), find(names, value));
  }

  void parse_node(GraphBuilder& builder, Names& names, const TextToken& word,
                  const std::vector<TextToken>& results) {
    const std::optional<OpKind> kind = parse_op_kind(word.text);
    if (!kind) lexer_.fail(word, fmt::format("`{}` is no op", word.text));
    const std::vector<ValueId> operands = parse_operands(names);
    Attrs attrs;
    if (lexer_.accept('{')) {
      do {
        parse_entry(attrs);
      } while (lexer_.accept(','));
      lexer_.expect('}');
    }
    std::vector<Type> types;
    if (lexer_.accept(':')) {
      do {
        types.push_back(parse_type(lexer_));
      } while (lexer_.accept(','));
    }
    builder.set_origin(lexer_.accept('@') ? parse_origin() : nullptr);
    const std::string form = find_form_fault(*kind, operands.size(), attrs);
    if (!form.empty()) lexer_.fail(word, form, "E0111");
    const std::vector<ValueId> values = add_node(builder, word, *kind, operands, std::move(attrs));
    if (values.size() != results.size())
      lexer_.fail(
          word, fmt::format("{} has {} results, not {}", word.text, values.size(), results.size()));
    if (!types.empty() && types.size() != values.size())
      lexer_.fail(word, fmt::format("{} types for {} results", types.size(), values.size()));
    for (size_t i = 0; i < values.size(); ++i) {
      define(names, results[i], values[i]);
      if (!types.empty() && types[i] != builder.type(values[i]))
        lexer_.fail(results[i],
                    fmt::format("the type is {}, not {}", to_string(builder.type(values[i])),
                                to_string(types[i])));
    }
  }

  std::vector<ValueId> add_node(GraphBuilder& builder, const TextToken& word, OpKind kind,
                                std::vector<ValueId> operands, Attrs attrs) {
    try {
      return builder.add_node(kind, std::move(operands), std::move(attrs));
    } catch (const Error& error) {
      lexer_.fail(word, error.what(), error.code());
    }
  }

  std::vector<ValueId> parse_operands(const Names& names) {
    std::vector<ValueId> operands;
    lexer_.expect('(');
    if (lexer_.accept(')')) return operands;
    do {
      operands.push_back(find(names, lexer_.expect(TextToken::Kind::Value, "a value")));
    } while (lexer_.accept(','));
    lexer_.expect(')');
    return operands;
  }

  void parse_entry(Attrs& attrs) {
    const TextToken start = lexer_.peek();
    std::string name = parse_name();
    if (attrs.entries().size() >= kMaxAttrs) lexer_.fail(start, "too many entries");
    if (attrs.has(name)) lexer_.fail(start, fmt::format("`{}` is given twice", name));
    lexer_.expect('=');
    attrs.set(std::move(name), parse_value());
  }

  AttrValue parse_value() {
    const TextToken& next = lexer_.peek();
    if (next.kind == TextToken::Kind::String) return lexer_.take().decoded;
    if (next.is('[')) return parse_integers(lexer_);
    if (next.kind == TextToken::Kind::Number) {
      if (next.text.find_first_not_of("-0123456789") != std::string_view::npos)
        return parse_float(lexer_);
      return parse_integer(lexer_, "an integer", std::numeric_limits<int64_t>::min(), kHighest);
    }
    if (next.is("inf") || next.is("nan")) return parse_float(lexer_);
    if (lexer_.accept("true")) return true;
    if (lexer_.accept("false")) return false;
    if (lexer_.accept("graph")) return std::make_shared<const Graph>(parse_graph());
    if (next.kind == TextToken::Kind::Word && parse_dtype(next.text))
      return parse_dtype_or_tensor();
    lexer_.fail(next, fmt::format("expected a value, got `{}`", next.text));
  }

  AttrValue parse_dtype_or_tensor() {
    TextLexer ahead = lexer_;
    const DType dtype = *parse_dtype(ahead.take().text);
    if (ahead.peek().is('[')) return parse_tensor(lexer_);
    lexer_.take();
    return dtype;
  }

  /// After the @.
  OriginRef parse_origin() {
    constexpr int64_t kHighestPlace = std::numeric_limits<int32_t>::max();
    Origin origin;
    origin.file = lexer_.expect(TextToken::Kind::String, "a file").decoded;
    lexer_.expect(':');
    origin.line = static_cast<int32_t>(parse_integer(lexer_, "a line", 0, kHighestPlace));
    lexer_.expect(':');
    origin.column = static_cast<int32_t>(parse_integer(lexer_, "a column", 0, kHighestPlace));
    if (lexer_.peek().kind == TextToken::Kind::String) origin.role = lexer_.take().decoded;
    if (last_origin_ == nullptr || *last_origin_ != origin)
      last_origin_ = std::make_shared<const Origin>(std::move(origin));
    return last_origin_;
  }

  uint32_t number(const TextToken& value) const {
    uint32_t number = 0;
    for (char digit : value.text.substr(1)) {
      if (digit < '0' || digit > '9' || number >= 100'000'000)
        lexer_.fail(value, fmt::format("`{}` is no value: values are numbered", value.text));
      number = number * 10 + static_cast<uint32_t>(digit - '0');
    }
    if (value.text.size() < 2) lexer_.fail(value, "a value is % and its number");
    return number;
  }

  void define(Names& names, const TextToken& value, ValueId id) {
    if (!names.emplace(number(value), id).second)
      lexer_.fail(value, fmt::format("{} is defined twice", value.text));
  }

  ValueId find(const Names& names, const TextToken& value) const {
    const auto found = names.find(number(value));
    if (found == names.end()) lexer_.fail(value, fmt::format("{} is not defined", value.text));
    return found->second;
  }

  TextLexer lexer_;
  OriginRef last_origin_;
  int depth_ = 0;
};

}  // namespace

Module parse_module(std::string_view text, const std::string& file) {
  return Parser(text, file).parse();
}

bool is_graph_text(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (true) {
    const size_t start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return false;
    text.remove_prefix(start);
    if (text.front() != '#') break;
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
  constexpr std::string_view kWord = "graph";
  if (!text.starts_with(kWord)) return false;
  return text.size() == kWord.size() ||
         std::string_view(" \t\r\n\"{(").find(text[kWord.size()]) != std::string_view::npos;
}

}  // namespace gradc
