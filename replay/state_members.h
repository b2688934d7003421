// How members of the document of a state are written: what is zero, false, empty or absent is left
// out. For the documents of this folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/payload.h"
#include "base/value.h"
#include "engine/definition/definition.h"
#include "engine/model/instance.h"

namespace stele::replay {

// Null when absent. Text that is no JSON, as damage makes it, is a string.
Value ValueOf(const Payload& payload);

inline Value Whole(uint64_t number) {
  return static_cast<int64_t>(number);
}
Array Texts(const std::vector<std::string>& texts);
// Null, false, 0, "", [] or {}.
bool IsNothing(const Value& value);

class Members {
 public:
  void Put(std::string_view name, Value value) { object_.Set(name, std::move(value)); }
  void Word(std::string_view name, std::string_view text) { Put(name, text); }
  void Number(std::string_view name, int64_t number) { Put(name, number); }

  void operator()(std::string_view name, const Payload& v) {
    if (v.has_value()) Put(name, ValueOf(v));
  }
  void operator()(std::string_view name, const std::string& v) {
    if (!v.empty()) Put(name, v);
  }
  void operator()(std::string_view name, const std::vector<std::string>& v) {
    if (!v.empty()) Put(name, Texts(v));
  }
  void operator()(std::string_view name, Array v) {
    if (!v.empty()) Put(name, std::move(v));
  }
  void operator()(std::string_view name, bool v) {
    if (v) Put(name, v);
  }
  void operator()(std::string_view name, uint32_t v) { NotZero(name, v); }
  void operator()(std::string_view name, int64_t v) { NotZero(name, v); }
  template <class Tag, class Integer>
  void operator()(std::string_view name, StrongInteger<Tag, Integer> v) {
    NotZero(name, static_cast<int64_t>(v.value));
  }

  Object Take() { return std::move(object_); }

 private:
  void NotZero(std::string_view name, int64_t v) {
    if (v != 0) Number(name, v);
  }

  Object object_;
};

// What a definition calls its parts. What it does not have, as damage makes it, is "#17".
class Names {
 public:
  explicit Names(const definition::Definition& definition) : definition_(definition) {}

  std::string Step(StepIndex step) const;
  // The id of its compensation; empty: it has none.
  std::string Compensation(StepIndex step) const;
  std::string Body(BodyIndex body) const;
  // "a -> b"; of several from one step to the other, "a -> b (2)".
  std::string Transition(TransitionIndex transition) const;
  // "a", "a[2]"
  std::string Label(const model::Instance& instance, const model::StepRun& run) const;

 private:
  const definition::Definition& definition_;
};

}  // namespace stele::replay
