// Which array of an archive is which field of which part.
#include <algorithm>

#include "runtime/data/npy.h"
#include "runtime/data/split.h"
#include "runtime/data/zip_archive.h"
#include "runtime/printable.h"

namespace gradc {
namespace {

constexpr std::string_view kEnding = ".npy";
constexpr std::string_view kTrain = "_train";
constexpr std::string_view kTest = "_test";

std::string without(const std::string& name, std::string_view ending) {
  return name.substr(0, name.size() - ending.size());
}

/// An array in the archive, not read yet.
class Member {
 public:
  Member(const ZipArchive& archive, const ZipMember& member)
      : stream_(std::make_unique<ZipStream>(archive, member)),
        array_(
            archive.path() + ":" + member.name,
            [stream = stream_.get()](std::span<std::byte> buffer) { return stream->read(buffer); },
            member.bytes) {
    array_.require_rows();
    name_ = member.name.ends_with(kEnding) ? without(member.name, kEnding) : member.name;
    is_test_ = name_.size() > kTest.size() && name_.ends_with(kTest);
    if (is_test_) name_ = without(name_, kTest);
    if (!is_test_ && name_.size() > kTrain.size() && name_.ends_with(kTrain))
      name_ = without(name_, kTrain);
  }

  const std::string& name() const { return name_; }
  bool is_test() const { return is_test_; }
  int64_t rows() const { return array_.type().shape[0]; }
  Type row_type() const {
    const auto& dims = array_.type().shape.dims();
    return {array_.type().dtype, Shape(std::vector<int64_t>(dims.begin() + 1, dims.end()))};
  }
  Tensor read() { return array_.read(); }

 private:
  std::unique_ptr<ZipStream> stream_;
  NpyArray array_;
  std::string name_;
  bool is_test_ = false;
};

/// The arrays of both parts, checked against each other by their headers.
class NpzFile {
 public:
  explicit NpzFile(const DataSource& source) : source_(source), archive_(source.path) {
    for (const ZipMember& member : archive_.members()) {
      Member opened(archive_, member);
      (opened.is_test() ? test_ : train_).push_back(std::move(opened));
    }
    check();
  }

  DataDescription describe() const {
    DataDescription description{"npz", {}, train_.front().rows(), std::nullopt};
    for (const Member& member : train_)
      description.fields.push_back({member.name(), member.row_type()});
    if (!test_.empty()) {
      description.test_rows = test_.front().rows();
      return description;
    }
    hold_out(description, share(), source_.path);
    return description;
  }

  DataSplit read() {
    const Dataset train = read_part(train_);
    if (!test_.empty()) return {train, read_part(test_)};
    return hold_out(train, share(), source_.path);
  }

 private:
  double share() const { return source_.number("test", 0); }

  [[noreturn]] void refuse(const std::string& reason) const {
    throw Error(ExitCode::ModelOrData, "E0915", fmt::format("`{}`: {}", source_.path, reason));
  }

  static const Member* find(const std::vector<Member>& part, const std::string& name) {
    const auto found = std::find_if(part.begin(), part.end(),
                                    [&](const Member& member) { return member.name() == name; });
    return found == part.end() ? nullptr : &*found;
  }

  void check() const {
    if (train_.empty()) refuse("it has no array to train on");
    for (const std::vector<Member>* part : {&train_, &test_})
      for (const Member& member : *part) {
        const std::string shown = printable(member.name());
        if (find(*part, member.name()) != &member)
          refuse(fmt::format("there are two arrays for the field `{}`", shown));
        if (member.rows() != part->front().rows())
          refuse(fmt::format("`{}` has {} rows, `{}` has {}", printable(part->front().name()),
                             part->front().rows(), shown, member.rows()));
        if (member.rows() == 0) refuse("it has no rows");
        if (test_.empty()) continue;
        const Member* other = find(part == &train_ ? test_ : train_, member.name());
        if (other == nullptr)
          refuse(fmt::format("`{}` has no {} rows, other fields have", shown,
                             part == &train_ ? "test" : "training"));
        if (other->row_type() != member.row_type())
          refuse(fmt::format("a row of `{}` is {} and, in the other part, {}", shown,
                             to_string(member.row_type()), to_string(other->row_type())));
      }
    if (!test_.empty() && share() > 0)
      refuse("it has test rows of its own, so `test` is not to be given");
  }

  static Dataset read_part(std::vector<Member>& part) {
    Dataset dataset{"npz", {}};
    for (Member& member : part) dataset.fields.push_back({member.name(), member.read()});
    return dataset;
  }

  const DataSource& source_;
  ZipArchive archive_;
  std::vector<Member> train_;
  std::vector<Member> test_;
};

}  // namespace

DataSplit load_npz(const DataSource& source) { return NpzFile(source).read(); }

DataDescription describe_npz(const DataSource& source) { return NpzFile(source).describe(); }

}  // namespace gradc
