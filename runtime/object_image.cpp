// Layout of the mapping: sections of code, then stubs that jump to external functions; from the
// next page on sections of constants, then slots with addresses (the global offset table).
#include "runtime/object_image.h"

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "runtime/core/error.h"

namespace gradc {
namespace {

/// Larger than any program's code; keeps sums of sizes far from overflow.
constexpr uint64_t kMostBytes = uint64_t{1} << 30;
/// jmp *0(%rip) and the address behind it.
constexpr std::array<unsigned char, 6> kJump = {0xFF, 0x25, 0, 0, 0, 0};
constexpr uint64_t kStubBytes = 16;
constexpr uint64_t kSlotBytes = sizeof(uint64_t);

[[noreturn]] void refuse(const std::string& reason) {
  throw Error(ExitCode::InputOutput, "E0923", "object code is not usable: " + reason);
}
void require(bool condition, const char* reason) {
  if (!condition) refuse(reason);
}

uint64_t page_bytes() {
  static const auto bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}
uint64_t rounded_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

/// The object's bytes, read with bounds checked.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {
    require(bytes.size() <= kMostBytes, "it is too large");
  }

  std::span<const std::byte> part(uint64_t offset, uint64_t size) const {
    require(offset <= bytes_.size() && size <= bytes_.size() - offset, "it is truncated");
    return bytes_.subspan(offset, size);
  }
  template <typename T>
  T read(uint64_t offset) const {
    T value;
    std::memcpy(&value, part(offset, sizeof(T)).data(), sizeof(T));
    return value;
  }
  template <typename T>
  std::vector<T> read_table(const Elf64_Shdr& section) const {
    require(section.sh_entsize == sizeof(T) && section.sh_size % sizeof(T) == 0,
            "a table has entries of another size");
    const auto bytes = part(section.sh_offset, section.sh_size);
    std::vector<T> table(bytes.size() / sizeof(T));
    if (!table.empty()) std::memcpy(table.data(), bytes.data(), bytes.size());
    return table;
  }

 private:
  std::span<const std::byte> bytes_;
};

class Mapping {
 public:
  explicit Mapping(uint64_t bytes) : bytes_(bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(memory != MAP_FAILED, "there is no memory for it");
    memory_ = static_cast<std::byte*>(memory);
  }
  ~Mapping() { munmap(memory_, bytes_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::byte* at(uint64_t offset) const { return memory_ + offset; }
  uint64_t address(uint64_t offset) const { return reinterpret_cast<uint64_t>(memory_) + offset; }
  void protect(uint64_t begin, uint64_t end, int protection) const {
    if (begin == end) return;
    require(mprotect(memory_ + begin, end - begin, protection) == 0,
            "the system does not allow new code");
  }

 private:
  std::byte* memory_ = nullptr;
  uint64_t bytes_;
};

}  // namespace

struct ObjectImage::State {
  std::unique_ptr<Mapping> mapping;
  std::map<std::string, uint64_t> functions;  // offsets
};

namespace {

class Loader {
 public:
  Loader(std::span<const std::byte> object, std::span<const ExternalFunction> externals)
      : reader_(object), externals_(externals) {}

  void load(std::unique_ptr<Mapping>& mapping, std::map<std::string, uint64_t>& functions) {
    read_headers();
    read_symbols();
    place();
    mapping = std::make_unique<Mapping>(total_bytes_);
    copy(*mapping);
    for (const Elf64_Shdr& section : sections_) {
      require(section.sh_type != SHT_REL, "it has relocations without addends");
      if (section.sh_type == SHT_RELA) relocate(*mapping, section);
    }
    mapping->protect(0, constants_begin_, PROT_READ | PROT_EXEC);
    mapping->protect(constants_begin_, total_bytes_, PROT_READ);
    functions = std::move(functions_);
  }

 private:
  void read_headers();
  void read_symbols();
  void place();
  void copy(const Mapping& mapping);
  void relocate(const Mapping& mapping, const Elf64_Shdr& table);
  void relocate_one(const Mapping& mapping, uint64_t section, const Elf64_Rela& entry);
  uint64_t resolve(const Mapping& mapping, uint32_t symbol) const;
  uint64_t stub(const Mapping& mapping, uint32_t symbol) const;
  uint64_t slot(const Mapping& mapping, uint32_t symbol) const;
  bool is_external(uint32_t symbol) const { return symbols_[symbol].st_shndx == SHN_UNDEF; }

  /// Part of the image? Unwind tables are not: nothing is thrown through kernels.
  static bool is_loaded(const Elf64_Shdr& section) {
    return (section.sh_flags & SHF_ALLOC) != 0 && section.sh_type == SHT_PROGBITS &&
           section.sh_size > 0;
  }
  std::string name_at(uint64_t table, uint64_t offset) const;

  const Reader reader_;
  const std::span<const ExternalFunction> externals_;
  std::vector<Elf64_Shdr> sections_;
  std::vector<std::string> section_names_;
  std::vector<std::optional<uint64_t>> places_;  // by section: the offset in the mapping
  std::vector<Elf64_Sym> symbols_;
  std::vector<std::string> symbol_names_;
  std::map<std::string, uint64_t> functions_;
  uint64_t stubs_begin_ = 0;
  uint64_t constants_begin_ = 0;
  uint64_t slots_begin_ = 0;
  uint64_t total_bytes_ = 0;
};

std::string Loader::name_at(uint64_t table, uint64_t offset) const {
  require(table < sections_.size() && sections_[table].sh_type == SHT_STRTAB, "a name is nowhere");
  const auto text = reader_.part(sections_[table].sh_offset, sections_[table].sh_size);
  require(offset < text.size(), "a name is out of bounds");
  const auto* begin = reinterpret_cast<const char*>(text.data()) + offset;
  const size_t length = strnlen(begin, text.size() - offset);
  require(length < text.size() - offset, "a name has no end");
  return {begin, length};
}

void Loader::read_headers() {
  const auto header = reader_.read<Elf64_Ehdr>(0);
  require(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0, "it is no ELF file");
  require(header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
              header.e_machine == EM_X86_64 && header.e_type == ET_REL,
          "it is no relocatable object for x86-64");
  require(header.e_shentsize == sizeof(Elf64_Shdr), "its sections have headers of another size");
  for (uint64_t i = 0; i < header.e_shnum; ++i)
    sections_.push_back(reader_.read<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr)));
  for (const Elf64_Shdr& section : sections_)
    section_names_.push_back(name_at(header.e_shstrndx, section.sh_name));
}

void Loader::read_symbols() {
  for (const Elf64_Shdr& section : sections_) {
    if (section.sh_type != SHT_SYMTAB) continue;
    require(symbols_.empty(), "it has two symbol tables");
    symbols_ = reader_.read_table<Elf64_Sym>(section);
    for (const Elf64_Sym& symbol : symbols_)
      symbol_names_.push_back(name_at(section.sh_link, symbol.st_name));
  }
}

void Loader::place() {
  places_.resize(sections_.size());
  uint64_t end = 0;
  const auto place_sections = [&](bool is_code) {
    for (size_t i = 0; i < sections_.size(); ++i) {
      const Elf64_Shdr& section = sections_[i];
      if (!is_loaded(section) || section_names_[i] == ".eh_frame") continue;
      require((section.sh_flags & (SHF_WRITE | SHF_TLS)) == 0, "it has variables");
      if (((section.sh_flags & SHF_EXECINSTR) != 0) != is_code) continue;
      const uint64_t unit = std::max<uint64_t>(section.sh_addralign, 1);
      require((unit & (unit - 1)) == 0 && unit <= page_bytes(), "a section is aligned strangely");
      require(section.sh_size <= kMostBytes, "a section is too large");
      end = rounded_up(end, unit);
      places_[i] = end;
      end += section.sh_size;
      require(end <= kMostBytes, "it is too large");
    }
  };
  for (const Elf64_Shdr& section : sections_)
    require(section.sh_type != SHT_NOBITS || (section.sh_flags & SHF_ALLOC) == 0 ||
                section.sh_size == 0,
            "it has variables");
  place_sections(true);
  stubs_begin_ = rounded_up(end, kStubBytes);
  constants_begin_ = rounded_up(stubs_begin_ + symbols_.size() * kStubBytes, page_bytes());
  end = constants_begin_;
  place_sections(false);
  slots_begin_ = rounded_up(end, kSlotBytes);
  total_bytes_ = rounded_up(slots_begin_ + symbols_.size() * kSlotBytes, page_bytes());
  require(total_bytes_ > 0 && total_bytes_ <= kMostBytes, "it is empty or too large");
}

void Loader::copy(const Mapping& mapping) {
  for (size_t i = 0; i < sections_.size(); ++i) {
    if (!places_[i]) continue;
    const auto bytes = reader_.part(sections_[i].sh_offset, sections_[i].sh_size);
    std::memcpy(mapping.at(*places_[i]), bytes.data(), bytes.size());
  }
  for (size_t i = 0; i < symbols_.size(); ++i) {
    const Elf64_Sym& symbol = symbols_[i];
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || ELF64_ST_BIND(symbol.st_info) == STB_LOCAL ||
        is_external(static_cast<uint32_t>(i)))
      continue;
    const uint64_t address = resolve(mapping, static_cast<uint32_t>(i));
    require((sections_[symbol.st_shndx].sh_flags & SHF_EXECINSTR) != 0, "a function is no code");
    functions_[symbol_names_[i]] = address - mapping.address(0);
  }
}

uint64_t Loader::resolve(const Mapping& mapping, uint32_t symbol) const {
  require(symbol < symbols_.size(), "a symbol is missing");
  const Elf64_Sym& entry = symbols_[symbol];
  if (is_external(symbol)) {
    for (const ExternalFunction& function : externals_)
      if (function.name == symbol_names_[symbol])
        return reinterpret_cast<uint64_t>(function.address);
    refuse(fmt::format("it calls `{}`", symbol_names_[symbol]));
  }
  require(entry.st_shndx < sections_.size() && places_[entry.st_shndx].has_value(),
          "a symbol is in no section");
  require(entry.st_value <= sections_[entry.st_shndx].sh_size, "a symbol is out of bounds");
  return mapping.address(*places_[entry.st_shndx] + entry.st_value);
}

/// The address of code near the image that goes on to the symbol.
uint64_t Loader::stub(const Mapping& mapping, uint32_t symbol) const {
  const uint64_t address = resolve(mapping, symbol);
  if (!is_external(symbol)) return address;
  const uint64_t offset = stubs_begin_ + symbol * kStubBytes;
  std::memcpy(mapping.at(offset), kJump.data(), kJump.size());
  std::memcpy(mapping.at(offset + kJump.size()), &address, sizeof(address));
  return mapping.address(offset);
}

/// The address of a constant that holds the symbol's address.
uint64_t Loader::slot(const Mapping& mapping, uint32_t symbol) const {
  const uint64_t address = resolve(mapping, symbol);
  const uint64_t offset = slots_begin_ + symbol * kSlotBytes;
  std::memcpy(mapping.at(offset), &address, sizeof(address));
  return mapping.address(offset);
}

void Loader::relocate(const Mapping& mapping, const Elf64_Shdr& table) {
  require(table.sh_info < sections_.size(), "relocations are for no section");
  if (!places_[table.sh_info]) return;
  for (const Elf64_Rela& entry : reader_.read_table<Elf64_Rela>(table))
    relocate_one(mapping, table.sh_info, entry);
}

/// S: the symbol, A: the addend, P: the place that is written (System V ABI for AMD64, table 4.10).
void Loader::relocate_one(const Mapping& mapping, uint64_t section, const Elf64_Rela& entry) {
  const uint64_t type = ELF64_R_TYPE(entry.r_info);
  if (type == R_X86_64_NONE) return;
  const auto symbol = static_cast<uint32_t>(ELF64_R_SYM(entry.r_info));
  require(symbol != 0 && symbol < symbols_.size(), "a relocation is for no symbol");
  const bool is_wide = type == R_X86_64_64 || type == R_X86_64_PC64;
  const uint64_t width = is_wide ? sizeof(uint64_t) : sizeof(uint32_t);
  const uint64_t size = sections_[section].sh_size;
  require(size >= width && entry.r_offset <= size - width, "a relocation is out of bounds");
  const uint64_t place = *places_[section] + entry.r_offset;
  uint64_t value = static_cast<uint64_t>(entry.r_addend);
  switch (type) {
    case R_X86_64_64:  // S + A
      value += resolve(mapping, symbol);
      break;
    case R_X86_64_PC32:  // S + A - P
    case R_X86_64_PC64:
    case R_X86_64_PLT32:
      value += stub(mapping, symbol) - mapping.address(place);
      break;
    case R_X86_64_GOTPCREL:  // the slot of S, + A - P
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX:
      value += slot(mapping, symbol) - mapping.address(place);
      break;
    default:
      refuse(fmt::format("it has a relocation of type {}", type));
  }
  if (!is_wide) {
    const auto distance = static_cast<int64_t>(value);
    require(distance >= std::numeric_limits<int32_t>::min() &&
                distance <= std::numeric_limits<int32_t>::max(),
            "a distance is too large");
  }
  std::memcpy(mapping.at(place), &value, width);
}

}  // namespace

ObjectImage::ObjectImage(std::span<const std::byte> object,
                         std::span<const ExternalFunction> externals)
    : state_(std::make_unique<State>()) {
  Loader(object, externals).load(state_->mapping, state_->functions);
}
ObjectImage::~ObjectImage() = default;
ObjectImage::ObjectImage(ObjectImage&&) noexcept = default;
ObjectImage& ObjectImage::operator=(ObjectImage&&) noexcept = default;

void* ObjectImage::find(const std::string& name) const {
  const auto found = state_->functions.find(name);
  return found == state_->functions.end() ? nullptr : state_->mapping->at(found->second);
}

}  // namespace gradc
