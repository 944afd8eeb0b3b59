// Names, the lock, and reading back.
#include "runtime/commands/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/atomic_file.h"
#include "runtime/core/error.h"
#include "runtime/core/signal_safe.h"
#include "runtime/data/whole_file.h"

namespace gradc {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kSuffix = ".safetensors";
/// What temporary names of AtomicFile begin with here.
constexpr std::string_view kOurNames[] = {kPrefix, "best.", "run.json.", "log.jsonl.",
                                          "metrics.csv."};
/// Behind the name of a checkpoint that could not be read.
constexpr const char* kDamaged = ".damaged";

[[noreturn]] void cannot(const char* action, const std::string& path, int reason) {
  throw Error(ExitCode::InputOutput, "E0922",
              fmt::format("cannot {} `{}`: {}", action, path, std::strerror(reason)));
}

bool is_checkpoint_name(const std::string& name) {
  if (name.size() <= kPrefix.size() + kSuffix.size() || !name.starts_with(kPrefix) ||
      !name.ends_with(kSuffix))
    return false;
  const std::string digits =
      name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  return std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Plain files of the folder that `is_wanted` by their names.
std::vector<std::string> names_in(const std::string& folder,
                                  const std::function<bool(const std::string&)>& is_wanted) {
  std::vector<std::string> names;
  std::error_code fault;
  for (auto entry = fs::directory_iterator(folder, fault);
       !fault && entry != fs::directory_iterator(); entry.increment(fault)) {
    const std::string name = entry->path().filename().string();
    if (is_wanted(name)) names.push_back(name);
  }
  if (fault) cannot("read the folder", folder, fault.value());
  return names;
}

}  // namespace

LogFile::LogFile(const std::string& path) : path_(path) { open(); }

LogFile::~LogFile() { close(file_); }

void LogFile::open() {
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0666);
  if (file_ < 0) fail();
  struct stat status {};
  is_empty_ = fstat(file_, &status) != 0 || status.st_size == 0;
}

void LogFile::fail() const { cannot("write", path_, errno); }

void LogFile::append(const std::string& line) {
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t count = write(file_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail();
    rest.remove_prefix(static_cast<size_t>(count));
  }
  is_empty_ = false;
}

void LogFile::filter(const std::function<bool(const std::string&)>& is_kept) {
  const std::string text = read_whole(path_);
  std::string kept;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    const std::string line = text.substr(begin, end - begin);
    if (is_kept(line)) kept += line + "\n";
    begin = end + 1;
  }
  if (kept == text) return;
  write_file(path_, std::as_bytes(std::span(kept)));
  close(std::exchange(file_, -1));
  open();
}

RunFolder::RunFolder(const std::string& path) : path_(path) {
  std::error_code fault;
  fs::create_directories(path_, fault);
  if (fault || !fs::is_directory(path_))
    cannot("make the folder", path_, fault ? fault.value() : ENOTDIR);
  lock();
}

RunFolder::~RunFolder() { close(lock_); }

/// The system gives the lock back when the process ends, however that is.
void RunFolder::lock() {
  const std::string name = file("lock");
  lock_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) cannot("write", name, errno);
  if (flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  const int reason = errno;
  close(lock_);
  if (reason != EWOULDBLOCK) cannot("lock", name, reason);
  throw Error(ExitCode::InputOutput, "E0932",
              fmt::format("another run works in `{}`; give this one a folder of its own", path_));
}

std::string RunFolder::checkpoint(int64_t steps) const {
  return file(fmt::format("{}{:09}{}", kPrefix, steps, kSuffix));
}

std::optional<nlohmann::ordered_json> RunFolder::description() const {
  const std::string name = file("run.json");
  if (!fs::exists(name)) return std::nullopt;
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(read_whole(name), nullptr, false);
  if (!json.is_object())
    throw Error(ExitCode::ModelOrData, "E0933",
                fmt::format("`{}` is no description of a run", name));
  return json;
}

void RunFolder::describe(const nlohmann::ordered_json& description) const {
  const std::string text =
      description.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  write_file(file("run.json"), std::as_bytes(std::span(text)));
}

std::vector<std::string> RunFolder::checkpoints() const {
  std::vector<std::string> names = names_in(path_, is_checkpoint_name);
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::pair(a.size(), a) > std::pair(b.size(), b);
  });
  return names;
}

std::optional<RunFolder::Checkpoint> RunFolder::newest_checkpoint() const {
  const std::vector<std::string> names = checkpoints();
  for (const std::string& name : names) {
    try {
      return Checkpoint{file(name), read_safetensors(file(name))};
    } catch (const Error& fault) {
      if (fault.code() != "E0921" && fault.code() != "E0911") throw;
      say(fmt::format("note: {}; the checkpoint before it is taken\n", fault.what()));
    }
  }
  if (!names.empty())
    throw Error(ExitCode::ModelOrData, "E0933",
                fmt::format("none of the {} checkpoints in `{}` can be read", names.size(), path_));
  return std::nullopt;
}

std::optional<RunFolder::Checkpoint> RunFolder::newest_due_checkpoint() const {
  for (const std::string& name : checkpoints()) {
    Checkpoint checkpoint{file(name), read_safetensors(file(name))};
    if (checkpoint.content.metadata.contains(kIsDue)) return checkpoint;
  }
  return std::nullopt;
}

void RunFolder::clear_after(const Checkpoint& taken, Newer newer) const {
  std::error_code ignored;
  for (const std::string& name : checkpoints()) {
    if (file(name) == taken.path) return;
    if (newer == Newer::Damaged)
      fs::rename(file(name), file(name) + kDamaged, ignored);
    else
      fs::remove(file(name), ignored);
  }
}

void RunFolder::tidy(int64_t keep, const std::string& kept) const {
  std::error_code ignored;
  const auto is_left_over = [](const std::string& name) {
    return name.ends_with(".tmp") &&
           std::any_of(std::begin(kOurNames), std::end(kOurNames),
                       [&](std::string_view ours) { return name.starts_with(ours); });
  };
  for (const std::string& name : names_in(path_, is_left_over)) fs::remove(file(name), ignored);
  const std::vector<std::string> names = checkpoints();
  for (size_t i = static_cast<size_t>(keep); keep > 0 && i < names.size(); ++i)
    if (file(names[i]) != kept) fs::remove(file(names[i]), ignored);
}

}  // namespace gradc
