// `stele dap`: an editor steps through what an instance has done, over the Debug Adapter Protocol.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/dap/conversation.h"
#include "cli/open_data.h"
#include "cli/options.h"
#include "cli/remote/server_option.h"
#include "cli/source.h"
#include "cli/text.h"

namespace stele::cli {

namespace {

struct Named {
  std::string_view member;  // of launch and attach
  std::string_view option;
};
constexpr Named kPlaces[] = {{"data", "--data"},
                             {"server", "--server"},
                             {"tokenFile", "--token-file"},
                             {"tlsCa", "--tls-ca"},
                             {"tlsCertificate", "--tls-certificate"},
                             {"tlsKey", "--tls-key"}};

constexpr OptionSpec kOptions[] = {kData};
constexpr CommandSpec kOpening{"dap", "", 0, 0, "", "", kOptions, kAtServer};

// Where an editor says that the records are; what it does not say is as the command was started.
Result<Arguments> PlaceOf(const dap::Fields& asked, const Arguments& started) {
  for (const Named& place : kPlaces) STELE_RETURN_IF_ERROR(asked.CheckText(place.member));
  STELE_RETURN_IF_ERROR(asked.CheckBool("plaintext"));
  std::vector<std::string> words;
  const bool names_place = asked.Has("data") || asked.Has("server");
  for (const auto& [member, option] : kPlaces) {
    std::string value = asked.TextOr(member);
    const bool is_place = member == "data" || member == "server";
    if (value.empty() && !(names_place && is_place)) value = started.Get(option);
    if (!value.empty()) words.push_back(fmt::format("{}={}", option, value));
  }
  if (asked.BoolOr("plaintext", started.Has("--plaintext"))) words.emplace_back("--plaintext");
  return ParseArguments(kOpening, words);
}

Result<InstanceId> InstanceOf(const dap::Fields& asked) {
  const Value* const given = asked.Find("instance");
  if (given != nullptr && given->is_string()) return ParseInstanceId(given->as_string());
  if (given != nullptr && given->is_int() && given->as_int() > 0)
    return InstanceId(static_cast<uint64_t>(given->as_int()));
  return Fail(ErrorCode::kBadRequest,
              fmt::format("Expected `instance` to be the number of an instance but found {}",
                          given == nullptr ? "none" : Inline(*given)));
}

Result<std::unique_ptr<dap::History>> OpenAsked(const dap::Fields& asked,
                                                const Arguments& started) {
  const Result<InstanceId> instance = InstanceOf(asked);
  if (!instance.has_value()) return std::unexpected(instance.error());
  const Result<Arguments> place = PlaceOf(asked, started);
  if (!place.has_value()) return std::unexpected(place.error());
  auto history = std::make_unique<dap::History>();
  auto source = OpenSource(*place);
  if (!source.has_value()) return std::unexpected(source.error());
  history->source = *std::move(source);
  Result<model::Registry> registry = replay::ReadRegistry(*history->source);
  if (!registry.has_value()) return std::unexpected(registry.error());
  history->registry = *std::move(registry);
  auto debugger = replay::Debugger::Open(*history->source, *instance, history->registry);
  if (!debugger.has_value()) return std::unexpected(debugger.error());
  history->debugger = *std::move(debugger);
  history->grows = IsForServer(*place);
  return history;
}

}  // namespace

int ServeEditor(const Arguments& arguments, const Terminal& terminal) {
  if (isatty(STDIN_FILENO) == 1) {
    terminal.PrintError({ErrorCode::kUsage,
                         "Expected an editor that speaks the Debug Adapter Protocol on standard "
                         "input but found a terminal; \"stele debug ID\" is for people"});
    return kExitUsage;
  }
  dap::Conversation conversation(STDIN_FILENO, STDOUT_FILENO, [&](const dap::Fields& asked) {
    return OpenAsked(asked, arguments);
  });
  const Status done = conversation.Run();
  return done.has_value() ? kExitDone : Refuse(terminal, done.error());
}

}  // namespace stele::cli
