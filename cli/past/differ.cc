// `stele diff`: what differs between two moments of an instance. `stele bisect`: the event at which
// an expression began to hold.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/moment.h"
#include "cli/past/past.h"
#include "cli/past/past_text.h"
#include "cli/text.h"

namespace stele::cli {

namespace {

// Of what an event changed, behind which an expression began to hold.
constexpr size_t kChangeLines = 40;

std::string BisectionText(const Document& found, const Terminal& terminal) {
  const std::string expression = Clean(found["expression"].text());
  const int64_t looked_at = found["looked_at"].whole();
  const bool exact = found["exact"].is_true();
  std::string text;
  if (found["found"].text() == "never") {
    text = exact ? fmt::format("{} held behind none of the {} events.\n", expression,
                               found["last"].whole())
                 : fmt::format(
                       "{} held behind none of {} of the {} events that were looked at, the "
                       "last one among them; --exact looks behind every one.\n",
                       expression, looked_at, found["last"].whole());
  } else if (found["found"].text() == "first") {
    text = fmt::format("{} holds from the start: {}\n", expression, EventPhrase(found["event"]));
  } else {
    text = fmt::format("{} began to hold with {}\n", expression, EventPhrase(found["event"]));
    text += ChangeTree(found["changes"].items(), terminal, kChangeLines);
    if (!exact) {
      text += fmt::format(
          "Looked behind {} of {} events{}. It did not hold before; whether it had held and ceased "
          "to earlier, --exact tells.\n",
          looked_at, found["last"].whole(),
          found["holds_at_end"].is_true() ? "" : "; behind the last one it does not hold");
    }
  }
  if (const int64_t undefined = found["undefined"].whole(); undefined != 0)
    text += fmt::format(
        "Behind {} of those looked at it could not be evaluated, the first time: "
        "{}\n",
        undefined, Clean(found["why"].text()));
  return text;
}

}  // namespace

int DiffStates(const Arguments& arguments, const Terminal& terminal) {
  auto from = GivenWhen(arguments, "--from");
  if (!from.has_value()) return Refuse(terminal, from.error());
  if (!arguments.Has("--from")) from->seq = Seq(1);
  const auto to = GivenWhen(arguments, "--to");
  if (!to.has_value()) return Refuse(terminal, to.error());
  const auto past = OpenPast(arguments);
  if (!past.has_value()) return Refuse(terminal, past.error());
  const auto found = (*past)->Difference(*from, *to);
  if (!found.has_value()) return Refuse(terminal, found.error());
  const Document document(*found);
  if (arguments.Has("--json")) {
    const Value* patch = document["patch"].value();
    terminal.Print(CleanJson(ToPrettyJson(patch == nullptr ? Value(Array()) : *patch)) + "\n");
    return kExitDone;
  }
  const Array& changes = document["changes"].items();
  terminal.Print(fmt::format("from {}\nto   {}\n", EventPhrase(document["from"]),
                             EventPhrase(document["to"])) +
                 (changes.empty() ? "Nothing differs.\n" : ChangeTree(changes, terminal)));
  return kExitDone;
}

int BisectHistory(const Arguments& arguments, const Terminal& terminal) {
  const auto past = OpenPast(arguments);
  if (!past.has_value()) return Refuse(terminal, past.error());
  const auto found = (*past)->Bisection(arguments.operands()[1], arguments.Has("--exact"));
  if (!found.has_value()) return Refuse(terminal, found.error());
  const Document document(*found);
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(*found)) + "\n");
  } else {
    terminal.Print(BisectionText(document, terminal));
  }
  return document["found"].text() == "never" ? kExitFailed : kExitDone;
}

}  // namespace stele::cli
