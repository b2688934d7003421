#include "cli/remote/credentials.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "cli/given.h"
#include "engine/secrets/private_file.h"

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

// The file while it is changed: others wait for each other, beside it.
Result<secrets::FileLock> LockTokens(const std::string& path) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  return secrets::FileLock::Take(path + ".lock");
}

Result<std::string> ReadTokens(const std::string& path) {
  if (!std::filesystem::exists(path)) return "";
  return ReadGivenFile(path, kMaxFileBytes);
}

// `token` on the server's line, in place of the one before; an empty one takes the line away.
Status WriteLine(const std::string& path, std::string_view text, std::string_view server,
                 std::string_view token) {
  std::string lines;
  ForEachLine(text, [&](std::string_view line) {
    if (!IsOf(line, server)) lines += fmt::format("{}\n", line);
  });
  if (!token.empty()) lines += fmt::format("{} {}\n", server, token);
  return secrets::ReplacePrivateFile(path, lines);
}

// Where the file has a line of the server's own with `before`: `fresh` on it. Whether it has.
Result<bool> Exchange(const Arguments& arguments, std::string_view server, std::string_view before,
                      std::string_view fresh) {
  const TokenFile file = FileOf(arguments);
  if (file.path.empty() || !std::filesystem::exists(file.path)) return false;
  const auto lock = LockTokens(file.path);
  if (!lock.has_value()) return std::unexpected(lock.error());
  const auto text = ReadTokens(file.path);
  if (!text.has_value()) return std::unexpected(text.error());
  if (before.empty() || TokensIn(*text, server).own != before) return false;
  STELE_RETURN_IF_ERROR(WriteLine(file.path, *text, server, fresh));
  return true;
}

}  // namespace

Result<FoundToken> FindToken(const Arguments& arguments, std::string_view server) {
  if (std::string token = FromEnvironment("STELE_TOKEN");
      !token.empty() && !arguments.Has("--token-file"))
    return FoundToken{std::move(token), "STELE_TOKEN", true};
  const TokenFile file = FileOf(arguments);
  if (!file.named && (file.path.empty() || !std::filesystem::exists(file.path)))
    return FoundToken();
  const auto text = ReadGivenFile(file.path, kMaxFileBytes);
  if (!text.has_value()) return std::unexpected(text.error());
  Tokens tokens = TokensIn(*text, server);
  std::string& token = tokens.own.empty() ? tokens.any : tokens.own;
  if (token.empty() && file.named)
    return Fail(
        ErrorCode::kUnauthenticated,
        fmt::format("Expected a token for {} in {} but found none; \"stele login --server {} "
                    "--user NAME\" puts one there",
                    server, file.path, server));
  return FoundToken{std::move(token), file.path, file.named};
}

Result<std::string> TokenFor(const Arguments& arguments, std::string_view server) {
  auto found = FindToken(arguments, server);
  if (!found.has_value()) return std::unexpected(found.error());
  return std::move(found->text);
}

Result<std::string> KeepToken(const Arguments& arguments, std::string_view server,
                              std::string_view token) {
  const TokenFile file = FileOf(arguments);
  if (file.path.empty())
    return Fail(ErrorCode::kUsage,
                "Expected --token-file FILE, or a home for the file of tokens, but found neither");
  const auto lock = LockTokens(file.path);
  if (!lock.has_value()) return std::unexpected(lock.error());
  const auto text = ReadTokens(file.path);
  if (!text.has_value()) return std::unexpected(text.error());
  STELE_RETURN_IF_ERROR(WriteLine(file.path, *text, server, token));
  return file.path;
}

Result<bool> ForgetToken(const Arguments& arguments, std::string_view server,
                         std::string_view token) {
  return Exchange(arguments, server, token, "");
}

void KeepRenewed(const Arguments& arguments, std::string_view server, std::string_view before,
                 std::string_view fresh) {
  static_cast<void>(Exchange(arguments, server, before, fresh));
}

}  // namespace stele::cli
