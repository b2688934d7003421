#include "engine/triggers/instance_views.h"

namespace stele::triggers {

namespace {

Object Zeros() {
  return {{"started", 0}, {"running", 0},   {"completed", 0},
          {"failed", 0},  {"cancelled", 0}, {"terminated", 0}};
}

void AddTo(Value& counts, std::string_view count, int64_t by) {
  Value* found = counts.as_object().Find(count);
  *found = Value(found->as_int() + by);
}

}  // namespace

InstanceViews::InstanceViews() : roots_{{"instances", Zeros()}, {"definitions", Object()}} {}

void InstanceViews::DefinitionSeen(std::string_view definition) {
  Object& definitions = roots_.Find("definitions")->as_object();
  if (definitions.Find(definition) == nullptr) definitions.Set(definition, Zeros());
}

void InstanceViews::Add(std::string_view definition, std::string_view count, int64_t by) {
  DefinitionSeen(definition);
  AddTo(*roots_.Find("instances"), count, by);
  AddTo(*roots_.Find("definitions")->as_object().Find(definition), count, by);
}

void InstanceViews::Started(std::string_view definition) {
  Add(definition, "started", 1);
  Add(definition, "running", 1);
}

void InstanceViews::Ended(std::string_view definition, model::Status status) {
  Add(definition, "running", -1);
  Add(definition, model::StatusName(status), 1);
}

void InstanceViews::Retried(std::string_view definition) {
  Add(definition, "failed", -1);
  Add(definition, "running", 1);
}

}  // namespace stele::triggers
