// One function a format; every file differs from a good one in what its name says.
#include "tests/tools/hostile_files.h"

#include "runtime/data/npy.h"
#include "tests/tools/hostile_parts.h"
#include "tests/tools/hostile_texts.h"
#include "tests/tools/run_program.h"

namespace gradc {
namespace {

// --- safetensors

std::string tensors(const std::string& header, const std::string& data = "") {
  return little(header.size(), 8) + header + data;
}

std::vector<HostileFile> safetensors_files() {
  Files files(".safetensors");
  const auto entry = [](const std::string& name, const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape +
           R"(,"data_offsets":)" + offsets + "}";
  };
  const auto one = [&](const std::string& name, const std::string& dtype, const std::string& shape,
                       const std::string& offsets, const std::string& data = "12345678") {
    files.add(name, tensors("{" + entry("a", dtype, shape, offsets) + "}", data));
  };
  files.add("no_bytes", "");
  files.add("half_a_length", "1234");
  for (const int shift : {1, 24, 25, 32, 62, 63})
    files.add("header_of_2_to_" + std::to_string(shift), little(uint64_t{1} << shift, 8));
  files.add("header_of_all_bits", std::string(8, '\xFF') + "{}");
  files.add("header_longer_than_file", little(100, 8) + "{}");
  files.add("empty_header", little(0, 8));
  files.add("deep_lists", tensors(std::string(kLong, '[')));
  files.add("deep_objects", tensors(repeated("{\"a\":", kLong)));
  files.add("deep_metadata", tensors("{\"__metadata__\":" + repeated("{\"a\":", kLong)));
  files.add("header_is_list", tensors("[]"));
  files.add("header_is_number", tensors("7"));
  files.add("header_is_cut", tensors("{\"a\":"));
  files.add("no_utf8", tensors("{\"\xFF\xFE\":{}}"));
  files.add("long_name",
            tensors("{" + entry(std::string(1 << 20, 'n'), "F32", "[1]", "[0,4]") + "}"));
  files.add("twice", tensors("{" + entry("a", "U8", "[1]", "[0,1]") + "," +
                                 entry("a", "U8", "[1]", "[1,2]") + "}",
                             "12"));
  files.add("overlap", tensors("{" + entry("a", "U8", "[4]", "[0,4]") + "," +
                                   entry("b", "U8", "[4]", "[2,6]") + "}",
                               "123456"));
  files.add("gap", tensors("{" + entry("a", "U8", "[1]", "[0,1]") + "," +
                               entry("b", "U8", "[1]", "[3,4]") + "}",
                           "1234"));
  std::string many = "{";
  for (size_t i = 0; i < 20'000; ++i)
    many += (i > 0 ? "," : "") + entry("t" + std::to_string(i), "F32", "[1000000]", "[0,4000000]");
  files.add("many_large", tensors(many + "}"));
  one("huge_shape", "F32", "[4611686018427387904]", "[0,8]");
  one("overflowing_shape", "F32", "[4294967296,4294967296]", "[0,8]");
  one("wrapping_to_8_bytes", "U8", "[4294967296,4294967296,8]", "[0,8]");
  one("empty_but_overflowing", "F32", "[0,9223372036854775807,9223372036854775807]", "[0,0]");
  one("negative_size", "F32", "[-2]", "[0,8]");
  one("fractional_size", "F32", "[2.0]", "[0,8]");
  one("size_of_words", "F32", "[\"2\"]", "[0,8]");
  one("33_axes", "F32", "[" + repeated("1,", 32) + "2]", "[0,8]");
  one("unknown_dtype", "F99", "[2]", "[0,8]");
  one("reversed_offsets", "F32", "[2]", "[8,0]");
  one("offsets_of_all_bits", "F32", "[2]", "[18446744073709551615,18446744073709551615]");
  one("offsets_behind_the_file", "F32", "[2]", "[4611686018427387896,4611686018427387904]");
  one("one_offset", "F32", "[2]", "[8]");
  one("three_offsets", "F32", "[2]", "[0,4,8]");
  one("data_left", "F32", "[1]", "[0,4]");
  one("data_missing", "F32", "[2]", "[0,8]", "1234");
  files.add("no_members", tensors("{\"a\":{}}"));
  files.add("null", tensors("{\"a\":null}"));
  files.add("infinite_number", tensors("{\"a\":{\"shape\":[1e999]}}"));
  return files.take();
}

// --- weights as JSON

std::vector<HostileFile> json_files() {
  Files files(".json");
  const auto one = [&](const std::string& name, const std::string& dtype, const std::string& shape,
                       const std::string& values) {
    files.add(name, R"({"a": {"dtype": ")" + dtype + R"(", "shape": )" + shape + R"(, "values": )" +
                        values + "}}");
  };
  files.add("nothing", "");
  files.add("zeros", std::string(kLong, '\0'));
  files.add("deep_lists", std::string(kLong, '['));
  files.add("deep_lists_below_a_name", "{\"a\": " + std::string(kLong, '['));
  files.add("deep_objects", repeated("{\"a\": ", kLong));
  files.add("deep_shape", "{\"a\": {\"dtype\": \"f32\", \"shape\": " + std::string(kLong, '['));
  files.add("closed_too_often", std::string("{\"a\": [1]") + std::string(kLong, ']'));
  files.add("word", "\"weights\"");
  files.add("number", "1e308");
  files.add("truth", "true");
  files.add("null_tensor", "{\"a\": null}");
  files.add("long_name", "{\"" + std::string(1 << 20, 'n') + "\": 1}");
  files.add("twice", "{\"a\": 1, \"a\": 1}");
  files.add("ragged", "{\"a\": [[1, 2], [3]]}");
  files.add("ragged_depth", "{\"a\": [[1, 2], 3]}");
  files.add("ragged_at_the_end", "{\"a\": [" + repeated("[1, 2], ", kLong) + "[3]]}");
  files.add("words_as_numbers", "{\"a\": [\"1\", \"2\"]}");
  files.add("number_too_large", "{\"a\": [1e400]}");
  files.add("long_number", "{\"a\": [1" + std::string(kLong, '0') + "]}");
  files.add("no_utf8", "{\"\xC0\xAF\": 1}");
  files.add("half_a_surrogate", "{\"\\ud800\": 1}");
  files.add("two_values", "{} {}");
  files.add("comment", "{} // comment");
  files.add("object_in_values", "{\"a\": [{}]}");
  files.add("cut", "{\"a\": [1, 2,");
  one("huge_shape", "f32", "[4611686018427387904]", "[1]");
  one("overflowing_shape", "f32", "[4294967296, 4294967296]", "[[1]]");
  one("large_shape", "f64", "[1000000, 1000000]", "[[1]]");
  one("empty_but_overflowing", "f32", "[0, 9223372036854775807]", "[]");
  one("negative_size", "f32", "[-1]", "[1]");
  one("fractional_size", "f32", "[1.5]", "[1]");
  one("33_axes", "f32", "[" + repeated("1,", 32) + "1]", "1");
  one("other_shape", "f32", "[2, 2]", "[[1, 2, 3, 4]]");
  one("unknown_dtype", "complex", "[1]", "[1]");
  one("no_byte", "u8", "[1]", "[-1]");
  one("no_integer", "i64", "[1]", "[9223372036854775808]");
  one("no_half", "f16", "[1]", "[65520]");
  one("bool_of_2", "bool", "[1]", "[2]");
  files.add("values_first", R"({"a": {"values": [1], "dtype": "f32", "shape": [1]}})");
  files.add("no_values", R"({"a": {"dtype": "f32", "shape": [1]}})");
  files.add("shape_given_twice",
            R"({"a": {"dtype": "f32", "shape": [1], "shape": [2], "values": [1]}})");
  return files.take();
}

// --- zip archives

/// What is not given, or -1, is as it should be.
struct Member {
  std::string name;
  std::string bytes = "";
  bool is_deflated = false;
  std::string packed = "";
  int64_t claimed_bytes = -1;
  int64_t offset = -1;
  int64_t checksum = -1;
  int method = -1;
  int flags = 0;
  int64_t claimed_packed_bytes = -1;
};

std::string zip(const std::vector<Member>& members, int claimed_count = -1,
                int64_t claimed_directory = -1) {
  std::string file;
  std::string directory;
  for (const Member& member : members) {
    std::string packed = member.packed;
    if (packed.empty())
      packed = member.is_deflated ? testing::deflated(member.bytes, -15) : member.bytes;
    const uint64_t checksum = member.checksum >= 0
                                  ? static_cast<uint64_t>(member.checksum)
                                  : crc32(0, reinterpret_cast<const Bytef*>(member.bytes.data()),
                                          static_cast<uInt>(member.bytes.size()));
    const uint64_t size = member.claimed_bytes >= 0 ? static_cast<uint64_t>(member.claimed_bytes)
                                                    : member.bytes.size();
    const uint64_t packed_bytes = member.claimed_packed_bytes >= 0
                                      ? static_cast<uint64_t>(member.claimed_packed_bytes)
                                      : packed.size();
    const int method = member.method >= 0 ? member.method : (member.is_deflated ? 8 : 0);
    const std::string shared = little(static_cast<uint64_t>(member.flags), 2) +
                               little(static_cast<uint64_t>(method), 2) + little(0, 4) +
                               little(checksum, 4) + little(packed_bytes, 4) + little(size, 4) +
                               little(member.name.size(), 2);
    const uint64_t offset = member.offset >= 0 ? static_cast<uint64_t>(member.offset) : file.size();
    directory += "PK\1\2" + little(20, 2) + little(20, 2) + shared + little(0, 12) +
                 little(offset, 4) + member.name;
    file += "PK\3\4" + little(20, 2) + shared + little(0, 2) + member.name + packed;
  }
  const uint64_t count = claimed_count >= 0 ? static_cast<uint64_t>(claimed_count) : members.size();
  const uint64_t begin =
      claimed_directory >= 0 ? static_cast<uint64_t>(claimed_directory) : file.size();
  return file + directory + "PK\5\6" + little(0, 4) + little(count, 2) + little(count, 2) +
         little(directory.size(), 4) + little(begin, 4) + little(0, 2);
}

std::string npy(const std::string& descr, const std::string& shape, const std::string& data,
                const std::string& order = "False", int version = 1) {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  return "\x93NUMPY" + std::string{static_cast<char>(version), '\0'} +
         little(header.size(), version == 1 ? 2 : 4) + header + data;
}

std::vector<HostileFile> npz_files(const std::string& field) {
  Files files(".npz");
  const std::string name = field + ".npy";
  const std::string good = npy("<f4", "(2,)", "12345678");
  files.add("nothing", "");
  files.add("start_only", "PK\3\4");
  files.add("end_only_of_nothing", "PK\5\6" + little(0, 4) + little(1, 2) + little(1, 2) +
                                       little(0, 4) + little(0, 4) + little(0, 2));
  files.add("gzip", gzip(std::string(20 << 20, '\0')));
  files.add("more_members_than_there_are", zip({{name, good}}, 65535));
  files.add("directory_behind_the_file", zip({{name, good}}, -1, 0x7FFFFFFF));
  files.add("directory_in_its_end", zip({{name, good}}, -1, 100));
  files.add("member_behind_the_file", zip({{.name = name, .bytes = good, .offset = 0x7FFFFFFF}}));
  files.add("member_in_the_directory", zip({{.name = name, .bytes = good, .offset = 60}}));
  files.add("longer_than_promised",
            zip({{.name = name, .bytes = good, .is_deflated = true, .claimed_bytes = 20}}));
  files.add("shorter_than_promised",
            zip({{.name = name, .bytes = good, .is_deflated = true, .claimed_bytes = 5000}}));
  files.add("promises_4_gib",
            zip({{.name = name, .bytes = good, .is_deflated = true, .claimed_bytes = 0xFFFFFFFE}}));
  files.add("zip64",
            zip({{.name = name, .bytes = good, .is_deflated = true, .claimed_bytes = 0xFFFFFFFF}}));
  files.add("other_checksum", zip({{.name = name, .bytes = good, .checksum = 1}}));
  files.add("encrypted", zip({{.name = name, .bytes = good, .flags = 1}}));
  files.add("packed_by_bzip2", zip({{.name = name, .bytes = good, .method = 12}}));
  files.add(
      "no_deflate_data",
      zip({{.name = name, .bytes = good, .is_deflated = true, .packed = std::string(40, '\xFF')}}));
  files.add("twice", zip({{name, good}, {name, good}}));
  // All of them claim the bytes of the first, 300 MB in all.
  const std::string block = npy("|u1", "(1000000,)", std::string(1'000'000, '\0'));
  const auto packed_bytes = static_cast<int64_t>(testing::deflated(block, -15).size());
  std::vector<Member> overlapping = {{.name = "n.npy", .bytes = block, .is_deflated = true}};
  for (int i = 0; i < 300; ++i)
    overlapping.push_back({.name = "n" + std::to_string(i) + ".npy",
                           .is_deflated = true,
                           .claimed_bytes = static_cast<int64_t>(block.size()),
                           .offset = 0,
                           .claimed_packed_bytes = packed_bytes});
  files.add("overlapping_bomb", zip(overlapping));
  files.add("no_array", zip({{name, "hello"}}));
  files.add("array_of_objects", zip({{name, npy("|O", "(2,)", "12345678")}}));
  files.add("array_promises_too_much", zip({{name, npy("<f4", "(1000000000000,)", "1234")}}));
  files.add("array_is_cut", zip({{name, npy("<f4", "(2,)", "1234")}}));
  return files.take();
}

std::vector<HostileFile> npz_weight_files() {
  std::vector<HostileFile> files = npz_files("hidden.kernel");
  const std::string zeros = npy("<f4", "(25000000,)", std::string(100'000'000, '\0'));
  files.push_back({"inflates_to_100_mb.npz", zip({{"hidden.kernel.npy", zeros, true}})});
  files.push_back({"member_is_no_array.npz", zip({{"readme.txt", "hello"}})});
  return files;
}

std::vector<HostileFile> npy_files() {
  Files files(".npy");
  const std::string data(8, '\1');
  files.add("nothing", "");
  files.add("magic_only", "\x93NUMPY");
  files.add("version_9", npy("<f4", "(2,)", data, "False", 9));
  files.add("header_of_4_gib", "\x93NUMPY\2" + std::string(1, '\0') + std::string(4, '\xFF'));
  files.add("header_longer_than_file", "\x93NUMPY\1" + std::string(1, '\0') + "\xF0\xFF{");
  files.add("gzip", gzip(npy("|u1", "(5,)", std::string(20 << 20, '\0'))));
  files.add("not_python", "\x93NUMPY\1" + std::string(1, '\0') + little(kLong % 60000, 2) +
                              std::string(kLong % 60000, '('));
  for (const std::string descr : {"|O", "<c16", "<U8", "|S4", "<M8", "<f16", "(2,)<f4", ""})
    files.add("dtype_" + std::to_string(descr.size()) + "_" +
                  std::to_string(static_cast<int>(descr.empty() ? 0 : descr.back())),
              npy(descr, "(2,)", data));
  const std::pair<const char*, const char*> shapes[] = {
      {"scalar", "()"},
      {"negative", "(-2,)"},
      {"huge", "(9223372036854775807,)"},
      {"wrapping", "(4294967296, 4294967296, 2)"},
      {"beyond_64_bits", "(99999999999999999999,)"},
      {"one_more", "(3,)"},
      {"one_less", "(1,)"},
      {"float", "(2.0,)"},
      {"word", "('2',)"},
      {"open", "(2"},
      {"list", "[2]"},
      {"nested", "((2,),)"},
      {"empty_but_overflowing", "(0, 9223372036854775807, 9223372036854775807)"},
      {"rows_of_nothing", "(9999999999, 0)"},
      {"empty_behind_overflow", "(9223372036854775807, 4, 0)"},
      {"terabyte", "(1000000, 1000000)"}};
  for (const auto& [name, shape] : shapes)
    files.add("shape_" + std::string(name), npy("<f4", shape, data));
  files.add("many_axes", npy("<f4", "(" + repeated("1, ", 5000) + ")", "1234"));
  files.add("order_maybe", npy("<f4", "(2,)", data, "Maybe"));
  files.add("columns_first_overflow", npy("<f4", "(4294967296, 4294967296)", data, "True"));
  return files.take();
}

// --- pictures

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  return big(data.size(), 4) + body +
         big(crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())),
             4);
}

constexpr std::string_view kPngMagic = "\x89PNG\r\n\x1A\n";

std::string png(uint64_t width, uint64_t height, int depth, int color, const std::string& pixels,
                const std::string& extra = "") {
  return std::string(kPngMagic) +
         chunk("IHDR", big(width, 4) + big(height, 4) + static_cast<char>(depth) +
                           static_cast<char>(color) + std::string(3, '\0')) +
         extra + chunk("IDAT", testing::deflated(pixels, 15)) + chunk("IEND", "");
}

/// Each is the only picture of a folder.
std::vector<HostileFile> png_files() {
  Files files(".png");
  const std::string row(3, '\0');
  files.add("nothing", "");
  files.add("magic_only", std::string(kPngMagic));
  files.add("gzip", gzip(std::string(20 << 20, '\0')));
  files.add("jpeg", "\xFF\xD8\xFF\xE0");
  files.add("width_of_2_to_31", png(uint64_t{1} << 31, 1, 8, 0, row));
  files.add("width_of_2_to_31_less_1", png((uint64_t{1} << 31) - 1, 1, 8, 0, row));
  files.add("height_of_2_to_31_less_1", png(1, (uint64_t{1} << 31) - 1, 8, 0, row));
  files.add("both", png((uint64_t{1} << 31) - 1, (uint64_t{1} << 31) - 1, 8, 6, row));
  files.add("million_by_million", png(1'000'000, 1'000'000, 1, 0, row));
  files.add("no_width", png(0, 1, 8, 0, row));
  files.add("no_height", png(2, 0, 8, 0, row));
  files.add("depth_of_3", png(2, 1, 3, 0, row));
  files.add("depth_of_16", png(1, 1, 16, 0, row));
  files.add("color_of_5", png(2, 1, 8, 5, row));
  files.add("palette_missing", png(2, 1, 8, 3, row));
  files.add("palette_too_long", png(2, 1, 8, 3, row, chunk("PLTE", std::string(3 * 257, '\0'))));
  files.add("pixels_missing", png(100, 100, 8, 0, row));
  files.add("no_pixels", std::string(kPngMagic) +
                             chunk("IHDR", big(2, 4) + big(1, 4) + std::string("\x08\0\0\0\0", 5)) +
                             chunk("IEND", ""));
  files.add("chunk_of_2_gib",
            std::string(kPngMagic) + big(0x7FFFFFFF, 4) + "IHDR" + std::string(20, '\0'));
  std::string damaged = png(2, 1, 8, 0, row);
  damaged[kPngMagic.size() + 9] ^= 1;
  files.add("checksum", damaged);
  files.add("cut", png(2, 1, 8, 0, row).substr(0, 40));
  return files.take();
}

// --- IDX

/// Each is the training pictures of an archive whose labels are good.
std::vector<HostileFile> idx_files() {
  Files files("");
  const auto header = [](int code, const std::vector<uint64_t>& dims) {
    std::string bytes =
        std::string(2, '\0') + static_cast<char>(code) + static_cast<char>(dims.size());
    for (const uint64_t dim : dims) bytes += big(dim, 4);
    return bytes;
  };
  const std::string pictures(2 * 784, '\1');
  const uint64_t most = 0xFFFFFFFF;
  files.add("nothing", "");
  files.add("magic_cut", std::string(3, '\0'));
  files.add("png", "\x89PNG");
  files.add("code_9", header(9, {2, 28, 28}) + pictures);
  files.add("rank_0", header(8, {}) + pictures);
  files.add("rank_1", header(8, {2 * 784}) + pictures);
  files.add("rank_9", header(8, {1, 1, 1, 1, 1, 1, 2, 28, 28}) + pictures);
  files.add("rank_255", std::string(2, '\0') + "\x08\xFF" + pictures);
  files.add("sizes_cut", header(8, {2, 28, 28}).substr(0, 10));
  files.add("all_bits", header(8, {most, most, most}) + pictures);
  files.add("wrapping", header(8, {uint64_t{1} << 31, uint64_t{1} << 31, 4}) + pictures);
  files.add("wrapping_8_axes", header(14, std::vector<uint64_t>(8, most)) + pictures);
  files.add("empty_but_overflowing", header(8, {0, most, most, most, most, most}));
  files.add("no_rows", header(8, {0, 28, 28}));
  files.add("one_row_more", header(8, {3, 28, 28}) + pictures);
  files.add("one_row_less", header(8, {1, 28, 28}) + pictures);
  files.add("billion_rows", header(8, {1'000'000'000, 28, 28}) + pictures);
  files.add("gzip_cut", gzip(header(8, {2, 28, 28}) + pictures).substr(0, 30));
  files.add("gzip_of_noise", "\x1F\x8B\x08" + std::string(500, '\x5A'));
  files.add("gzip_of_too_little", gzip(header(8, {2, 28, 28}) + pictures.substr(1)));
  files.add("gzip_bomb", gzip(header(8, {2, 28, 28}) + std::string(100'000'000, '\0')));
  files.add("gzip_promises_much", gzip(header(8, {most, most, 1}) + pictures));
  std::string checksum = gzip(header(8, {2, 28, 28}) + pictures);
  checksum[checksum.size() - 8] = static_cast<char>(checksum[checksum.size() - 8] ^ 1);
  files.add("gzip_checksum", checksum);
  files.add("gzip_and_noise", gzip(header(8, {2, 28, 28}) + pictures) + "noise");
  return files.take();
}

}  // namespace

std::vector<HostileFormat> hostile_formats() {
  const auto with = [](std::vector<std::string> before, std::vector<std::string> after = {}) {
    return [before, after](const std::string& path) {
      std::vector<std::string> arguments = before;
      arguments.push_back(path);
      arguments.insert(arguments.end(), after.begin(), after.end());
      return arguments;
    };
  };
  return {
      {"safetensors", with({"weights"}), safetensors_files()},
      {"json", with({"weights"}), json_files()},
      {"npz_weights",
       with({"eval", model_path("reference/d1.grad"), "--cache", temporary_path("cache"),
             "--weights"}),
       npz_weight_files()},
      {"npz", with({"data"}), npz_files("x")},
      {"npy", with({"data"}), npy_files()},
      {"png", with({"data"}), png_files()},
      {"idx", with({"data"}), idx_files()},
      {"csv", with({"data"}), hostile_csv_files()},
      {"text", with({"data"}), hostile_text_files()},
      {"model", with({"check"}), hostile_model_files()},
      {"graph", with({"check"}), hostile_graph_files()},
      {"log", with({"plot", "--log"}, {"-o", temporary_path("curves.svg")}), hostile_log_files()},
  };
}

}  // namespace gradc
