// The keys of a loop, wherever they stand.

#include <fmt/format.h>

#include <algorithm>

#include "engine/definition/dialects/fields.h"
#include "engine/definition/limits.h"
#include "engine/definition/roots.h"

namespace stele::definition {
namespace {

const Node* TakeFrom(const std::vector<MapReader*>& readers,
                     std::initializer_list<std::string_view> names) {
  const Node* found = nullptr;
  for (MapReader* reader : readers)
    if (const Node* node = reader->Take(names); node != nullptr && found == nullptr) found = node;
  return found;
}

// A name that an expression can use and that hides nothing of the engine's own.
std::string ReadItemName(const Node& node, Lowering& lowering) {
  const std::string name = ReadText(node, "`item`", lowering.faults).value_or("");
  const auto compiled = Expression::Compile(name);
  const bool usable = compiled && compiled->references().size() == 1 &&
                      compiled->references()[0].path == std::vector<std::string>{name};
  if (!usable || IsRoot(name))
    lowering.Add(ErrorCode::kInvalidDefinition, node.place,
                 "Expected a name of letters, digits and `_` that is none of the engine's own as a "
                 "loop's `item` but found " +
                     Describe(node));
  return name;
}

// Exactly one of them is there.
Template ReadItems(const Node* items, const Node* times, Lowering& lowering) {
  if (items != nullptr) {
    if (!items->is_list() && !items->is_string())
      lowering.Add(ErrorCode::kInvalidDefinition, items->place,
                   "Expected a list, or an expression that gives one, as a loop's `items` but "
                   "found " +
                       Describe(*items));
    return lowering.compiler.Computed(*items);
  }
  const bool count = times->is_scalar() && times->scalar.is_int() && times->scalar.as_int() >= 0 &&
                     times->scalar.as_int() <= UINT32_MAX;
  if (!count && !times->is_string())
    lowering.Add(ErrorCode::kInvalidDefinition, times->place,
                 "Expected a count, or an expression that gives one, as a loop's `times` but "
                 "found " +
                     Describe(*times));
  return lowering.compiler.Computed(*times);
}

void ReadBounds(MapReader& reader, Loop& loop, Lowering& lowering) {
  if (const Node* name = reader.Take({"item", "as", "item_name", "item_var"}))
    loop.item_name = ReadItemName(*name, lowering);
  if (auto most = reader.Integer({"max_iterations"}, 1, UINT32_MAX))
    loop.max_iterations = static_cast<uint32_t>(*most);
  // A mapping is the limit of the step itself.
  const Node* concurrency = reader.node().Find("concurrency");
  const bool own = concurrency == nullptr || !concurrency->is_map();
  const auto most = own ? reader.Integer({"max_concurrent", "concurrency"}, 1, kMaxConcurrency)
                        : reader.Integer({"max_concurrent"}, 1, kMaxConcurrency);
  if (most) loop.max_concurrent = static_cast<uint32_t>(*most);
  const Node* limit = reader.node().Find("max_concurrent");
  if (limit != nullptr && (loop.mode == LoopMode::kWhile || loop.mode == LoopMode::kUntil))
    lowering.Add(ErrorCode::kInvalidDefinition, limit->place,
                 "Expected `max_concurrent` in a loop over `items` or `times` alone, as a "
                 "condition is asked after each iteration, but found it in another");
  if (const Node* node = reader.Take("break_on_error"))
    loop.break_on_error = ReadBool(*node, "`break_on_error`", lowering.faults);
}

// `counted` may be null.
void CheckCount(const Node* counted, const Loop& loop, Lowering& lowering) {
  const size_t count = counted == nullptr   ? 0
                       : counted->is_list() ? counted->items.size()
                       : counted->scalar.is_int() && counted->scalar.as_int() > 0
                           ? static_cast<size_t>(counted->scalar.as_int())
                           : 0;
  if (loop.max_iterations != 0 && count > loop.max_iterations)
    lowering.Add(ErrorCode::kInvalidDefinition, counted->place,
                 fmt::format("Expected no more iterations than `max_iterations`, {}, but found {}",
                             loop.max_iterations, count));
}

}  // namespace

bool ConditionIsLoops(const std::vector<MapReader*>& readers) {
  static constexpr std::string_view kOthers[] = {"while",   "until", "items",      "for_each",
                                                 "foreach", "times", "iterations", "count"};
  for (const MapReader* reader : readers)
    for (const std::string_view key : kOthers)
      if (reader->node().Find(key) != nullptr) return false;
  return true;
}

Loop ReadLoop(std::vector<MapReader*> readers, const StepType& type, Lowering& lowering) {
  Loop loop;
  if (type.together) loop.max_concurrent = kDefaultMaxConcurrent;
  const bool conditional = ConditionIsLoops(readers);
  const Node* condition = conditional ? TakeFrom(readers, {"condition"}) : nullptr;
  const Node* while_ = TakeFrom(readers, {"while"});
  const Node* until = TakeFrom(readers, {"until"});
  const Node* items = TakeFrom(readers, {"items", "for_each", "foreach"});
  const Node* times = TakeFrom(readers, {"times", "iterations", "count"});
  const int ways =
      (condition || while_) + (until != nullptr) + (items != nullptr) + (times != nullptr);
  if (ways != 1)
    lowering.Add(ErrorCode::kInvalidDefinition, readers.back()->place(),
                 fmt::format("Expected exactly one of `while`, `until`, `items` and `times` in a "
                             "loop but found {}",
                             ways));
  loop.mode = until                 ? LoopMode::kUntil
              : items               ? LoopMode::kForEach
              : times               ? LoopMode::kTimes
              : condition || while_ ? LoopMode::kWhile
                                    : type.loop_mode;
  if (while_ != nullptr) condition = while_;
  if (until != nullptr) condition = until;
  if (condition != nullptr) loop.condition = lowering.compiler.Condition(*condition);
  if (items != nullptr || times != nullptr) loop.items = ReadItems(items, times, lowering);
  for (MapReader* reader : readers) ReadBounds(*reader, loop, lowering);
  CheckCount(items != nullptr ? items : times, loop, lowering);
  return loop;
}

}  // namespace stele::definition
