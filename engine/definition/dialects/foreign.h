// What the notations of other engines share on their way in. Each is turned, step by step, into a
// mapping in the words of the `steps:` notation, with the places of the file, and read as that:
// whatever a step can say there, it means the same here.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "engine/definition/dialects/fields.h"

namespace stele::definition {

Node TextNode(std::string text, Place place);
Node MapNode(Place place);
// Replaces the key's value, or adds it.
void SetKey(Node& map, std::string key, Node value);
// Moves the key's value out of the mapping; nothing when it is not there or null.
std::optional<Node> TakeKey(Node& map, std::string_view key);

// A step on its way to ReadStep.
struct ForeignStep {
  Node node;    // `id`, `name`, `type` and whatever else ReadStep reads
  Node config;  // becomes `config`; always a mapping
  Node stele;   // `stele:` without what the dialect read itself; always a mapping
};

// Splits a mapping into what is kept, `config` and `stele`. Faults when those are no mappings.
ForeignStep SplitStep(const Node& node, Lowering& lowering);

// Keys of a step that mean the same in every notation, moved from `from` to the step: timeouts,
// retries, mappings. Those of a configuration that are the step's own.
void LiftKeys(Node& from, ForeignStep& step);

// The type's word as ReadStep knows it: one of FindStepType's, or a worker's own type. A word that
// looks like a misspelt one is left as it is, for ReadStep to refuse.
std::string TypeWord(std::string_view word);

// Reads it, puts it into the body and notes its patch. Returns the step's index in the body.
// `retry` is the policy of tasks that have none.
size_t AddForeignStep(ForeignStep step, uint32_t body, const std::optional<RetryPolicy>& retry,
                      Lowering& lowering);

// Keys of the whole file that are kept as they are, for people and editors.
inline constexpr std::string_view kForeignHeadExtras[] = {
    "metadata",  "author",     "labels",     "owner_id",   "is_template", "status",
    "graph",     "layout",     "styling",    "project_id", "permissions", "notifications",
    "is_active", "created_at", "updated_at", "created_by", "workflow_id"};

// What the file says about the whole workflow. The dialect's own keys are taken before.
struct ForeignHead {
  std::optional<RetryPolicy> retry;
};
ForeignHead ReadForeignHead(MapReader& reader, std::string_view dialect,
                            std::string_view fallback_name, Lowering& lowering);
// Settings of a `config` mapping: retry_count, error_handling and what ReadExecution reads.
void ReadForeignSettings(const Node& node, ForeignHead& head, Lowering& lowering);

// `stele: {body: {fallback: id}}` of a definition or step, for linking.
Word BodyFallback(const Node& stele);

// Adds keys for people of the transition to Definition::extra, `edges`, by "from->to".
void KeepEdge(const Node& node, std::string_view from, std::string_view to, Lowering& lowering);

// Whether a name can stand in an expression as it is.
bool IsExpressionName(std::string_view word);

// The text of a scalar that names something: a string, or a number as it was written.
std::string NameOf(const Node* node);

// What names stand for in expressions, where a file's steps have other ids than names.
struct Renaming {
  std::map<std::string, std::string, std::less<>> steps;  // name → id
  // step and member of its mapped outputs → variable
  std::map<std::pair<std::string, std::string>, std::string> outputs;
  bool empty() const { return steps.empty() && outputs.empty(); }
};
// Applies it to the expression, or to every string with templates in it.
void RenameInCondition(Node& node, const Renaming& renaming);
void RenameInTemplates(Node& node, const Renaming& renaming);

}  // namespace stele::definition
