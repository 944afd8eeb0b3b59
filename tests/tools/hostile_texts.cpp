// Tables, texts, models, graphs and logs that lie.
#include "tests/tools/hostile_texts.h"
#include "tests/tools/hostile_parts.h"

namespace gradc {

// --- tables and text

std::vector<HostileFile> hostile_csv_files() {
  Files files(".csv");
  files.add("nothing", "");
  files.add("header_only", "a,b\n");
  files.add("zeros", std::string(kLong, '\0'));
  files.add("quote_never_closed", "a,b\n1,\"" + std::string(1 << 20, 'x'));
  files.add("text_behind_quotes", "a,b\n\"1\"x,2\n");
  files.add("cells_missing", "a,b,c\n1,2\n");
  files.add("cells_left", "a,b\n1,2,3\n");
  files.add("last_row_is_short", "a,b\n" + repeated("1,2\n", 20'000) + "3\n");
  files.add("name_twice", "a,a\n1,2\n");
  files.add("name_empty", "a,\n1,2\n");
  files.add("no_numbers", "a,b\nx,y\n");
  files.add("many_columns", repeated("a,", kLong) + "\n1\n");
  files.add("long_cell", "a\n" + std::string(1 << 20, '9') + "\n");
  files.add("missing", "a\n1\n\nNA\n");
  files.add("infinite", "a\n1\ninf\n1e999\n");
  files.add("gzip_bomb", gzip(std::string(100'000'000, '1')));
  files.add("gzip_cut", gzip("a,b\n1,2\n").substr(0, 15));
  return files.take();
}

std::vector<HostileFile> hostile_text_files() {
  Files files(".txt");
  files.add("nothing", "");
  files.add("too_short", "text");
  files.add("gzip_bomb", gzip(std::string(100'000'000, 'a')));
  files.add("gzip_bomb_of_members", repeated(gzip(std::string(1'000'000, 'a')), 100));
  files.add("gzip_cut", gzip(std::string(5000, 'a')).substr(0, 20));
  files.add("gzip_header_only", "\x1F\x8B");
  return files.take();
}

// --- models and graphs

std::vector<HostileFile> hostile_model_files() {
  Files files(".grad");
  const auto body = [&](const std::string& name, const std::string& statements) {
    files.add(name, "model m(x: f32[batch, 4]) {\n" + statements + "\n  output y = x\n}\n");
  };
  files.add("nothing", "");
  files.add("zeros", std::string(kLong, '\0'));
  files.add("no_utf8", "model m() { y = \"\xFF\" }");
  files.add("too_long", std::string((16 << 20) + 1, ' '));
  files.add("deep_parentheses", "y = " + std::string(kLong, '('));
  files.add("deep_lists", "y = " + std::string(kLong, '['));
  files.add("deep_blocks", "model m() " + std::string(kLong, '{'));
  files.add("deep_minus", "y = " + std::string(kLong, '-') + "1\n");
  files.add("deep_lambdas", "y = " + repeated("fn(x) => ", kLong) + "1\n");
  files.add("deep_choices", "y = " + repeated("if true { 1 } else ", 20'000) + "{ 2 }\n");
  files.add("long_sum", "y = 1" + repeated(" + 1", kLong) + "\n");
  files.add("long_chain_of_calls", "y = f" + repeated("()", kLong) + "\n");
  files.add("string_never_closed", "y = \"" + std::string(1 << 20, 'x'));
  files.add("many_errors", repeated("§ ", kLong));
  files.add("number_too_large",
            "y = 1" + std::string(kLong, '0') + "\nmodel m(x: f32[batch]) { output z = x + y }");
  files.add("imports_itself",
            "import m from \"imports_itself.grad\"\nmodel m(x: f32[batch]) { output y = x }\n");
  files.add("imports_cycle",
            "import a from \"imports_cycle_back.grad\"\nmodel m(x: f32[batch]) { output y = x }\n");
  files.add("imports_cycle_back", "import m from \"imports_cycle.grad\"\na = 1\n");
  files.add("imports_nothing",
            "import a from \"no/such/file.grad\"\nmodel m(x: f32[batch]) { output y = x }\n");
  files.add("imports_device",
            "import a from \"/dev/zero\"\nmodel m(x: f32[batch]) { output y = x }\n");
  body("unknown_name", "  z = f(1)");
  files.add("recursion",
            "fn f(n: int) => f(n + 1)\nmodel m(x: f32[batch]) { output y = x * f(0) }\n");
  files.add("recursion_in_lists",
            "fn f(n: int) => [f(n), f(n)]\nmodel m(x: f32[batch]) { output y = x * len(f(0)) }\n");
  body("list_of_a_billion", "  z = [i for i in range(1000000000)]");
  body("loop_of_a_billion", "  var z = x\n  for i in range(1000000000) { z := z + 1 }");
  body("loops_in_loops",
       repeated("  for i in range(1000) {", 4) + " z = x + 1 " + repeated("}", 4));
  body("doubled_lists", "  var z = [1]\n  for i in range(60) { z := z + z }");
  body("doubled_words",
       "  var z = \"ab\"\n  for i in range(60) { z := z + z }\n  require z == \"\"");
  body("power_of_powers", "  z = 9 ** 9 ** 9 ** 9\n  require z == 0");
  body("tensor_of_2_to_60", "  z = zeros([1152921504606846976])\n  loss = sum(z)");
  body("tensor_of_overflow", "  z = zeros([4294967296, 4294967296])\n  loss = sum(z)");
  body("tensor_of_negative_size", "  z = zeros([-5])\n  loss = sum(z)");
  body("33_axes", "  z = reshape(x, [batch, 4" + repeated(", 1", 40) + "])\n  loss = sum(z)");
  body("wide_layer", "  z = dense(x, 4611686018427387904)\n  loss = mean(z)");
  return files.take();
}

std::vector<HostileFile> hostile_graph_files() {
  Files files(".graph");
  const std::string begin = "graph file m\n";
  const auto one = [&](const std::string& name, const std::string& line) {
    files.add(name, begin + "graph predict \"m\" {\n  %0 = input data \"x\" : f32[4]\n  " + line +
                        "\n  output output \"y\" %1\n}\n");
  };
  files.add("word_only", "graph");
  files.add("no_graphs_but_noise", begin + std::string(kLong, '%'));
  files.add("setting_without_value", begin + "setting data =");
  files.add("setting_twice", begin + "setting data = \"xor\"\nsetting data = \"xor\"\n");
  files.add("never_closed", begin + "graph predict \"m\" {");
  files.add("deep_bodies",
            begin + "graph predict \"m\" {\n" + repeated("%1 = group(%0) {body = {", 10'000));
  one("unknown_op", "%1 = explode(%0) : f32[4]");
  one("reads_itself", "%1 = neg(%1) : f32[4]");
  one("reads_the_future", "%1 = neg(%99999999) : f32[4]");
  one("value_of_all_digits", "%99999999999999999999 = neg(%0) : f32[4]");
  one("other_type", "%1 = neg(%0) : f64[4]");
  one("other_shape", "%1 = neg(%0) : f32[5]");
  one("missing_operand", "%1 = add(%0) : f32[4]");
  one("operands_left", "%1 = neg(" + repeated("%0, ", kLong) + "%0) : f32[4]");
  one("constant_of_2_to_62",
      "%1 = constant() {value = f32[4611686018427387904] (1)} : f32[4611686018427387904]");
  one("constant_of_a_terabyte",
      "%1 = constant() {value = f64[1000000, 1000000] hex \"00\"} : f64[1000000, 1000000]");
  one("constant_of_few_bytes", "%1 = constant() {value = f32[4] hex \"00\"} : f32[4]");
  one("constant_of_no_digits", "%1 = constant() {value = u8[1] hex \"zz\"} : u8[1]");
  one("broadcast_to_overflow",
      "%1 = broadcast(%0) {shape = [4294967296, 4294967296, 4], axes = [2]} : f32[4294967296, "
      "4294967296, 4]");
  one("broadcast_to_nothing_and_overflow",
      "%1 = broadcast(%0) {shape = [0, 4611686018427387904, 4], axes = [2]} : f32[0, "
      "4611686018427387904, 4]");
  one("axis_of_all_bits", "%1 = sum(%0) {axes = [9223372036854775807]} : f32[]");
  one("negative_axis", "%1 = sum(%0) {axes = [-9223372036854775808]} : f32[]");
  one("axis_twice", "%1 = sum(%0) {axes = [0, 0]} : f32[]");
  one("negative_shape", "%1 = reshape(%0) {shape = [-2, -2]} : f32[4]");
  one("unknown_attribute", "%1 = neg(%0) {colour = 3} : f32[4]");
  one("string_never_closed", "%1 = neg(%0) : f32[4] @ \"" + std::string(1 << 20, 'x'));
  files.add("input_of_overflow", begin +
                                     "graph predict \"m\" {\n  %0 = input data \"x\" : "
                                     "f32[4294967296, 4294967296]\n  output output \"y\" %0\n}\n");
  files.add(
      "no_such_output",
      begin +
          "graph predict \"m\" {\n  %0 = input data \"x\" : f32[4]\n  output output \"y\" %7\n}\n");
  return files.take();
}

std::vector<HostileFile> hostile_log_files() {
  Files files(".jsonl");
  files.add("nothing", "");
  files.add("deep_lists", std::string(kLong, '['));
  files.add("deep_objects", repeated("{\"event\":", kLong));
  files.add("no_json", "epoch 1, loss 0.5\n");
  files.add("zeros", std::string(kLong, '\0'));
  files.add("events_of_nothing", repeated("{}\n", 1000));
  return files.take();
}

}  // namespace gradc
