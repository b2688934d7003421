#include "cli/remote/asker.h"

#include <fmt/format.h>

#include "cli/given.h"

namespace stele::cli {

Result<Asker> AskerOf(const Arguments& arguments, Remote& server) {
  if (server.is_anybody()) {
    auto asker = WhoAsks(arguments);
    if (!asker.has_value()) return std::unexpected(asker.error());
    return Asker{std::move(asker->actor), arguments.All("--group"), true};
  }
  const auto answer = server.Wait(server.session().whoAmIRequest().send());
  if (!answer.has_value()) return std::unexpected(answer.error());
  const auto caller = answer->getCaller();
  Asker asker{.name = caller.getName().cStr(), .groups = {}, .is_anybody = false};
  for (const auto group : caller.getGroups()) asker.groups.emplace_back(group.cStr());
  if (arguments.Has("--by") && arguments.Get("--by") != asker.name)
    return Fail(ErrorCode::kUsage,
                fmt::format("Expected \"{}\", whose the token is, behind --by but found \"{}\"",
                            asker.name, arguments.Get("--by")));
  if (arguments.Has("--group"))
    return Fail(ErrorCode::kUsage,
                "Expected no --group beside a token, which has its groups, but found one");
  return asker;
}

Status CheckNobodyNamed(const Arguments& arguments) {
  if (!arguments.Has("--by")) return {};
  return Fail(ErrorCode::kUsage,
              "Expected --by with a data directory alone, as a server knows who asks, but found it "
              "with a server");
}

Status CheckAtServer(const Arguments& arguments, bool names_person) {
  for (const char* option : {"--stub", "--worker", "--worker-slots", "--worker-lease"})
    if (arguments.Has(option))
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected {} with a data directory alone, as a server runs tasks by "
                              "itself, but found it with a server",
                              option));
  return names_person ? Status() : CheckNobodyNamed(arguments);
}

}  // namespace stele::cli
