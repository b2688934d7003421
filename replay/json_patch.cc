#include "replay/json_patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_pointer.h"

namespace stele::replay {

namespace {

// Finds members of an object by name, in the order in which they come as a rule.
class MembersOf {
 public:
  explicit MembersOf(const Object& object) : object_(object), next_(object.begin()) {}

  const Value* Find(const std::string& key) {
    if (next_ != object_.end() && next_->key == key) return &(next_++)->value;
    if (object_.size() <= kFew) return object_.Find(key);
    if (by_key_.empty())
      for (const Member& member : object_) by_key_.emplace(member.key, &member.value);
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : found->second;
  }

 private:
  static constexpr size_t kFew = 16;

  const Object& object_;
  Object::const_iterator next_;
  std::map<std::string_view, const Value*> by_key_;
};

class Comparison {
 public:
  void Compare(const Value& from, const Value& to, const std::string& at) {
    if (from == to) return;
    if (from.is_object() && to.is_object()) {
      CompareMembers(from.as_object(), to.as_object(), at);
    } else if (from.is_array() && to.is_array()) {
      CompareItems(from.as_array(), to.as_array(), at);
    } else {
      all_.push_back({at, &from, &to});
    }
  }
  std::vector<Difference> Take() { return std::move(all_); }

 private:
  void CompareMembers(const Object& from, const Object& to, const std::string& at) {
    MembersOf kept(to);
    for (const auto& [key, value] : from) {
      if (const Value* there = kept.Find(key); there != nullptr) {
        Compare(value, *there, Under(at, key));
      } else {
        all_.push_back({Under(at, key), &value, nullptr});
      }
    }
    MembersOf before(from);
    for (const auto& [key, value] : to)
      if (before.Find(key) == nullptr) all_.push_back({Under(at, key), nullptr, &value});
  }

  void CompareItems(const Array& from, const Array& to, const std::string& at) {
    const size_t both = std::min(from.size(), to.size());
    size_t begin = 0;
    while (begin < both && from[begin] == to[begin]) ++begin;
    size_t end = 0;
    while (end < both - begin && from[from.size() - 1 - end] == to[to.size() - 1 - end]) ++end;
    const size_t paired = both - begin - end;
    for (size_t i = begin; i < begin + paired; ++i)
      Compare(from[i], to[i], Under(at, std::to_string(i)));
    // From the last one on, so that places stay what they are.
    for (size_t i = from.size() - end; i > begin + paired; --i)
      all_.push_back({Under(at, std::to_string(i - 1)), &from[i - 1], nullptr});
    for (size_t i = begin + paired; i < to.size() - end; ++i)
      all_.push_back({Under(at, std::to_string(i)), nullptr, &to[i]});
  }

  std::vector<Difference> all_;
};

std::unexpected<Error> Misfit(std::string message) {
  return Fail(ErrorCode::kInvalidInput, std::move(message));
}

// The place of an item, or behind the last one ("-", or its number).
Result<size_t> PlaceIn(const Array& items, const std::string& key) {
  if (key == "-") return items.size();
  const auto index = PointerIndex(key);
  if (!index.has_value() || *index > items.size())
    return Misfit(
        fmt::format("Expected the place of an item up to {} but found \"{}\"", items.size(), key));
  return *index;
}

// What is there already. Null: nothing is.
Value* FindIn(Value& document, std::span<const std::string> keys) {
  return const_cast<Value*>(ValueAt(document, keys));
}

std::span<const std::string> ButLast(const std::vector<std::string>& keys) {
  return std::span(keys).first(keys.size() - 1);
}

class Patched {
 public:
  explicit Patched(Value document) : document_(std::move(document)) {}

  Status Apply(const Value& operation) {
    const Value* const op = operation.Find("op");
    if (op == nullptr || !op->is_string()) return Misfit("Expected `op` but found none");
    const std::string& name = op->as_string();
    if (name == "add" || name == "replace" || name == "test") {
      const Value* const value = operation.Find("value");
      if (value == nullptr) return Misfit("Expected `value` but found none");
      if (name == "add") return Add(operation, *value);
      const auto there = Find(operation, "path");
      if (!there.has_value()) return std::unexpected(there.error());
      if (name == "replace") {
        **there = Value(*value);
      } else if (**there != *value) {
        return Misfit("Expected the value that is tested but found another");
      }
      return {};
    }
    if (name == "remove") return Remove(operation, "path");
    if (name != "move" && name != "copy")
      return Misfit(
          fmt::format("Expected add, remove, replace, move, copy or test but found \"{}\"", name));
    const auto from = Find(operation, "from");
    if (!from.has_value()) return std::unexpected(from.error());
    Value value = **from;
    if (name == "move") STELE_RETURN_IF_ERROR(Remove(operation, "from"));
    return Add(operation, std::move(value));
  }

  Value Take() { return std::move(document_); }

 private:
  static Result<std::vector<std::string>> Keys(const Value& operation, std::string_view member) {
    const Value* const pointer = operation.Find(member);
    if (pointer == nullptr || !pointer->is_string())
      return Misfit(fmt::format("Expected `{}` but found none", member));
    auto keys = PointerKeys(pointer->as_string());
    if (!keys.has_value())
      return Misfit(fmt::format("Expected a JSON Pointer in `{}` but found \"{}\"", member,
                                pointer->as_string()));
    return *std::move(keys);
  }

  Result<Value*> Find(const Value& operation, std::string_view member) {
    const auto keys = Keys(operation, member);
    if (!keys.has_value()) return std::unexpected(keys.error());
    Value* const there = FindIn(document_, *keys);
    if (there == nullptr) return Misfit(NothingAt(operation, member));
    return there;
  }

  static std::string NothingAt(const Value& operation, std::string_view member) {
    return fmt::format("Expected something at \"{}\" but found nothing",
                       operation.Find(member)->as_string());
  }

  Status Add(const Value& operation, Value value) {
    const auto keys = Keys(operation, "path");
    if (!keys.has_value()) return std::unexpected(keys.error());
    if (keys->empty()) {
      document_ = std::move(value);
      return {};
    }
    Value* const into = FindIn(document_, ButLast(*keys));
    if (into != nullptr && into->is_object()) {
      into->as_object().Set(keys->back(), std::move(value));
    } else if (into != nullptr && into->is_array()) {
      Array& items = into->as_array();
      const auto index = PlaceIn(items, keys->back());
      if (!index.has_value()) return std::unexpected(index.error());
      items.insert(items.begin() + static_cast<ptrdiff_t>(*index), std::move(value));
    } else {
      return Misfit(NothingAt(operation, "path"));
    }
    return {};
  }

  Status Remove(const Value& operation, std::string_view member) {
    const auto keys = Keys(operation, member);
    if (!keys.has_value()) return std::unexpected(keys.error());
    if (keys->empty()) {
      document_ = Value();
      return {};
    }
    Value* const there = FindIn(document_, *keys);
    if (there == nullptr) return Misfit(NothingAt(operation, member));
    Value* const from = FindIn(document_, ButLast(*keys));
    if (from->is_object()) {
      from->as_object().Erase(keys->back());
    } else {
      Array& items = from->as_array();
      items.erase(items.begin() + (there - items.data()));
    }
    return {};
  }

  Value document_;
};

}  // namespace

std::vector<Difference> DifferencesBetween(const Value& from, const Value& to) {
  Comparison comparison;
  comparison.Compare(from, to, "");
  return comparison.Take();
}

Array PatchBetween(const Value& from, const Value& to) {
  Array patch;
  for (const Difference& difference : DifferencesBetween(from, to)) {
    const bool gone = difference.to == nullptr;
    Object operation{{"op", gone                         ? "remove"
                            : difference.from == nullptr ? "add"
                                                         : "replace"},
                     {"path", difference.at}};
    if (!gone) operation.Set("value", *difference.to);
    patch.emplace_back(std::move(operation));
  }
  return patch;
}

Result<Value> ApplyPatch(Value document, const Array& patch) {
  Patched patched(std::move(document));
  for (size_t i = 0; i < patch.size(); ++i)
    if (const Status done = patched.Apply(patch[i]); !done.has_value())
      return Fail(done.error().code, fmt::format("operation {}: {}", i, done.error().message));
  return patched.Take();
}

}  // namespace stele::replay
