// `stele secrets`: the encrypted store of a data directory. Values come from standard input, or are
// asked for on a terminal; none is ever an argument, where others could see it, or printed.
#include "engine/secrets/secrets.h"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <optional>

#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/new_key.h"
#include "cli/open_data.h"
#include "cli/remote/hidden_input.h"
#include "cli/remote/maintenance.h"
#include "cli/remote/server_option.h"
#include "cli/text.h"
#include "engine/secrets/limits.h"
#include "engine/secrets/private_file.h"
#include "engine/secrets/secret_store.h"
#include "server/operations/reports.h"

namespace stele::cli {

namespace {

using secrets::SecretKey;
using secrets::SecretStore;

Result<SecretKey> KeyOf(const Arguments& arguments) {
  return arguments.Has("--key-file") ? SecretKey::ReadFile(arguments.Get("--key-file"))
                                     : SecretKey::FromProcess();
}

Result<std::string> AskForSecret(const std::string& name) {
  return AskUnseen(fmt::format("value of {}", Clean(name)), secrets::kMaxValueBytes);
}

Status Set(const Arguments& arguments, const Terminal& terminal, const SecretStore& store,
           const std::string& name) {
  STELE_RETURN_IF_ERROR(secrets::CheckName(name));
  const Result<SecretKey> key = KeyOf(arguments);
  if (!key.has_value()) return std::unexpected(key.error());
  Result<std::string> value = AskForSecret(name);
  if (!value.has_value()) return std::unexpected(value.error());
  const secrets::WipeAtEnd wipe(*value);
  const std::filesystem::path directory = std::filesystem::path(store.path()).parent_path();
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed)
    return Fail(ErrorCode::kIo, fmt::format("Expected to make {} but found: {}", directory.string(),
                                            failed.message()));
  return store.Put(*key, name, *value, SystemClock());
}

Status Remove(const Arguments& arguments, const SecretStore& store, const std::string& name) {
  const Result<SecretKey> key = KeyOf(arguments);
  if (!key.has_value()) return std::unexpected(key.error());
  return store.Remove(*key, name);
}

void PrintList(const Arguments& arguments, const Terminal& terminal, const Value& list) {
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(list)) + "\n");
    return;
  }
  std::vector<std::vector<std::string>> rows = {{"NAME", "BYTES", "CREATED", "CHANGED"}};
  for (const Value& each : Document(list).items()) {
    const Document secret(each);
    rows.push_back({Clean(secret["name"].text()), fmt::format("{}", secret["bytes"].whole()),
                    Time(secret["created"].time()), Time(secret["changed"].time())});
  }
  terminal.Print(rows.size() == 1 ? "no secrets\n" : Table(terminal, rows));
}

Status ListSecrets(const Arguments& arguments, const Terminal& terminal, const SecretStore& store) {
  std::optional<SecretKey> key;
  if (Result<SecretKey> given = KeyOf(arguments); given.has_value()) {
    key.emplace(*std::move(given));
  } else if (arguments.Has("--key-file")) {
    return std::unexpected(given.error());
  }
  const auto list = store.List(key.has_value() ? &*key : nullptr);
  if (!list.has_value()) return std::unexpected(list.error());
  Array rows;
  for (const secrets::SecretInfo& secret : *list) rows.push_back(server::ToJson(secret));
  PrintList(arguments, terminal, std::move(rows));
  return {};
}

Status Rotate(const Arguments& arguments, const Terminal& terminal, const SecretStore& store) {
  if (!arguments.Has("--new-key-file"))
    return Fail(ErrorCode::kUsage,
                "Expected --new-key-file FILE but found none; \"stele secrets "
                "keygen --out FILE\" makes one");
  const Result<SecretKey> from = KeyOf(arguments);
  if (!from.has_value()) return std::unexpected(from.error());
  const Result<SecretKey> to = SecretKey::ReadFile(arguments.Get("--new-key-file"));
  if (!to.has_value()) return std::unexpected(to.error());
  STELE_RETURN_IF_ERROR(store.Rotate(*from, *to));
  terminal.Print(fmt::format("the store now needs the key {}\n", secrets::ToHex(to->Id())));
  return {};
}

// The server has the key, and its own store.
Status DoAtServer(const Arguments& arguments, const Terminal& terminal, const std::string& action) {
  if (arguments.Has("--key-file"))
    return Fail(ErrorCode::kUsage,
                "Expected --key-file with a data directory alone, as a server has the key, but "
                "found it with a server");
  if (action == "list") {
    const auto list = SecretsAtServer(arguments);
    if (!list.has_value()) return std::unexpected(list.error());
    PrintList(arguments, terminal, *list);
    return {};
  }
  if (action == "remove") return RemoveSecretAtServer(arguments, arguments.operands()[1]);
  if (action != "set")
    return Fail(ErrorCode::kUsage,
                fmt::format("Expected set, remove or list at a server but found \"{}\", which is "
                            "for the directory that nobody serves",
                            action));
  const std::string& name = arguments.operands()[1];
  STELE_RETURN_IF_ERROR(secrets::CheckName(name));
  auto value = AskForSecret(name);
  if (!value.has_value()) return std::unexpected(value.error());
  const secrets::WipeAtEnd wipe(*value);
  return SetSecretAtServer(arguments, name, *value);
}

}  // namespace

int Secrets(const Arguments& arguments, const Terminal& terminal) {
  const std::string& action = arguments.operands()[0];
  const bool named = action == "set" || action == "remove";
  const SecretStore store(arguments.Get("--data", kDefaultData));
  const auto run = [&]() -> Status {
    if (named != (arguments.operands().size() == 2))
      return Fail(ErrorCode::kUsage,
                  named ? fmt::format("Expected a NAME behind \"{}\" but found none", action)
                        : fmt::format("Expected nothing behind \"{}\" but found another word; a "
                                      "value goes to standard input",
                                      action));
    if (action != "keygen" && IsForServer(arguments))
      return DoAtServer(arguments, terminal, action);
    if (action == "set") return Set(arguments, terminal, store, arguments.operands()[1]);
    if (action == "remove") return Remove(arguments, store, arguments.operands()[1]);
    if (action == "list") return ListSecrets(arguments, terminal, store);
    if (action == "rotate") return Rotate(arguments, terminal, store);
    if (action == "keygen") return PrintNewKey(arguments, terminal);
    return Fail(
        ErrorCode::kUsage,
        fmt::format("Expected set, remove, list, rotate or keygen but found \"{}\"", action));
  };
  const Status done = run();
  if (done.has_value()) return kExitDone;
  terminal.PrintError(done.error());
  return kExitUsage;
}

}  // namespace stele::cli
