// The table of data formats.
#include "runtime/data/load.h"

#include <filesystem>

#include "runtime/data/digits.h"
#include "runtime/data/mnist.h"
#include "runtime/data/puzzles.h"

namespace gradc {
namespace {

constexpr DataFormat kFormats[] = {
    {"digits", "rendered handwriting-like digits, 60000 + 10000 of 28 x 28", nullptr,
     [](const std::string&) { return make_digits(); },
     [](const std::string&) { return describe_digits(); }},
    {"xor", "the four rows of exclusive or", nullptr, [](const std::string&) { return make_xor(); },
     [](const std::string&) { return describe(make_xor()); }},
    {"fizzbuzz", "fizz buzz of 101 to 1023, tested on 1 to 100", nullptr,
     [](const std::string&) { return make_fizzbuzz(); },
     [](const std::string&) { return describe(make_fizzbuzz()); }},
    {"mnist", "a folder with the IDX files of the MNIST archive", is_mnist_folder, load_mnist,
     describe_mnist},
};

std::string built_in_names() {
  std::string names;
  for (const DataFormat& format : kFormats)
    if (format.is_built_in()) names += fmt::format("{}{}", names.empty() ? "" : ", ", format.kind);
  return names;
}

std::string accepted_paths() {
  std::string lines;
  for (const DataFormat& format : kFormats)
    if (!format.is_built_in()) lines += fmt::format("\n  {}: {}", format.kind, format.summary);
  return lines;
}

[[noreturn]] void throw_source(const std::string& message) {
  throw Error(ExitCode::ModelOrData, "E0910", message);
}

/// The format of a source, which must be a possible one.
const DataFormat& format_of(const DataSource& source) {
  const DataFormat* format = find_data_format(source.kind);
  if (format == nullptr)
    throw_source(fmt::format("unknown data `{}`\n  built in: {}\n  from files:{}", source.kind,
                             built_in_names(), accepted_paths()));
  if (format->is_built_in() && !source.path.empty())
    throw_source(fmt::format("the data `{}` is built in and takes no path", source.kind));
  if (!format->is_built_in() && source.path.empty())
    throw_source(fmt::format("the data `{}` needs the path of {}", source.kind, format->summary));
  return *format;
}

}  // namespace

std::span<const DataFormat> data_formats() { return kFormats; }

const DataFormat* find_data_format(std::string_view kind) {
  for (const DataFormat& format : kFormats)
    if (format.kind == kind) return &format;
  return nullptr;
}

DataSource parse_data_argument(const std::string& text) {
  const DataFormat* named = find_data_format(text);
  if (named != nullptr && named->is_built_in()) return {text, {}};
  std::error_code ignored;
  if (!std::filesystem::exists(text, ignored))
    throw Error(ExitCode::InputOutput, "E0911",
                fmt::format("`{}` is neither built-in data nor a file or folder\n  built in: {}",
                            text, built_in_names()));
  for (const DataFormat& format : kFormats)
    if (!format.is_built_in() && format.recognizes(text)) return {std::string(format.kind), text};
  throw_source(
      fmt::format("`{}` holds no data of a known format; known are:{}", text, accepted_paths()));
}

DataSplit load_data(const DataSource& source) { return format_of(source).load(source.path); }

DataDescription describe_data(const DataSource& source) {
  return format_of(source).describe(source.path);
}

}  // namespace gradc
