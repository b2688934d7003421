// What an alert says, and what is sent of it.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/value.h"
#include "server/alerts/rule.h"

namespace stele::server::alerts {

// What the templates of a message see: the figures, and what the rule says.
Object RootsOf(const Rule& rule, bool firing, const Object& figures);
// The same, as some rule may have it.
Object SampleRoots();

// Of the figures those that the condition is about, as far as they are there.
Object ValuesOf(const Rule& rule, const Object& figures);

// The document of model::AlertChanged: {condition, definition?, window, value, message}. `value`
// are those figures that the condition is about. A message whose template cannot be rendered, for
// want of a figure, is the one that a rule without a message has.
std::string DocumentOf(const Rule& rule, bool firing, const Object& figures);

// An alert that has begun or is over, as it is recorded.
struct Notice {
  std::string rule;
  bool firing = false;
  Position position;     // of its record
  Seq seq;               // of the registry: not behind its event
  TimeUs time;           // of the record
  TimeUs since;          // when it began
  std::string document;  // model::AlertChanged::document

  // The same for one notice, however often it is sent: "high_failures-4711".
  std::string key() const;
};

// What is posted of it: {alert, state, position, time, since, condition, …, message}.
Object ToJson(const Notice& notice);

}  // namespace stele::server::alerts
