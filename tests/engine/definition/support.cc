#include "tests/engine/definition/support.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace stele::definition::testing {
namespace {

std::shared_ptr<const Definition> LoadText(std::string_view text, Syntax syntax) {
  const LoadResult result = Load(text, syntax, "unnamed");
  if (result) return *result;
  for (const Fault& fault : result.error()) ADD_FAILURE() << FormatFault("text", fault);
  static const auto kEmpty = std::make_shared<const Definition>();
  return kEmpty;
}

std::string ShapeOfStep(const Definition& definition, const Step& step) {
  std::string line;
  if (step.body.value != 0) line += definition.body(step.body).id + "/";
  line += step.id + " " + step.task_type;
  if (step.join == Join::kAny) line += " join=any";
  if (step.join == Join::kNOfM) line += fmt::format(" join={}", step.join_count);
  if (step.split == Split::kFirst) line += " first";
  if (step.condition) line += " if " + step.condition->text();
  if (step.handler) line += " handler";
  if (step.fallback.value != kNoIndex) line += " fallback=" + definition.step(step.fallback).id;
  if (step.compensation.value != kNoIndex) line += " undo=" + definition.step(step.compensation).id;
  return line + "\n";
}

}  // namespace

std::shared_ptr<const Definition> LoadYaml(std::string_view text) {
  return LoadText(text, Syntax::kYaml);
}

std::shared_ptr<const Definition> LoadJson(std::string_view text) {
  return LoadText(text, Syntax::kJson);
}

std::vector<std::string> FaultsOf(std::string_view text, Syntax syntax) {
  const LoadResult result = Load(text, syntax, "unnamed");
  std::vector<std::string> lines;
  if (result) return lines;
  for (const Fault& fault : result.error())
    lines.push_back(fmt::format("{}:{} STL{:04} {}", fault.place.line, fault.place.column,
                                static_cast<int>(fault.code), fault.message));
  return lines;
}

std::string Shape(const Definition& definition) {
  std::string shape;
  for (const Step& step : definition.steps) shape += ShapeOfStep(definition, step);
  for (const Transition& edge : definition.transitions) {
    shape += definition.step(edge.from).id + " -> " + definition.step(edge.to).id;
    if (edge.on == On::kFailure) shape += " failure";
    if (edge.on == On::kCompletion) shape += " completion";
    if (edge.condition) shape += " if " + edge.condition->text();
    if (edge.is_default) shape += " default";
    if (edge.back_edge) shape += " back";
    shape += "\n";
  }
  return shape;
}

std::string Entries(const Definition& definition, uint32_t body) {
  std::string ids;
  if (body >= definition.bodies.size()) return "no such body";
  for (const StepIndex entry : definition.bodies[body].entries)
    ids += (ids.empty() ? "" : " ") + definition.step(entry).id;
  return ids;
}

std::string ReadPrinted(const std::string& name) {
  std::ifstream file(std::string(STELE_SOURCE_DIR "/tests/engine/definition/printed/") + name);
  EXPECT_TRUE(file) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> PrintedNames() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(STELE_SOURCE_DIR "/tests/engine/definition/printed"))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

}  // namespace stele::definition::testing
