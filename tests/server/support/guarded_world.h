// A served engine with a definition that ada alone may see, and one that everybody may; whatever is
// told of the first has "secret" in it, whatever is told of the second "plain".
#pragma once

#include <fmt/format.h>

#include <string>

#include "tests/server/support/served_world.h"

namespace stele::server {

inline constexpr char kGuarded[] = "secret-flow";
inline constexpr char kPlain[] = "plain-flow";

// `permissions:` of a definition, so that ada alone may do these.
inline std::string ForAdaAlone(const std::string& actions) {
  return fmt::format("permissions: [{{actions: [{}], users: [ada]}}]\n", actions);
}

// A definition whose names and texts have that word in them: it asks people while a step of it
// fails, which another one makes up for.
inline void RegisterTelling(ServedWorld& world, const std::string& word,
                            const std::string& rest = "") {
  world.Register(
      word + "-flow",
      fmt::format("{{id: ask_{0}, type: approval, config: {{title: A {0} question, assignees: "
                  "[operator]}}}}, {{id: fail_{0}, type: script, on_error: fix_{0}}}, "
                  "{{id: fix_{0}, type: script}}",
                  word),
      rest + fmt::format("description: A {0} matter\ntriggers: [{{type: webhook, name: {0}, path: "
                         "/webhook/{0}}}]\n",
                         word));
}

inline InstanceId StartTelling(ServedWorld& world, const std::string& word) {
  return world
      .Get(
          world.instances().Start(ServedWorld::Somebody(Role::kAdmin),
                                  {.definition = word + "-flow",
                                   .input = Payload::FromText(fmt::format(R"({{"a":"{}"}})", word)),
                                   .business_key = word + "-key",
                                   .tags = {word + "-tag"}}))
      .instance;
}

// A secret one, and a plain one, `each` times in turn; all views know of them.
inline void BeginTelling(ServedWorld& world, int each) {
  RegisterTelling(world, "secret", ForAdaAlone("read, read_definitions"));
  RegisterTelling(world, "plain");
  for (int i = 0; i < each; ++i)
    for (const char* word : {"secret", "plain"}) StartTelling(world, word);
  world.CatchUp();
}

inline Caller Ada() {
  Caller ada = ServedWorld::Somebody(Role::kOperator);
  ada.name = "ada";
  return ada;
}

}  // namespace stele::server
