// Compressed bytes for tests of readers.
#pragma once
#include <zlib.h>

#include <stdexcept>
#include <string>

namespace gradc::testing {

/// `bytes` as a deflate stream; `window_bits` as zlib means them: -15 without a header (zip), 31
/// with that of gzip.
inline std::string deflated(const std::string& bytes, int window_bits) {
  z_stream stream = {};
  if (deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib starts no stream");
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("zlib ends no stream");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace gradc::testing
