#include "tests/engine/core/random_definition.h"

#include <fmt/format.h>

#include <vector>

namespace stele::test {

namespace {

constexpr int kMaxDepth = 2;

class Writer {
 public:
  explicit Writer(uint64_t seed) : random_(seed) {}

  std::string Write() {
    std::string text = "workflow:\n  id: random\n";
    if (random_.OneIn(6)) text += "  timeout: 90s\n";
    text += "  processes:\n";
    text += Head("main", "conditional") + Graph(0, "        ");
    return text + processes_;
  }

 private:
  std::string Head(std::string_view id, std::string_view type) {
    static constexpr std::string_view kStrategies[] = {"fail", "continue", "compensate",
                                                       "compensate", "park"};
    return fmt::format(
        "    - id: {}\n      type: {}\n      error_handling: {{strategy: {}}}\n      tasks:\n", id,
        type, kStrategies[random_.Below(std::size(kStrategies))]);
  }

  // A process of its own, with a strategy of its own. Its id.
  std::string Process(int depth) {
    std::string id = NewId();
    const std::string text = Head(id, "sub_process") + Graph(depth + 1, "        ");
    processes_ += text;
    return id;
  }

  std::string NewId() { return fmt::format("s{}", ++last_id_); }

  // Tasks and the transitions between them, at that indentation.
  std::string Graph(int depth, const std::string& indent) {
    const size_t size = 1 + random_.Below(5);
    std::vector<std::string> ids;
    std::string tasks;
    std::string handlers;
    for (size_t i = 0; i < size; ++i) {
      ids.push_back(NewId());
      tasks += Task(ids.back(), depth, indent, i > 0, handlers);
    }
    const std::string outer(indent.substr(2));
    return tasks + handlers + Transitions(ids, outer);
  }

  std::string Transitions(const std::vector<std::string>& ids, const std::string& indent) {
    std::string text;
    const auto add = [&](size_t from, size_t to, std::string condition) {
      text += fmt::format("{}  - {{from: {}, to: {}{}}}\n", indent, ids[from], ids[to],
                          condition.empty() ? "" : fmt::format(", condition: \"{}\"", condition));
    };
    for (size_t to = 1; to < ids.size(); ++to) {
      const size_t first = random_.Below(to);
      add(first, to, Condition());
      if (to > 1 && random_.OneIn(2)) add((first + 1) % to, to, Condition());
    }
    // A loop to a step itself is always reducible.
    for (size_t i = 0; i < ids.size(); ++i)
      if (random_.OneIn(6)) add(i, i, "outputs.n > 6");
    // And a longer one along the way to the first, which all the others come from.
    if (ids.size() > 2 && random_.OneIn(3)) add(ids.size() - 1, 0, "outputs.n > 7");
    return text.empty() ? "" : indent + "transitions:\n" + text;
  }

  std::string Condition() {
    static constexpr std::string_view kConditions[] = {
        "", "", "", "outputs.n > 3", "outputs.n < 5", "failure", "always", "outputs.n.x > 1"};
    return std::string(kConditions[random_.Below(std::size(kConditions))]);
  }

  std::string Task(const std::string& id, int depth, const std::string& indent, bool entered,
                   std::string& handlers) {
    std::string fields = fmt::format("{}- id: {}\n", indent, id);
    const auto field = [&](const std::string& text) { fields += indent + "  " + text + "\n"; };
    AddHandlers(indent, handlers, field);
    if (entered && random_.OneIn(4)) field(Join());
    if (random_.OneIn(8)) field("when: \"variables.v != 2\"");
    if (random_.OneIn(3)) field("output_mapping: {v: \"{{response.n}}\"}");
    if (random_.OneIn(4))
      field(fmt::format("retry_policy: {{max_attempts: {}, initial_delay: 1s, jitter: 0.3}}",
                        2 + random_.Below(2)));
    if (random_.OneIn(5)) field("timeout: 20s");
    if (random_.OneIn(4)) field("optional: true");
    if (random_.OneIn(10)) field("allow_rollback: false");
    if (random_.OneIn(12)) field("concurrency: {key: \"{{variables.v}}\", limit: 2}");
    if (depth < kMaxDepth && random_.OneIn(3)) {
      Nested(depth, indent, fields, field);
    } else if (random_.OneIn(2)) {
      field("type: script");
    } else {
      AddOther(field);
    }
    return fields;
  }

  template <class Field>
  void Nested(int depth, const std::string& indent, std::string& fields, const Field& field) {
    if (random_.OneIn(4)) {
      field("type: sub_process");
      return field("process: " + Process(depth));
    }
    if (random_.OneIn(2)) {
      field("type: sub_process");
    } else {
      AddLoop(field);
    }
    field("tasks:");
    fields += Graph(depth + 1, indent + "    ");
  }

  // Steps that are no scripts.
  template <class Field>
  void AddOther(const Field& field) {
    switch (random_.Below(10)) {
      case 0:
        field("type: delay");
        return field("duration: \"5s\"");
      case 1:
        return field("type: exclusive");
      case 2:
        return field("type: parallel");
      case 3:
        return AddApproval(field);
      case 4:
        field("type: manual");
        return field("inputs: {assignees: [ann, bob], reminders: {every: 4s, limit: 2}}");
      case 5:
        field("type: message");
        return field("inputs: {name: paid, key: \"{{variables.v}}\"}");
      case 6:
        field("type: signal");
        return field("inputs: {name: go}");
      case 7:
        field("type: event_race");
        return field(
            "inputs: {events: [{id: m, message: paid, key: k}, {id: s, signal: go}, "
            "{id: t, after: 15s}]}");
      case 8:
        field("type: publish");
        return field("inputs: {name: sent, key: \"{{variables.v}}\", payload: {x: 1}}");
      default:
        field("type: call");
        return field("inputs: {workflow: other}");
    }
  }

  template <class Field>
  void AddApproval(const Field& field) {
    static constexpr std::string_view kOnDeadline[] = {"fail", "approve", "reject"};
    field("type: approval");
    field(fmt::format(
        "inputs: {{assignees: [ann, bob], group: staff, min_approvers: {}, veto: {}, "
        "on_reject: {}, deadline: 30s, on_deadline: {}, escalation: {{after: 10s, assignees: "
        "eve}}}}",
        1 + random_.Below(2), random_.OneIn(2), random_.OneIn(2) ? "fail" : "continue",
        kOnDeadline[random_.Below(std::size(kOnDeadline))]));
  }

  std::string Join() {
    static constexpr std::string_view kJoins[] = {"join: any", "join: 1", "join: all"};
    return std::string(kJoins[random_.Below(std::size(kJoins))]);
  }

  template <class Field>
  void AddHandlers(const std::string& indent, std::string& handlers, const Field& field) {
    for (const std::string_view role : {"compensation", "fallback"}) {
      if (!random_.OneIn(role == "compensation" ? 2 : 6)) continue;
      const std::string id = NewId();
      field(fmt::format("{}: {}", role, id));
      handlers += fmt::format("{}- {{id: {}, type: script}}\n", indent, id);
    }
  }

  template <class Field>
  void AddLoop(const Field& field) {
    field("type: loop");
    if (random_.OneIn(3)) field("break_on_error: false");
    switch (random_.Below(4)) {
      case 0:
        field("times: 2");
        return field("max_concurrent: 2");
      case 1:
        field("items: \"{{[1, 2, 3]}}\"");
        return field(fmt::format("max_concurrent: {}", 1 + random_.Below(3)));
      case 2:
        field("until: \"outputs.n > 2\"");
        return field("max_iterations: 3");
      default:
        field("while: \"loop.index < 2\"");
    }
  }

  Random random_;
  uint64_t last_id_ = 0;
  std::string processes_;
};

}  // namespace

uint64_t Random::Next() {
  uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

std::string RandomDefinition(uint64_t seed) {
  return Writer(seed).Write();
}

}  // namespace stele::test
