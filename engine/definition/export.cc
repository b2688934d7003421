#include "engine/definition/export.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/json.h"
#include "engine/definition/canonical.h"
#include "engine/definition/export_plan.h"
#include "engine/definition/patch.h"
#include "engine/definition/portrait.h"
#include "engine/definition/yaml_writer.h"

namespace stele::definition {
namespace {

struct Row {
  Dialect dialect;
  std::string_view name;
};
constexpr Row kRows[] = {{Dialect::kProcesses, "processes"},
                         {Dialect::kSteps, "steps"},
                         {Dialect::kNodes, "nodes"},
                         {Dialect::kProcessSteps, "process_steps"},
                         {Dialect::kOrderedTasks, "ordered_tasks"},
                         {Dialect::kCanonical, "canonical"}};

Value WriteIn(Dialect dialect, const ExportPlan& plan) {
  switch (dialect) {
    case Dialect::kProcesses:
      return WriteProcesses(plan);
    case Dialect::kSteps:
      return WriteSteps(plan);
    case Dialect::kNodes:
      return WriteNodes(plan);
    case Dialect::kProcessSteps:
      return WriteProcessSteps(plan);
    case Dialect::kOrderedTasks:
      return WriteOrderedTasks(plan);
    case Dialect::kCanonical:
      break;
  }
  return {};
}

std::string Emit(const Value& value, Syntax syntax) {
  return syntax == Syntax::kJson ? ToPrettyJson(value) + "\n" : ToYaml(value);
}

// An id that every notation can say: one word, without what separates ids in lists.
bool IsPlainId(std::string_view id, Dialect dialect) {
  if (id.empty() || id.find_first_of(",\n\t") != std::string_view::npos) return false;
  if (id.front() == ' ' || id.back() == ' ') return false;
  if (dialect == Dialect::kProcesses) return id != "start" && id != "end";
  if (dialect == Dialect::kSteps) return true;
  // These call a step by its name when its id is no word of the expression language.
  const auto compiled = Expression::Compile(id);
  return compiled && compiled->references().size() == 1 &&
         compiled->references()[0].path == std::vector<std::string>{std::string(id)};
}

// Steps whose ids the file cannot say are numbered in the order of those ids, whatever their place,
// so that what is read back is written alike.
std::vector<std::string> IdsFor(const Definition& definition, Dialect dialect) {
  std::set<std::string> taken;
  for (const Step& step : definition.steps) taken.insert(step.id);
  std::vector<std::string> ids;
  std::map<std::string, size_t> renamed;
  for (size_t i = 0; i < definition.steps.size(); ++i) {
    const Step& step = definition.steps[i];
    const bool pseudo = step.kind == StepKind::kStart || step.kind == StepKind::kEnd;
    const bool own =
        IsPlainId(step.id, dialect) || (pseudo && (step.id == "start" || step.id == "end"));
    if (!own) renamed.emplace(step.id, i);
    ids.push_back(step.id);
  }
  int number = 0;
  for (const auto& [id, index] : renamed) {
    ids[index] = fmt::format("step_{}", ++number);
    while (!taken.insert(ids[index]).second) ids[index] += "_";
  }
  return ids;
}

class Exporter {
 public:
  Exporter(const Definition& definition, Dialect dialect, Syntax syntax)
      : definition_(definition), dialect_(dialect), syntax_(syntax), own_(PortraitOf(definition)) {}

  Result<std::string> Run() {
    for (const Fluency fluency : {Fluency::kFluent, Fluency::kPlain, Fluency::kCareful})
      if (auto text = Try(fluency)) return *std::move(text);
    return Fail(ErrorCode::kUnsupported,
                fmt::format("Expected a definition that the notation \"{}\" can say but found {}",
                            DialectName(dialect_), problem_));
  }

 private:
  std::optional<std::string> Try(Fluency fluency);
  LoadResult Read(const ExportPlan& plan);
  std::optional<Portrait> PortraitOfText(const ExportPlan& plan);
  void Explain(const Portrait& have);

  const Definition& definition_;
  const Dialect dialect_;
  const Syntax syntax_;
  const Portrait own_;
  bool unchecked_ = false;  // references lead out of the file
  std::string text_;
  std::string problem_;
};

LoadResult Exporter::Read(const ExportPlan& plan) {
  ExportPlan written = plan;
  if (unchecked_) written.patches[""].Set("fragment", true);
  text_ = Emit(WriteIn(dialect_, written), syntax_);
  LoadResult loaded = Load(text_, syntax_, "unnamed");
  const auto is_reference = [](const Fault& fault) {
    return fault.code == ErrorCode::kUnknownReference || fault.code == ErrorCode::kExpressionType ||
           fault.code == ErrorCode::kExpressionLimit || fault.code == ErrorCode::kBadDuration;
  };
  if (loaded || unchecked_ || !std::ranges::any_of(loaded.error(), is_reference)) return loaded;
  unchecked_ = true;
  return Read(plan);
}

// Of what is read back; nothing, with the problem, when it is not.
std::optional<Portrait> Exporter::PortraitOfText(const ExportPlan& plan) {
  const LoadResult loaded = Read(plan);
  if (loaded) return PortraitOf(**loaded);
  problem_ = loaded.error()[0].message;
  return std::nullopt;
}

// Writes what the notation has words for, reads it, and puts into `stele:` what came out otherwise.
std::optional<std::string> Exporter::Try(Fluency fluency) {
  ExportPlan plan{
      .definition = definition_, .ids = IdsFor(definition_, dialect_), .fluency = fluency};
  const Portrait want = PortraitOf(definition_, plan.ids);
  // Twice: a retry policy that its type gives a step must be written to be another.
  for (int round = 0; round < 2; ++round) {
    const std::optional<Portrait> have = PortraitOfText(plan);
    if (!have) return std::nullopt;
    if (SamePortrait(own_, *have)) return text_;
    auto patches = Differences(want, *have);
    if (round == 0)
      for (const auto& [id, patch] : patches)
        if (patch.Find("retry") != nullptr) plan.retries.insert(id);
    if (round == 1 || plan.retries.empty()) {
      plan.patches = std::move(patches);
      break;
    }
  }
  const std::optional<Portrait> have = PortraitOfText(plan);
  if (!have) return std::nullopt;
  if (SamePortrait(own_, *have)) return text_;
  Explain(*have);
  return std::nullopt;
}

void Exporter::Explain(const Portrait& have) {
  for (const auto& [id, patch] : Differences(own_, have)) {
    problem_ =
        fmt::format("{}, whose {} would be another",
                    id.empty() ? "a workflow" : "the step \"" + id + "\"", patch.begin()->key);
    return;
  }
  problem_ = "a graph that would be another";
}

}  // namespace

std::string_view DialectName(Dialect dialect) {
  for (const Row& row : kRows)
    if (row.dialect == dialect) return row.name;
  return {};
}

std::optional<Dialect> FindDialect(std::string_view name) {
  for (const Row& row : kRows)
    if (row.name == name) return row.dialect;
  return std::nullopt;
}

std::vector<std::string> DialectNames() {
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.name);
  return names;
}

Result<std::string> Export(const Definition& definition, Dialect dialect, Syntax syntax) {
  if (dialect != Dialect::kCanonical) return Exporter(definition, dialect, syntax).Run();
  Result<Value> value = ParseJson(WriteCanonical(definition));
  CHECK(value.has_value());
  return Emit(*value, syntax);
}

}  // namespace stele::definition
