// `stele show`: the whole state of an instance, now or at a moment of its past.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/moment.h"
#include "cli/past/past.h"
#include "cli/past/past_text.h"
#include "cli/text.h"

namespace stele::cli {

namespace {

using Rows = std::vector<std::vector<std::string>>;

const Object& MembersOf(const Document& document) {
  static const Object kNone;
  const Value* value = document.value();
  return value != nullptr && value->is_object() ? value->as_object() : kNone;
}

std::string RunNote(const Document& run) {
  std::string note;
  const auto add = [&](const std::string& part) { note += (note.empty() ? "" : ", ") + part; };
  if (const std::string purpose = run["purpose"].text(); !purpose.empty()) add(purpose);
  if (const Document error = run["error"]; !error.is_null())
    add(error["kind"].text() + ": " + error["message"].text());
  if (run["due"].whole() != 0) add("due " + Time(run["due"].time()));
  if (run["deadline"].whole() != 0) add("deadline " + Time(run["deadline"].time()));
  if (run["child"].whole() != 0) add(fmt::format("instance {}", run["child"].whole()));
  if (const Document loop = run["loop"]; !loop.is_null())
    add(fmt::format("next {}, {} open", loop["next"].whole(), loop["running"].whole()));
  for (const Value& wait : run["waits"].items()) {
    const Document document(wait);
    std::string what = document["kind"].text();
    if (const std::string name = document["name"].text(); !name.empty()) what += " " + name;
    if (const std::string key = document["key"].text(); !key.empty()) what += " key " + key;
    add("waits for " + what);
  }
  if (const Document task = run["task"]; !task.is_null()) {
    if (const std::string person = task["claimed_by"].text(); !person.empty())
      add("claimed by " + person);
    for (const Value& vote : task["votes"].items())
      add(fmt::format("{} {}", Document(vote)["person"].text(),
                      Document(vote)["approved"].is_true() ? "approved" : "rejected"));
  }
  return note;
}

class StateText {
 public:
  StateText(const Document& document, const Terminal& terminal)
      : document_(document), state_(document["state"]), width_(ValueWidth(terminal)) {}

  std::string Make() {
    text_ = Table(Head());
    Values("input", state_["input"]);
    Values("variables", state_["variables"]);
    Values("output", state_["output"]);
    text_ += Section("steps", Steps(state_["steps"]));
    text_ += Section("runs", Runs());
    Scopes();
    text_ += Section("tokens", Tokens());
    text_ += Section("timers", Timers());
    text_ += Section("signals", Signals());
    text_ += Section("would be undone, in this order", Undo());
    return std::move(text_);
  }

 private:
  std::string Shown(std::string_view name, const Value& value) const {
    return ValueText(name, value, width_);
  }

  Rows Head() const {
    const Document definition = state_["definition"];
    Rows rows{{"instance", fmt::format("{}", state_["instance"].whole())},
              {"definition", fmt::format("{} version {}", Clean(definition["name"].text()),
                                         definition["version"].whole())},
              {"at", fmt::format("{}; the last is {}", EventPhrase(document_["event"]),
                                 document_["last"].whole())},
              {"status", StatusText()},
              {"started", Time(state_["started"].time())}};
    for (const std::string_view name : {"ended", "deadline", "priority", "business_key",
                                        "idempotency_key", "concurrency_key", "trace_parent"})
      if (const Document member = state_[name]; !member.is_null())
        rows.push_back({Words(name), Shown(name, *member.value())});
    if (const Document tags = state_["tags"]; !tags.items().empty())
      rows.push_back({"tags", Inline(*tags.value())});
    if (const Document parent = state_["parent"]; !parent.is_null())
      rows.push_back({"called by", fmt::format("instance {}, run {}", parent["instance"].whole(),
                                               parent["run"].whole())});
    if (const Document origin = state_["origin"]; !origin.is_null())
      rows.push_back(
          {"forked from", fmt::format("instance {} behind event {}", origin["instance"].whole(),
                                      origin["seq"].whole())});
    if (const Document failure = state_["failure"]; !failure.is_null())
      rows.push_back({"error", Clean(failure["kind"].text() + ": " + failure["message"].text())});
    return rows;
  }

  std::string StatusText() const {
    std::string status = state_["status"].text();
    for (const std::string_view name : {"paused", "queued", "compensated"})
      if (state_[name].is_true()) status += fmt::format(", {}", name);
    return Clean(status);
  }

  static std::string Words(std::string_view name) {
    std::string words(name);
    std::ranges::replace(words, '_', ' ');
    return words;
  }

  void Values(std::string_view title, const Document& values) {
    if (values.is_null()) return;
    if (!values.value()->is_object()) {
      text_ += fmt::format("\n{}\n  {}\n", title, Shown("", *values.value()));
      return;
    }
    if (MembersOf(values).empty()) return;
    text_ += fmt::format("\n{}\n", title);
    for (const Member& member : MembersOf(values))
      text_ += fmt::format("  {}: {}\n", Clean(member.key), Shown("", member.value));
  }

  Rows Steps(const Document& steps) const {
    Rows rows;
    for (const Member& member : MembersOf(steps)) {
      const Document step(member.value);
      std::string status = step["status"].text();
      if (step["omitted"].is_true()) status += " by an operator";
      if (step["handled"].is_true()) status += ", handled";
      const Document output = step["output"];
      rows.push_back({Clean(member.key), Clean(status),
                      output.value() == nullptr ? "" : Shown("", *output.value())});
    }
    if (!rows.empty()) rows.insert(rows.begin(), {"STEP", "STATUS", "OUTPUT"});
    return rows;
  }

  Rows Runs() const {
    Rows rows;
    for (const Member& member : MembersOf(state_["runs"])) {
      const Document run(member.value);
      rows.push_back({"#" + Clean(member.key), Clean(run["label"].text()),
                      Clean(run["state"].text()), fmt::format("{}", run["attempt"].whole()),
                      Time(run["activated"].time()), Clean(RunNote(run))});
    }
    if (!rows.empty())
      rows.insert(rows.begin(), {"RUN", "STEP", "STATE", "ATTEMPT", "SINCE", "NOTE"});
    return rows;
  }

  // Those inside the root.
  void Scopes() {
    for (const Member& member : MembersOf(state_["scopes"])) {
      if (member.key == "0") continue;
      const Document scope(member.value);
      text_ += fmt::format("\nscope {} ({} of run #{}, index {}, {})\n", Clean(member.key),
                           Clean(scope["body"].text()), scope["owner"].whole(),
                           scope["index"].whole(), Clean(scope["state"].text()));
      if (const Document item = scope["item"]; item.value() != nullptr)
        text_ += fmt::format("  item: {}\n", Shown("", *item.value()));
      for (const Member& variable : MembersOf(scope["variables"]))
        text_ += fmt::format("  {}: {}\n", Clean(variable.key), Shown("", variable.value));
      const std::string steps = Section("", Steps(scope["steps"]));
      if (!steps.empty()) text_ += steps.substr(2);
    }
  }

  Rows Tokens() const {
    Rows rows;
    for (const Value& value : state_["tokens"].items()) {
      const Document token(value);
      std::string kind = token["kind"].text();
      if (kind == "arrived") kind = token["live"].is_true() ? "arrived" : "arrived dead";
      rows.push_back({Clean(kind), Clean(token["step"].text()), Clean(token["transition"].text()),
                      fmt::format("scope {}", token["scope"].whole())});
    }
    if (!rows.empty()) rows.insert(rows.begin(), {"TOKEN", "AT", "ON", "IN"});
    return rows;
  }

  Rows Timers() const {
    Rows rows;
    for (const Value& value : state_["timers"].items()) {
      const Document timer(value);
      const int64_t run = timer["run"].whole();
      rows.push_back({Time(timer["at"].time()), Clean(timer["kind"].text()),
                      Clean(timer["step"].text()), run == 0 ? "" : fmt::format("#{}", run)});
    }
    return rows;
  }

  Rows Signals() const {
    Rows rows;
    for (const Value& value : state_["signals"].items()) {
      const Document payload = Document(value)["payload"];
      rows.push_back({Clean(Document(value)["name"].text()),
                      payload.value() == nullptr ? "" : Shown("", *payload.value())});
    }
    return rows;
  }

  Rows Undo() const {
    Rows rows;
    for (const Value& value : state_["undo"].items()) {
      const Document undo(value);
      rows.push_back({fmt::format("#{}", undo["run"].whole()), Clean(undo["step"].text()),
                      undo["by"].is_null() ? "" : "by " + Clean(undo["by"].text())});
    }
    return rows;
  }

  const Document document_;
  const Document state_;
  const size_t width_;
  std::string text_;
};

}  // namespace

int ShowState(const Arguments& arguments, const Terminal& terminal) {
  const auto when = GivenWhen(arguments, "--at");
  if (!when.has_value()) return Refuse(terminal, when.error());
  const auto past = OpenPast(arguments);
  if (!past.has_value()) return Refuse(terminal, past.error());
  const auto document = (*past)->State(*when);
  if (!document.has_value()) return Refuse(terminal, document.error());
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(*document)) + "\n");
  } else {
    terminal.Print(StateText(Document(*document), terminal).Make());
  }
  return kExitDone;
}

}  // namespace stele::cli
