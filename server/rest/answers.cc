#include "server/rest/answers.h"

namespace stele::server::rest {

std::vector<Component> SharedComponents() {
  using Others = Component::Others;
  return {
      {"Problem",
       "What was refused and why (RFC 9457).",
       {{"type?", "text", "the line of the error in docs/errors.md"},
        {"title", "text", "the error's name"},
        {"status", "number", "that of HTTP"},
        {"detail", "text", "what was expected and what was found"},
        {"code?", "text", "\"STL0405\"; none of faults of HTTP itself"},
        {"instance?", "text", "the request's id, which is in the server's logs"},
        {"errors?", "[ProblemDetail]", "every fault of a body or a definition"}},
       Others::kAny},
      {"ProblemDetail",
       "One of several faults.",
       {{"code?", "text", "of a definition's fault"},
        {"message", "text", ""},
        {"at?", "text", "where in the body: a JSON pointer"},
        {"line?", "number", "in the definition's text, from 1"},
        {"column?", "number", "in bytes, from 1"}}},
      {"Written",
       "What was asked is durable.",
       {{"instance?", "number", "that it is about"},
        {"position", "number", "of its record in the log"}}},
      {"Failure",
       "Why something failed.",
       {{"kind", "text", "of the error, as tasks and retry policies name it"},
        {"message", "text", ""}}},
      {"Vote",
       "What somebody decided about a task.",
       {{"person", "text", ""},
        {"approved", "flag", ""},
        {"comment", "text", ""},
        {"time", "time", ""}}},
  };
}

Object PageOf(Position position, std::string_view name, Array rows, const std::string& next) {
  Object page{{"position", Whole(position.value)}};
  page.Set(name, std::move(rows));
  page.Set("next", next.empty() ? Value() : Value(next));
  return page;
}

}  // namespace stele::server::rest
