// Plain reads and zlib's inflate behind one read().
#include "runtime/data/byte_stream.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/core/error.h"
#include "runtime/input_file.h"

namespace gradc {
namespace {

constexpr size_t kInputBytes = size_t{1} << 17;

[[noreturn]] void throw_damaged(const std::string& path, const std::string& reason) {
  throw Error(ExitCode::ModelOrData, "E0914",
              fmt::format("the gzip data of `{}` is damaged: {}", path, reason));
}

}  // namespace

struct ByteStream::State {
  InputFile file;
  bool is_gzip = false;
  bool is_inflating = false;
  bool between_members = false;
  bool at_end = false;
  z_stream inflater{};
  std::vector<std::byte> input;
  size_t input_begin = 0;
  size_t input_end = 0;

  explicit State(const std::string& path) : file(path) {}
  ~State() {
    if (is_inflating) inflateEnd(&inflater);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  bool fill_input();
  void start_inflating();
  size_t inflate_some(std::span<std::byte> buffer);
  size_t copy_some(std::span<std::byte> buffer);
};

bool ByteStream::State::fill_input() {
  if (input_begin < input_end) return true;
  input_begin = 0;
  input_end = file.read(input);
  return input_end > 0;
}

void ByteStream::State::start_inflating() {
  constexpr int kGzipWindow = 15 + 16;
  if (inflateInit2(&inflater, kGzipWindow) != Z_OK)
    throw Error(ExitCode::InputOutput, "E0802", "no memory to inflate gzip data");
  is_inflating = true;
}

size_t ByteStream::State::inflate_some(std::span<std::byte> buffer) {
  if (!fill_input()) {
    if (!between_members) throw_damaged(file.path(), "it ends early; is the file complete?");
    at_end = true;
    return 0;
  }
  if (between_members) {
    inflateReset(&inflater);
    between_members = false;
  }
  const size_t wanted = std::min(buffer.size(), size_t{1} << 30);
  inflater.next_in = reinterpret_cast<Bytef*>(input.data() + input_begin);
  inflater.avail_in = static_cast<uInt>(input_end - input_begin);
  inflater.next_out = reinterpret_cast<Bytef*>(buffer.data());
  inflater.avail_out = static_cast<uInt>(wanted);
  const int result = inflate(&inflater, Z_NO_FLUSH);
  input_begin = input_end - inflater.avail_in;
  if (result == Z_STREAM_END) {
    between_members = true;
  } else if (result != Z_OK && result != Z_BUF_ERROR) {
    throw_damaged(file.path(), inflater.msg != nullptr ? inflater.msg : "no gzip data follows");
  }
  return wanted - inflater.avail_out;
}

size_t ByteStream::State::copy_some(std::span<std::byte> buffer) {
  if (input_begin < input_end) {
    const size_t count = std::min(buffer.size(), input_end - input_begin);
    std::memcpy(buffer.data(), input.data() + input_begin, count);
    input_begin += count;
    return count;
  }
  const size_t count = file.read(buffer);
  at_end = count < buffer.size();
  return count;
}

ByteStream::ByteStream(const std::string& path) : state_(std::make_unique<State>(path)) {
  // A byte more than a small file has, so that its end shows.
  state_->input.resize(std::min(kInputBytes, static_cast<size_t>(state_->file.size()) + 1));
  state_->fill_input();
  state_->is_gzip = state_->input_end >= 2 && state_->input[0] == std::byte{0x1F} &&
                    state_->input[1] == std::byte{0x8B};
  if (state_->is_gzip) state_->start_inflating();
}
ByteStream::~ByteStream() = default;
ByteStream::ByteStream(ByteStream&&) noexcept = default;
ByteStream& ByteStream::operator=(ByteStream&&) noexcept = default;

size_t ByteStream::read(std::span<std::byte> buffer) {
  size_t done = 0;
  while (done < buffer.size() && !state_->at_end) {
    const auto rest = buffer.subspan(done);
    done += state_->is_gzip ? state_->inflate_some(rest) : state_->copy_some(rest);
  }
  return done;
}

const std::string& ByteStream::path() const { return state_->file.path(); }
bool ByteStream::is_gzip() const { return state_->is_gzip; }
int64_t ByteStream::file_size() const { return state_->file.size(); }
int64_t ByteStream::size_limit() const {
  return state_->is_gzip ? state_->file.size() * kDeflateExpansion : state_->file.size();
}

}  // namespace gradc
