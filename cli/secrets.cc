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
#include "cli/hidden_input.h"
#include "cli/new_key.h"
#include "cli/open_data.h"
#include "cli/text.h"
#include "engine/secrets/limits.h"
#include "engine/secrets/private_file.h"
#include "engine/secrets/secret_store.h"

namespace stele::cli {

namespace {

using secrets::SecretKey;
using secrets::SecretStore;

Result<SecretKey> KeyOf(const Arguments& arguments) {
  return arguments.Has("--key-file") ? SecretKey::ReadFile(arguments.Get("--key-file"))
                                     : SecretKey::FromProcess();
}

Status Set(const Arguments& arguments, const Terminal& terminal, const SecretStore& store,
           const std::string& name) {
  STELE_RETURN_IF_ERROR(secrets::CheckName(name));
  const Result<SecretKey> key = KeyOf(arguments);
  if (!key.has_value()) return std::unexpected(key.error());
  Result<std::string> value = AskUnseen(fmt::format("value of {}", Clean(name)), secrets::kMaxValueBytes);
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

Status ListSecrets(const Arguments& arguments, const Terminal& terminal, const SecretStore& store) {
  std::optional<SecretKey> key;
  if (Result<SecretKey> given = KeyOf(arguments); given.has_value()) {
    key.emplace(*std::move(given));
  } else if (arguments.Has("--key-file")) {
    return std::unexpected(given.error());
  }
  const auto list = store.List(key.has_value() ? &*key : nullptr);
  if (!list.has_value()) return std::unexpected(list.error());
  if (arguments.Has("--json")) {
    Array rows;
    for (const secrets::SecretInfo& secret : *list)
      rows.push_back(Object{{"name", secret.name},
                            {"bytes", static_cast<int64_t>(secret.bytes)},
                            {"created", secret.created.value},
                            {"changed", secret.changed.value}});
    terminal.Print(ToPrettyJson(Value(std::move(rows))) + "\n");
    return {};
  }
  std::vector<std::vector<std::string>> rows = {{"NAME", "BYTES", "CREATED", "CHANGED"}};
  for (const secrets::SecretInfo& secret : *list)
    rows.push_back(
        {secret.name, fmt::format("{}", secret.bytes), Time(secret.created), Time(secret.changed)});
  terminal.Print(list->empty() ? "no secrets\n" : Table(terminal, rows));
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
