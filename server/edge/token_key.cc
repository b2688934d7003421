#include "server/edge/token_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace stele::server {

namespace {

constexpr size_t kBytes = 32;

std::unexpected<Error> Failed(std::string_view what, const std::string& path) {
  return Fail(ErrorCode::kIo,
              fmt::format("Expected to {} {} but found: {}", what, path, std::strerror(errno)));
}

// A descriptor that is closed at its end.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  const int descriptor_;
};

std::optional<std::string> FromHex(std::string_view text) {
  if (text.size() != 2 * kBytes) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    int value = 0;
    for (const char digit : text.substr(i, 2)) {
      const size_t at = std::string_view("0123456789abcdef").find(digit);
      if (at == std::string_view::npos) return std::nullopt;
      value = value * 16 + static_cast<int>(at);
    }
    bytes += static_cast<char>(value);
  }
  return bytes;
}

Result<SigningKey> Read(const File& file, const std::string& path) {
  struct stat about{};
  if (fstat(file.get(), &about) != 0) return Failed("look at", path);
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return Fail(ErrorCode::kSecretExposed,
                fmt::format("Expected {} to be its owner's alone but others may read or change it; "
                            "remove it, so that another key is made, or chmod 600 it",
                            path));
  char text[2 * kBytes + 2];
  const ssize_t read = pread(file.get(), text, sizeof(text), 0);
  if (read < 0) return Failed("read", path);
  std::string_view digits(text, static_cast<size_t>(read));
  if (digits.ends_with('\n')) digits.remove_suffix(1);
  const auto secret = FromHex(digits);
  if (!secret.has_value())
    return Fail(ErrorCode::kSecretKey,
                fmt::format("Expected {} hexadecimal digits in {} but found something else; remove "
                            "it, so that another key is made: everybody logs in again then",
                            2 * kBytes, path));
  return SigningKey::Own(*secret);
}

}  // namespace

Result<SigningKey> ReadOrMakeTokenKey(const std::string& data, const RandomBytes& random) {
  const std::string path = data + "/token.key";
  if (const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)); file.is_open())
    return Read(file, path);
  if (errno != ENOENT) return Failed("open", path);
  const std::string secret = TakeRandom(random, kBytes);
  std::string text;
  for (const unsigned char byte : secret) text += fmt::format("{:02x}", byte);
  // Under another name first: a key that a crash left half written is none.
  const std::string made = path + ".new";
  {
    const File file(
        open(made.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) return Failed("make", made);
    text += '\n';
    if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        fsync(file.get()) != 0)
      return Failed("write", made);
  }
  if (rename(made.c_str(), path.c_str()) != 0) return Failed("make", path);
  return SigningKey::Own(secret);
}

}  // namespace stele::server
