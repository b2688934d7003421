#include "replay/export/xes.h"

#include <fmt/format.h>

#include <iterator>

#include "engine/model/codec.h"
#include "replay/export/time_text.h"
#include "replay/xml_text.h"

namespace stele::replay {
namespace {

void AddText(std::string_view key, std::string_view text, std::string& out) {
  if (text.empty()) return;
  fmt::format_to(std::back_inserter(out), "<string key=\"{}\" value=\"", key);
  WriteXmlText(text, out);
  out += "\"/>";
}

void AddNumber(std::string_view key, uint64_t number, std::string& out) {
  fmt::format_to(std::back_inserter(out), "<int key=\"{}\" value=\"{}\"/>", key, number);
}

void AddPayload(std::string_view key, const Payload* payload, std::string& out) {
  if (payload != nullptr && payload->has_value()) AddText(key, payload->text(), out);
}

}  // namespace

void Xes::WriteHead(std::string& out) {
  out +=
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<log xes.version=\"1849.2016\" xes.features=\"\" xmlns=\"http://www.xes-standard.org/\">\n"
      "<extension name=\"Concept\" prefix=\"concept\" "
      "uri=\"http://www.xes-standard.org/concept.xesext\"/>\n"
      "<extension name=\"Time\" prefix=\"time\" uri=\"http://www.xes-standard.org/time.xesext\"/>\n"
      "<extension name=\"Lifecycle\" prefix=\"lifecycle\" "
      "uri=\"http://www.xes-standard.org/lifecycle.xesext\"/>\n"
      "<extension name=\"Organizational\" prefix=\"org\" "
      "uri=\"http://www.xes-standard.org/org.xesext\"/>\n"
      "<global scope=\"trace\"><string key=\"concept:name\" value=\"\"/></global>\n"
      "<global scope=\"event\"><string key=\"concept:name\" value=\"\"/>"
      "<date key=\"time:timestamp\" value=\"1970-01-01T00:00:00.000000Z\"/>"
      "<string key=\"lifecycle:transition\" value=\"complete\"/></global>\n"
      "<classifier name=\"Activity\" keys=\"concept:name\"/>\n"
      "<classifier name=\"Activity and transition\" keys=\"concept:name lifecycle:transition\"/>\n";
}

void Xes::WriteEnd(std::string& out) {
  out += "</log>\n";
}

void Xes::BeginTrace(InstanceId instance) {
  instance_ = instance;
  open_ = false;
  activities_.BeginInstance();
}

void Xes::WriteTraceHead(const ExportedRecord& record, const model::Event& event,
                         std::string& out) {
  out += "<trace>";
  AddText("concept:name", fmt::format("{}", instance_.value), out);
  if (record.definition != nullptr) {
    AddText("definition", record.definition->name, out);
    AddNumber("version", record.definition->version, out);
  }
  if (const auto* started = std::get_if<model::InstanceStarted>(&event)) {
    AddText("business_key", started->business_key, out);
    if (started->parent_instance) AddNumber("parent", started->parent_instance.value, out);
  }
  if (const auto* forked = std::get_if<model::InstanceForked>(&event))
    AddNumber("origin", forked->origin.value, out);
  out += '\n';
}

Result<uint64_t> Xes::Write(const ExportedRecord& exported, std::string& out) {
  const eventstore::RecordView& record = exported.record;
  const auto* definition =
      exported.definition == nullptr ? nullptr : exported.definition->definition.get();
  uint64_t written = 0;
  Seq seq = record.header.first_seq;
  const Status read = model::DecodeEach(record.body, [&](const model::Event& event) {
    const Seq at = std::exchange(seq, seq.Next());
    const auto activity = activities_.Of(event, definition);
    if (!activity) return;
    if (!std::exchange(open_, true)) WriteTraceHead(exported, event, out);
    ++written;
    out += "<event>";
    AddText("concept:name", activity->name, out);
    if (activity->run) AddText("concept:instance", fmt::format("{}", activity->run.value), out);
    out += "<date key=\"time:timestamp\" value=\"";
    WriteTime(record.header.time, out);
    out += "\"/>";
    AddText("lifecycle:transition", activity->transition, out);
    AddText("org:resource", record.header.actor, out);
    AddText("event", model::EventName(event), out);
    AddNumber("position", record.position.value, out);
    AddNumber("seq", at.value, out);
    AddText("error", activity->error, out);
    AddText("message", activity->message, out);
    AddPayload("input", activity->input, out);
    AddPayload("output", activity->output, out);
    if (record.erased) out += "<boolean key=\"erased\" value=\"true\"/>";
    out += "</event>\n";
  });
  if (!read.has_value()) return std::unexpected(read.error());
  return written;
}

Status Xes::Skip(const ExportedRecord& exported) {
  const auto* definition =
      exported.definition == nullptr ? nullptr : exported.definition->definition.get();
  return model::DecodeEach(exported.record.body, [&](const model::Event& event) {
    (void)activities_.Of(event, definition);
  });
}

void Xes::EndTrace(std::string& out) {
  if (open_) out += "</trace>\n";
}

}  // namespace stele::replay
