#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/decide/human_task.h"
#include "engine/decide/limits.h"
#include "engine/decide/turn.h"
#include "engine/definition/duration.h"

namespace stele::decide {

namespace {

class Reader {
 public:
  Reader(const Value& config, HumanTaskConfig& out) : config_(config), out_(out) {}

  const Value* Find(std::initializer_list<std::string_view> names) const {
    for (const std::string_view name : names)
      if (const Value* found = config_.Find(name); found != nullptr && !found->is_null())
        return found;
    return nullptr;
  }

  // A text is a list of one.
  void Texts(std::initializer_list<std::string_view> names, std::vector<std::string>& texts) {
    for (const std::string_view name : names) {
      const Value* value = Find({name});
      if (value == nullptr) continue;
      if (!value->is_array()) {
        AddText(*value, name, texts);
        continue;
      }
      for (const Value& one : value->as_array()) AddText(one, name, texts);
    }
  }

  void Count(std::initializer_list<std::string_view> names, uint32_t least, uint32_t& count) {
    const Value* value = Find(names);
    if (value == nullptr) return;
    if (value->is_int() && value->as_int() >= least && value->as_int() <= UINT32_MAX) {
      count = static_cast<uint32_t>(value->as_int());
    } else {
      Bad(*names.begin(), fmt::format("a number of at least {}", least), *value);
    }
  }

  void Duration(std::string_view name, int64_t& us) {
    const Value* value = Find({name});
    if (value == nullptr) return;
    const std::optional<int64_t> duration = DurationUs(*value);
    if (duration.has_value() && *duration > 0) {
      us = std::min(*duration, kMaxDelayUs);
    } else {
      Bad(name, fmt::format("a duration{}", definition::DurationBound(*value)), *value);
    }
  }

  // The place of the word among `words`; 0 when it is not there.
  size_t Word(std::string_view name, std::initializer_list<std::string_view> words) {
    const Value* value = Find({name});
    if (value == nullptr) return 0;
    const auto* found =
        value->is_string() ? std::ranges::find(words, value->as_string()) : words.end();
    if (found != words.end()) return static_cast<size_t>(found - words.begin());
    Bad(name, fmt::format("one of {}", fmt::join(words, ", ")), *value);
    return 0;
  }

  void Bad(std::string_view name, std::string_view expected, const Value& found) {
    if (out_.problem.empty())
      out_.problem =
          fmt::format("Expected {} for `{}` but found {}", expected, name, ToJson(found));
  }

 private:
  void AddText(const Value& value, std::string_view name, std::vector<std::string>& texts) {
    if (value.is_string() && !value.as_string().empty()) {
      texts.push_back(value.as_string());
    } else {
      Bad(name, "a name", value);
    }
  }

  const Value& config_;
  HumanTaskConfig& out_;
};

}  // namespace

HumanTaskConfig ReadHumanTask(const Value& config) {
  HumanTaskConfig out;
  Reader reader(config, out);
  reader.Texts({"assignees", "assignee", "approvers", "candidate_users"}, out.assignees);
  reader.Texts({"groups", "group", "candidate_groups"}, out.groups);
  reader.Count({"min_approvers"}, 1, out.min_approvers);
  if (const Value* veto = reader.Find({"veto"})) {
    if (veto->is_bool()) {
      out.veto = veto->as_bool();
    } else {
      reader.Bad("veto", "true or false", *veto);
    }
  }
  out.on_reject = static_cast<OnRefusal>(reader.Word("on_reject", {"fail", "continue"}));
  out.on_deadline =
      static_cast<OnDeadline>(reader.Word("on_deadline", {"fail", "approve", "reject"}));
  reader.Duration("deadline", out.deadline_us);
  if (const Value* form = reader.Find({"form"})) out.form = Payload::FromValue(*form);
  if (const Value* escalation = reader.Find({"escalation"})) {
    Reader inner(*escalation, out);
    inner.Duration("after", out.escalate_after_us);
    inner.Texts({"assignees", "assignee"}, out.escalation_assignees);
    inner.Texts({"groups", "group"}, out.escalation_groups);
  }
  if (const Value* reminders = reader.Find({"reminders"})) {
    Reader inner(*reminders, out);
    inner.Duration("every", out.remind_every_us);
    out.remind_limit = kReminders;
    inner.Count({"limit"}, 1, out.remind_limit);
  }
  return out;
}

}  // namespace stele::decide
