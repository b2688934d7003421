#include "cli/remote/credentials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/given.h"

namespace stele::cli {

namespace {

constexpr size_t kMaxFileBytes = 1u << 20;

struct TokenFile {
  std::string path;    // empty: there is no place for one
  bool named = false;  // by somebody
};

TokenFile FileOf(const Arguments& arguments) {
  if (arguments.Has("--token-file")) return {arguments.Get("--token-file"), true};
  if (std::string file = FromEnvironment("STELE_TOKEN_FILE"); !file.empty())
    return {std::move(file), true};
  if (const std::string home = FromEnvironment("XDG_CONFIG_HOME"); !home.empty())
    return {home + "/stele/token"};
  if (const std::string home = FromEnvironment("HOME"); !home.empty())
    return {home + "/.config/stele/token"};
  return {};
}

// Each line of the text, without its end.
void ForEachLine(std::string_view text, const auto& visit) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    if (!line.empty()) visit(line);
  }
}

bool IsOf(std::string_view line, std::string_view server) {
  return line.size() > server.size() && line.starts_with(server) && line[server.size()] == ' ';
}

struct Tokens {
  std::string own;  // of that server's line
  std::string any;  // for every server
};
Tokens TokensIn(std::string_view text, std::string_view server) {
  Tokens tokens;
  ForEachLine(text, [&](std::string_view line) {
    if (IsOf(line, server)) tokens.own = line.substr(server.size() + 1);
    if (!line.contains(' ')) tokens.any = line;
  });
  return tokens;
}

std::unexpected<Error> CannotWrite(const std::string& path, int fault) {
  return Fail(ErrorCode::kIo,
              fmt::format("Expected to write {} but: {}", path, std::strerror(fault)));
}

// In place of what is there, at once, closed to others.
Status WriteClosed(const std::string& path, std::string_view text) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const std::string draft = fmt::format("{}.{}", path, getpid());
  const int file = open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return CannotWrite(draft, errno);
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  int fault = written ? 0 : errno;
  if (close(file) != 0 && fault == 0) fault = errno;
  if (fault == 0 && rename(draft.c_str(), path.c_str()) != 0) fault = errno;
  if (fault == 0) return {};
  unlink(draft.c_str());
  return CannotWrite(path, fault);
}

}  // namespace

Result<std::string> TokenFor(const Arguments& arguments, std::string_view server) {
  if (std::string token = FromEnvironment("STELE_TOKEN");
      !token.empty() && !arguments.Has("--token-file"))
    return token;
  const TokenFile file = FileOf(arguments);
  if (!file.named && (file.path.empty() || !std::filesystem::exists(file.path))) return "";
  const auto text = ReadGivenFile(file.path, kMaxFileBytes);
  if (!text.has_value()) return std::unexpected(text.error());
  const Tokens tokens = TokensIn(*text, server);
  std::string token = tokens.own.empty() ? tokens.any : tokens.own;
  if (token.empty() && file.named)
    return Fail(
        ErrorCode::kUnauthenticated,
        fmt::format("Expected a token for {} in {} but found none; \"stele login --server {} "
                    "--user NAME\" puts one there",
                    server, file.path, server));
  return token;
}

Result<std::string> KeepToken(const Arguments& arguments, std::string_view server,
                              std::string_view token) {
  const TokenFile file = FileOf(arguments);
  if (file.path.empty())
    return Fail(ErrorCode::kUsage,
                "Expected --token-file FILE, or a home for the file of tokens, but found neither");
  std::string lines;
  if (std::filesystem::exists(file.path)) {
    const auto text = ReadGivenFile(file.path, kMaxFileBytes);
    if (!text.has_value()) return std::unexpected(text.error());
    ForEachLine(*text, [&](std::string_view line) {
      if (!IsOf(line, server)) lines += fmt::format("{}\n", line);
    });
  }
  if (!token.empty()) lines += fmt::format("{} {}\n", server, token);
  STELE_RETURN_IF_ERROR(WriteClosed(file.path, lines));
  return file.path;
}

void KeepRenewed(const Arguments& arguments, std::string_view server, std::string_view before,
                 std::string_view fresh) {
  const TokenFile file = FileOf(arguments);
  if (file.path.empty() || !std::filesystem::exists(file.path)) return;
  const auto text = ReadGivenFile(file.path, kMaxFileBytes);
  if (!text.has_value() || TokensIn(*text, server).own != before) return;
  static_cast<void>(KeepToken(arguments, server, fresh));
}

}  // namespace stele::cli
