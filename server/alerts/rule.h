// An alert rule: what is watched, from when on it is said to fire, and who is told. Rules are
// settings of the registry, so that each change of one is an event.
//
//   {"condition": "failure_rate > 0.1", "definition": "orders", "window": "10m", "for": "5m",
//    "message": "{{ definition }}: {{ failed }} failed",
//    "notify": {"url": "https://hooks/x", "headers": {"X-Key": "{{ secrets.hook }}"}}}
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "engine/expression/expression.h"
#include "engine/tasks/executor.h"

namespace stele::server::alerts {

// The settings of rules, and of what became of their last delivery, by the rule's name.
inline constexpr std::string_view kRulePrefix = "alert/";
inline constexpr std::string_view kDeliveryPrefix = "alert-delivery/";

struct Notify {
  std::string type;             // the type of task that tells: "webhook", "notification"
  expression::Template config;  // of that task
};

struct Rule {
  std::string name;
  expression::Expression condition;
  std::string definition;  // empty: all of them together
  std::string window;      // as it was written
  int64_t window_us = 0;
  int64_t hold_us = 0;             // the condition must hold so long
  expression::Template message;    // of a text; the empty text: one is made
  std::optional<Notify> notify{};  // nothing: nobody is told
  Object given;                    // as whoever set it wrote it
  Seq since;                       // the registry's last event when it was first set
};

// Of what somebody gives, with every fault of it in a sentence: kInvalidInput, or kUnknownKey; of a
// condition its own, with the column. `tasks`: what tells; kUnsupported when it is not there.
Result<Rule> ReadRule(std::string_view name, const Object& given, const tasks::TaskRegistry& tasks);

// As a setting's document, and back. kInvalidInput: it is none.
std::string ToDocument(const Rule& rule);
Result<Rule> ReadDocument(std::string_view name, std::string_view document,
                          const tasks::TaskRegistry& tasks);

}  // namespace stele::server::alerts
