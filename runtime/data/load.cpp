// The table of data formats.
#include "runtime/data/load.h"

#include <cmath>
#include <filesystem>

#include "runtime/data/csv.h"
#include "runtime/data/digits.h"
#include "runtime/data/images.h"
#include "runtime/data/mnist.h"
#include "runtime/data/noise.h"
#include "runtime/data/npy.h"
#include "runtime/data/puzzles.h"
#include "runtime/data/text.h"

namespace gradc {
namespace {

constexpr double kLargestWindow = 1 << 20;
constexpr double kMostRows = 1 << 24;

constexpr DataOption kTextOptions[] = {{"window", OptionKind::Count, 2, kLargestWindow},
                                       {"stride", OptionKind::Count, 1, kLargestWindow},
                                       {"test", OptionKind::Share}};
constexpr DataOption kCsvOptions[] = {{"categories", OptionKind::Names},
                                      {"features", OptionKind::Names},
                                      {"test", OptionKind::Share}};
constexpr DataOption kShareOptions[] = {{"test", OptionKind::Share}};
constexpr DataOption kNoiseOptions[] = {{"rows", OptionKind::Count, 1, kMostRows}};

constexpr DataFormat kFormats[] = {
    {"digits", "rendered handwriting-like digits, 60000 + 10000 of 28 x 28", nullptr,
     [](const DataSource&) { return make_digits(); },
     [](const DataSource&) { return describe_digits(); }},
    {"xor", "the four rows of exclusive or", nullptr, [](const DataSource&) { return make_xor(); },
     [](const DataSource&) { return describe(make_xor()); }},
    {"fizzbuzz", "fizz buzz of 101 to 1023, tested on 1 to 100", nullptr,
     [](const DataSource&) { return make_fizzbuzz(); },
     [](const DataSource&) { return describe(make_fizzbuzz()); }},
    {"noise", "uniform random numbers in the shapes of the model's inputs", nullptr, make_noise,
     describe_noise, kNoiseOptions, true},
    {"mnist", "a folder with the IDX files of the MNIST archive", is_mnist_folder,
     [](const DataSource& source) { return load_mnist(source.path); },
     [](const DataSource& source) { return describe_mnist(source.path); }},
    {"text", "a .txt file, cut into windows of bytes", is_text_file, load_text, describe_text,
     kTextOptions},
    {"csv", "a .csv file with a header", is_csv_file, load_csv, describe_csv, kCsvOptions},
    {"npz", "a .npz archive of NumPy arrays", is_npz_file, load_npz, describe_npz, kShareOptions},
    {"npy", "a .npy file, one NumPy array", is_npy_file, load_npy, describe_npy, kShareOptions},
    {"images", "a folder of folders of PNG pictures, one for each class", is_image_folder,
     load_images, describe_images, kShareOptions},
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

/// Empty where the value is right.
std::string fault_of(const DataOption& option, const OptionValue& value) {
  const double* number = std::get_if<double>(&value);
  switch (option.kind) {
    case OptionKind::Share:
      return number != nullptr && *number >= 0 && *number < 1 ? "" : "a share from 0 to below 1";
    case OptionKind::Count:
      return number != nullptr && *number == std::floor(*number) && *number >= option.least &&
                     *number <= option.most
                 ? ""
                 : fmt::format("a whole number from {} to {}", option.least, option.most);
    case OptionKind::Names:
      return std::holds_alternative<std::vector<std::string>>(value) ? "" : "a list of strings";
  }
  CHECK(false, "an option of no kind");
}

void check_options(const DataFormat& format, const DataSource& source) {
  for (const auto& [name, value] : source.options) {
    const DataOption* known = nullptr;
    std::string names;
    for (const DataOption& option : format.options) {
      if (option.name == name) known = &option;
      names += fmt::format("{}{}", names.empty() ? "" : ", ", option.name);
    }
    if (known == nullptr)
      throw_source(fmt::format("the data `{}` has no option `{}`; it has {}", source.kind, name,
                               names.empty() ? "none" : names));
    if (const std::string wanted = fault_of(*known, value); !wanted.empty())
      throw_source(
          fmt::format("the option `{}` of the data `{}` is {}", name, source.kind, wanted));
  }
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
  check_options(*format, source);
  return *format;
}

/// The format that recognizes a path; nullptr where none does.
const DataFormat* recognize(const std::string& path) {
  for (const DataFormat& format : kFormats)
    if (!format.is_built_in() && format.recognizes(path)) return &format;
  return nullptr;
}

}  // namespace

std::span<const DataFormat> data_formats() { return kFormats; }

const DataFormat* find_data_format(std::string_view kind) {
  for (const DataFormat& format : kFormats)
    if (format.kind == kind) return &format;
  return nullptr;
}

DataSource parse_data_source(const std::string& text) {
  const DataFormat* named = find_data_format(text);
  if (named != nullptr && named->is_built_in()) return {text, {}};
  std::error_code ignored;
  if (is_data_call(text) && !std::filesystem::exists(text, ignored)) {
    DataSource source = parse_data_call(text);
    format_of(source);
    return source;
  }
  if (!std::filesystem::exists(text, ignored))
    throw Error(ExitCode::InputOutput, "E0911",
                fmt::format("`{}` is neither built-in data nor a file or folder\n  built in: {}",
                            text, built_in_names()));
  if (const DataFormat* format = recognize(text)) return {std::string(format->kind), text};
  throw_source(
      fmt::format("`{}` holds no data of a known format; known are:{}", text, accepted_paths()));
}

DataSource replace_data_source(const DataSource& own, const std::string& text) {
  std::error_code ignored;
  const bool is_plain_file = std::filesystem::is_regular_file(text, ignored);
  if (own.kind == "text" && is_plain_file && recognize(text) == nullptr)
    return {own.kind, text, own.options};
  DataSource source = parse_data_source(text);
  if (source.kind == own.kind && source.options.empty()) source.options = own.options;
  return source;
}

bool fits_model(const DataSource& source) { return format_of(source).fits_model; }

DataSplit open_data(const DataSource& source) { return format_of(source).load(source); }

DataSplit load_data(const DataSource& source) {
  DataSplit data = open_data(source);
  data.train.fill();
  if (data.test) data.test->fill();
  return data;
}

DataDescription describe_data(const DataSource& source) {
  return format_of(source).describe(source);
}

}  // namespace gradc
