// `stele keys`: the master key of a data directory whose payloads are sealed (docs/encryption.md).
// No key is ever an argument or printed, but for a new one that is asked for.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/new_key.h"
#include "cli/open_data.h"
#include "cli/remote/maintenance.h"
#include "cli/remote/server_option.h"
#include "cli/settings.h"
#include "cli/text.h"
#include "engine/runtime/open_store.h"
#include "eventstore/store_keys.h"

namespace stele::cli {

namespace {

using secrets::KeySource;

// The id of the key that the settings lead to; empty: they name none.
Result<std::string> GivenKey(const KeySource& source) {
  if (source.empty()) return std::string();
  const auto key = runtime::ReadMasterKey(source);
  if (!key.has_value()) return std::unexpected(key.error());
  return eventstore::MasterKeyId(*key);
}

std::string Sentence(const eventstore::EncryptionState& state, const Result<std::string>& given) {
  if (!state.sealed)
    return given.has_value() && !given->empty()
               ? fmt::format("in clear; sealed with the key {} from the next start on\n", *given)
               : "in clear; no key is set\n";
  std::string text = fmt::format("sealed; the master key is {}\n{} in use, {} destroyed\n",
                                 state.master, Count(state.keys, "payload key"), state.destroyed);
  if (!given.has_value()) return text + given.error().ToString() + "\n";
  if (given->empty()) return text + "no key is set\n";
  return text + (*given == state.master ? "the key that is set fits\n"
                                        : fmt::format("the key that is set is {}\n", *given));
}

Status ShowStatus(const Arguments& arguments, const Terminal& terminal, const std::string& data) {
  const auto source = ReadKeySource(data);
  if (!source.has_value()) return std::unexpected(source.error());
  const auto state = eventstore::ReadEncryptionState(data);
  if (!state.has_value()) return std::unexpected(state.error());
  const Result<std::string> given = GivenKey(*source);
  if (!arguments.Has("--json")) {
    terminal.Print(Sentence(*state, given));
    return {};
  }
  Object document{{"sealed", state->sealed}};
  if (state->sealed) {
    document.Set("master_key", state->master);
    document.Set("payload_keys", static_cast<int64_t>(state->keys));
    document.Set("destroyed_keys", static_cast<int64_t>(state->destroyed));
  }
  if (given.has_value() && !given->empty()) document.Set("given_key", *given);
  terminal.Print(ToPrettyJson(Value(std::move(document))) + "\n");
  return {};
}

Status Rotate(const Arguments& arguments, const Terminal& terminal, const std::string& data) {
  const KeySource next{.file = arguments.Get("--new-key-file"),
                       .environment = arguments.Get("--new-key-env"),
                       .command = arguments.Get("--new-key-command")};
  if (next.empty())
    return Fail(ErrorCode::kUsage,
                "Expected --new-key-file, --new-key-env or --new-key-command but found none; "
                "\"stele keys generate --out FILE\" makes a key");
  const auto source = ReadKeySource(data);
  if (!source.has_value()) return std::unexpected(source.error());
  if (source->empty())
    return Fail(ErrorCode::kMasterKey,
                fmt::format("Expected \"encryption\" in {}/settings.json, to read the master key "
                            "that is to be replaced, but found none",
                            data));
  const auto from = runtime::ReadMasterKey(*source);
  if (!from.has_value()) return std::unexpected(from.error());
  const auto to = runtime::ReadMasterKey(next);
  if (!to.has_value()) return std::unexpected(to.error());
  STELE_RETURN_IF_ERROR(eventstore::RotateMasterKey(data, *from, *to));
  if (from->view() == to->view())
    terminal.PrintNote(
        "the new master key is the one that settings.json leads to: nothing has changed");
  terminal.Print(
      fmt::format("the log now needs the master key {}; \"encryption\" in {}/"
                  "settings.json must lead to it\n",
                  eventstore::MasterKeyId(*to), data));
  return {};
}

Status ShowServerStatus(const Arguments& arguments, const Terminal& terminal) {
  const auto state = KeysAtServer(arguments);
  if (!state.has_value()) return std::unexpected(state.error());
  if (arguments.Has("--json")) {
    terminal.Print(ToPrettyJson(*state) + "\n");
  } else {
    terminal.Print(Document(*state)["sealed"].is_true() ? "sealed; the server has the master key\n"
                                                        : "in clear; no key is set\n");
  }
  return {};
}

}  // namespace

int Keys(const Arguments& arguments, const Terminal& terminal) {
  const std::string& action = arguments.operands()[0];
  const std::string data = arguments.Get("--data", kDefaultData);
  const auto run = [&]() -> Status {
    if (action == "generate") return PrintNewKey(arguments, terminal);
    if (IsForServer(arguments)) {
      if (action == "status") return ShowServerStatus(arguments, terminal);
      if (action == "rotate")
        return Fail(
            ErrorCode::kUsage,
            "Expected \"rotate\" where nobody has the data directory open but found it with "
            "a server: stop that, rotate there with --data, and start it again");
    }
    if (action == "status") return ShowStatus(arguments, terminal, data);
    if (action == "rotate") return Rotate(arguments, terminal, data);
    return Fail(ErrorCode::kUsage,
                fmt::format("Expected status, rotate or generate but found \"{}\"", action));
  };
  const Status done = run();
  return done.has_value() ? kExitDone : Refuse(terminal, done.error());
}

}  // namespace stele::cli
