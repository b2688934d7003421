#include "replay/export/ocel.h"

#include <fmt/format.h>

#include <iterator>
#include <set>
#include <utility>

#include "base/json.h"
#include "engine/model/codec.h"
#include "engine/model/instance.h"
#include "engine/model/worker_actor.h"
#include "replay/export/time_text.h"
#include "replay/history.h"

namespace stele::replay {
namespace {

using model::RegisteredDefinition;

std::string InstanceObject(InstanceId instance) {
  return fmt::format("instance:{}", instance.value);
}
std::string DefinitionObject(const RegisteredDefinition& definition) {
  return fmt::format("definition:{}:{}", definition.name, definition.version);
}
std::string StepObject(const RegisteredDefinition& definition, std::string_view step) {
  return fmt::format("step:{}:{}:{}", definition.name, definition.version, step);
}
std::string RunObject(InstanceId instance, RunId run) {
  return fmt::format("run:{}:{}", instance.value, run.value);
}
std::string ActorObject(std::string_view actor) {
  const std::string_view worker = model::WorkerOfActor(actor);
  return worker.empty() ? fmt::format("person:{}", actor) : fmt::format("worker:{}", worker);
}

// "charge", "charge (start)"
std::string EventType(const Activity& activity) {
  if (!activity.is_step || activity.transition == StepTransitions().front())
    return std::string(activity.name);
  return fmt::format("{} ({})", activity.name, activity.transition);
}

// A JSON object or array under way.
class List {
 public:
  explicit List(std::string& out) : out_(out) {}
  void Next() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void Attribute(std::string_view name, std::string_view value, const TimeUs* time = nullptr) {
    if (value.empty()) return;
    Next();
    fmt::format_to(std::back_inserter(out_), "{{\"name\":\"{}\"", name);
    if (time != nullptr) {
      out_ += ",\"time\":\"";
      WriteTime(*time, out_);
      out_ += '"';
    }
    out_ += ",\"value\":";
    WriteJsonString(value, out_);
    out_ += '}';
  }
  void Number(std::string_view name, uint64_t value) {
    Next();
    fmt::format_to(std::back_inserter(out_), "{{\"name\":\"{}\",\"value\":{}}}", name, value);
  }
  void Relation(std::string_view object, std::string_view qualifier) {
    Next();
    out_ += "{\"objectId\":";
    WriteJsonString(object, out_);
    fmt::format_to(std::back_inserter(out_), ",\"qualifier\":\"{}\"}}", qualifier);
  }

 private:
  std::string& out_;
  bool first_ = true;
};

// In front of each entry of a list.
void NextEntry(bool& first, std::string& out) {
  out += std::exchange(first, false) ? "\n" : ",\n";
}

void BeginEntry(std::string_view id, std::string_view type, std::string& out) {
  out += "{\"id\":";
  WriteJsonString(id, out);
  out += ",\"type\":";
  WriteJsonString(type, out);
}

constexpr std::string_view kEventAttributes =
    ",\"attributes\":[{\"name\":\"event\",\"type\":\"string\"},"
    "{\"name\":\"lifecycle\",\"type\":\"string\"},{\"name\":\"position\",\"type\":\"integer\"},"
    "{\"name\":\"seq\",\"type\":\"integer\"},{\"name\":\"error\",\"type\":\"string\"},"
    "{\"name\":\"message\",\"type\":\"string\"},{\"name\":\"input\",\"type\":\"string\"},"
    "{\"name\":\"output\",\"type\":\"string\"},{\"name\":\"erased\",\"type\":\"boolean\"}]}";

constexpr std::string_view kObjectTypes =
    "\"objectTypes\":[\n"
    "{\"name\":\"instance\",\"attributes\":[{\"name\":\"business_key\",\"type\":\"string\"}]},\n"
    "{\"name\":\"definition\",\"attributes\":[{\"name\":\"name\",\"type\":\"string\"},"
    "{\"name\":\"version\",\"type\":\"string\"}]},\n"
    "{\"name\":\"step\",\"attributes\":[{\"name\":\"type\",\"type\":\"string\"}]},\n"
    "{\"name\":\"run\",\"attributes\":[]},\n"
    "{\"name\":\"person\",\"attributes\":[]},\n"
    "{\"name\":\"worker\",\"attributes\":[]}\n]";

}  // namespace

void WriteOcelTypes(const model::Registry& registry, std::string& out) {
  std::set<std::string> types;
  for (const std::string_view name : InstanceActivities()) types.emplace(name);
  for (const RegisteredDefinition& each : registry.definitions)
    // Of one that may not be read there are none.
    for (const definition::Step& step : each.definition->steps)
      for (const std::string_view transition : StepTransitions())
        types.insert(EventType({.name = step.id, .transition = transition}));
  out += "{";
  out += kObjectTypes;
  out += ",\n\"eventTypes\":[";
  bool first = true;
  for (const std::string& type : types) {
    NextEntry(first, out);
    out += "{\"name\":";
    WriteJsonString(type, out);
    out += kEventAttributes;
  }
  out += "\n],\n\"events\":[";
}

void OcelObjects::WriteBegin(const model::Registry& registry, std::string& out) {
  out += "\n],\n\"objects\":[";
  for (const RegisteredDefinition& each : registry.definitions) {
    if (!MayBeRead(each)) continue;
    const std::string definition = DefinitionObject(each);
    NextEntry(first_, out);
    BeginEntry(definition, "definition", out);
    out += ",\"attributes\":[";
    List attributes(out);
    attributes.Attribute("name", each.name, &each.registered);
    attributes.Attribute("version", fmt::format("{}", each.version), &each.registered);
    out += "]}";
    for (const definition::Step& step : each.definition->steps) {
      NextEntry(first_, out);
      BeginEntry(StepObject(each, step.id), "step", out);
      out += ",\"attributes\":[";
      List(out).Attribute("type", step.task_type, &each.registered);
      out += "],\"relationships\":[";
      List(out).Relation(definition, "part of");
      out += "]}";
    }
  }
}

void WriteOcelEnd(std::string& out) {
  out += "\n]}\n";
}

void OcelEvents::BeginTrace(InstanceId instance) {
  instance_ = instance;
  activities_.BeginInstance();
}

Result<uint64_t> OcelEvents::Write(const ExportedRecord& exported, std::string& out) {
  const eventstore::RecordView& record = exported.record;
  const RegisteredDefinition* definition = exported.definition;
  uint64_t written = 0, ordinal = 0;
  const Status read = model::DecodeEach(record.body, [&](const model::Event& event) {
    const uint64_t at = ordinal++;
    const auto activity =
        activities_.Of(event, definition == nullptr ? nullptr : definition->definition.get());
    if (!activity) return;
    ++written;
    NextEntry(first_, out);
    BeginEntry(fmt::format("event:{}:{}", record.position.value, at), EventType(*activity), out);
    out += ",\"time\":\"";
    WriteTime(record.header.time, out);
    out += "\",\"attributes\":[";
    List attributes(out);
    attributes.Attribute("event", model::EventName(event));
    attributes.Attribute("lifecycle", activity->transition);
    attributes.Number("position", record.position.value);
    attributes.Number("seq", record.header.first_seq.value + at);
    attributes.Attribute("error", activity->error);
    attributes.Attribute("message", activity->message);
    if (activity->input != nullptr) attributes.Attribute("input", activity->input->text());
    if (activity->output != nullptr) attributes.Attribute("output", activity->output->text());
    if (record.erased) {
      attributes.Next();
      out += "{\"name\":\"erased\",\"value\":true}";
    }
    out += "],\"relationships\":[";
    List relations(out);
    relations.Relation(InstanceObject(instance_), "instance");
    if (definition != nullptr) {
      relations.Relation(DefinitionObject(*definition), "definition");
      // A run that began in another version may be of a step that this one has no more.
      if (activity->is_step && definition->definition->FindStep(activity->name) != nullptr)
        relations.Relation(StepObject(*definition, activity->name), "step");
    }
    if (activity->run) relations.Relation(RunObject(instance_, activity->run), "run");
    if (!record.header.actor.empty()) relations.Relation(ActorObject(record.header.actor), "by");
    out += "]}";
  });
  if (!read.has_value()) return std::unexpected(read.error());
  return written;
}

Status OcelEvents::Skip(const ExportedRecord& exported) {
  const RegisteredDefinition* definition = exported.definition;
  return model::DecodeEach(exported.record.body, [&](const model::Event& event) {
    (void)activities_.Of(event, definition == nullptr ? nullptr : definition->definition.get());
  });
}

namespace {

// What an event brings into being.
struct ObjectsOf {
  const ExportedRecord& exported;
  const OcelObjects::Has& has;
  bool& first;
  std::string& out;
  uint64_t written = 0;

  void Instance(std::string_view business_key, InstanceId other, std::string_view qualifier) {
    const eventstore::RecordHeader& header = exported.record.header;
    Begin(InstanceObject(header.instance), "instance");
    List(out).Attribute("business_key", business_key, &header.time);
    out += "],\"relationships\":[";
    List relations(out);
    if (exported.definition != nullptr)
      relations.Relation(DefinitionObject(*exported.definition), "runs");
    if (other && has(other)) relations.Relation(InstanceObject(other), qualifier);
    out += "]}";
  }
  void Run(RunId run, StepIndex step) {
    const InstanceId instance = exported.record.header.instance;
    Begin(RunObject(instance, run), "run");
    out += "],\"relationships\":[";
    List relations(out);
    relations.Relation(InstanceObject(instance), "of");
    const RegisteredDefinition* definition = exported.definition;
    if (definition != nullptr && step.value < definition->definition->steps.size())
      relations.Relation(StepObject(*definition, definition->definition->step(step).id), "runs");
    out += "]}";
  }
  void operator()(const model::InstanceStarted& e) {
    Instance(e.business_key, e.parent_instance, "child of");
  }
  void operator()(const model::InstanceForked& e) {
    Instance(e.business_key, e.origin, "forked from");
    if (e.state.has_value())
      // Of one that migrates, steps are those of its origin's version.
      for (const model::StepRun& run : e.state->runs)
        Run(run.id, e.definition ? StepIndex(kNoIndex) : run.step);
  }
  void operator()(const model::StepActivated& e) { Run(e.run, e.step); }
  template <class Other>
  void operator()(const Other&) {}

 private:
  void Begin(std::string_view id, std::string_view type) {
    NextEntry(first, out);
    BeginEntry(id, type, out);
    out += ",\"attributes\":[";
    ++written;
  }
};

}  // namespace

Result<uint64_t> OcelObjects::Write(const ExportedRecord& exported, std::string& out) {
  const std::string_view actor = exported.record.header.actor;
  if (!actor.empty() && !actors_.contains(actor)) actors_.emplace(actor);
  ObjectsOf objects{exported, has_, first_, out};
  const Status read = model::DecodeEach(
      exported.record.body, [&](const model::Event& event) { std::visit(objects, event); });
  if (!read.has_value()) return std::unexpected(read.error());
  return objects.written;
}

void OcelObjects::WriteActors(std::string& out) {
  for (const std::string& actor : actors_) {
    NextEntry(first_, out);
    BeginEntry(ActorObject(actor), model::WorkerOfActor(actor).empty() ? "person" : "worker", out);
    out += ",\"attributes\":[]}";
  }
}

}  // namespace stele::replay
