// Stands in for libFuzzer where there is none: replays a folder of inputs, then a fixed number of
// mutations of them. The same folder and number give the same inputs on every machine. An input
// that kills the process is left in the working directory as crash-input.
//
// usage: fuzz_NAME CORPUS RUNS
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// Of a fuzzer that knows better than to change single bytes; null in the others.
extern "C" [[gnu::weak]] size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                                        unsigned int seed);

namespace {

constexpr size_t kMaxInputBytes = 1u << 16;

const std::string* current_input = nullptr;

extern "C" void KeepInput(int signal) {
  const int file = open("crash-input", O_CREAT | O_TRUNC | O_WRONLY, 0644);
  if (file >= 0 && current_input != nullptr) {
    const ssize_t written = write(file, current_input->data(), current_input->size());
    static_cast<void>(written);
    close(file);
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

// SplitMix64: small, and the same everywhere.
class Sequence {
 public:
  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15ull;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  size_t Below(size_t limit) { return limit == 0 ? 0 : Next() % limit; }

 private:
  uint64_t state_ = 1;
};

void MutateOnce(std::string& input, const std::vector<std::string>& seeds, Sequence& sequence) {
  static constexpr std::array<char, 12> kTelling = {'\0', '\n', ' ', '"',  '{',    '}',
                                                    '[',  ']',  '&', '\\', '\x7f', '\xff'};
  const size_t at = sequence.Below(input.size() + 1);
  const size_t length = 1 + sequence.Below(16);
  const std::string& other = seeds[sequence.Below(seeds.size())];
  switch (sequence.Below(6)) {
    case 0:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << sequence.Below(8)));
      break;
    case 1:
      if (at < input.size()) input[at] = kTelling[sequence.Below(kTelling.size())];
      break;
    case 2:
      input.insert(at, 1, kTelling[sequence.Below(kTelling.size())]);
      break;
    case 3:
      input.erase(at, length);
      break;
    case 4:
      input.insert(at, input.substr(at, length));
      break;
    case 5:
      input = input.substr(0, at) + other.substr(sequence.Below(other.size() + 1));
      break;
  }
  if (input.size() > kMaxInputBytes) input.resize(kMaxInputBytes);
}

// What mutations are made from.
struct Source {
  std::vector<std::string> seeds;
  Sequence sequence;
};
Source* source = nullptr;

void Mutate(std::string& input) {
  if (LLVMFuzzerCustomMutator == nullptr) {
    MutateOnce(input, source->seeds, source->sequence);
    return;
  }
  const size_t size = input.size();
  input.resize(kMaxInputBytes);
  input.resize(LLVMFuzzerCustomMutator(reinterpret_cast<uint8_t*>(input.data()), size,
                                       kMaxInputBytes,
                                       static_cast<unsigned int>(source->sequence.Next())));
}

void Run(const std::string& input) {
  current_input = &input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  current_input = nullptr;
}

std::vector<std::string> ReadSeeds(const char* folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.is_regular_file()) paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<std::string> seeds;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return seeds;
}

}  // namespace

// What libFuzzer does to bytes, for a mutator of a fuzzer's own.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) {
  std::string input(reinterpret_cast<const char*>(data), size);
  MutateOnce(input, source->seeds, source->sequence);
  input.resize(std::min(input.size(), max_size));
  std::ranges::copy(input, data);
  return input.size();
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s CORPUS RUNS\n", argv[0]);
    return 2;
  }
  Source from{ReadSeeds(argv[1]), Sequence()};
  source = &from;
  const std::vector<std::string>& seeds = from.seeds;
  if (seeds.empty()) {
    std::fprintf(stderr, "Expected inputs in %s but found none\n", argv[1]);
    return 1;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(signal, KeepInput);
  for (const std::string& seed : seeds) Run(seed);
  const long runs = std::strtol(argv[2], nullptr, 10);
  for (long i = 0; i < runs; ++i) {
    std::string input = seeds[from.sequence.Below(seeds.size())];
    for (size_t n = 1 + from.sequence.Below(6); n > 0; --n) Mutate(input);
    Run(input);
  }
  std::printf("%zu inputs and %ld mutations of them\n", seeds.size(), runs);
  return 0;
}
