// Typed access to the document tree. Every fault is added to the list and reading goes on, so that
// a file's faults are told at once.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/definition/document.h"

namespace stele::definition {

// A string of the file with its place.
struct Word {
  std::string text;
  Place place;
};

// A mapping whose keys are taken one by one; what nobody took is unknown.
class MapReader {
 public:
  // `what` names the mapping in messages: "a task".
  MapReader(const Node& node, std::string_view what, Faults& faults);

  // Null when the key is absent or its value is null. Of several names for one thing at most one
  // may be there.
  const Node* Take(std::string_view key) { return Take({key}); }
  const Node* Take(std::initializer_list<std::string_view> names);
  // As Take; a fault when it is absent.
  const Node* Require(std::initializer_list<std::string_view> names);

  std::string Text(std::initializer_list<std::string_view> names);
  bool Bool(std::initializer_list<std::string_view> names, bool absent);
  std::optional<int64_t> Integer(std::initializer_list<std::string_view> names, int64_t low,
                                 int64_t high);
  std::optional<double> Number(std::initializer_list<std::string_view> names, double low,
                               double high);
  std::optional<int64_t> Duration(std::initializer_list<std::string_view> names);
  // Puts the values of those keys, and of keys that begin with `x-`, into `extra` as they are.
  void Keep(std::span<const std::string_view> keys, Object& extra);
  void Keep(std::initializer_list<std::string_view> keys, Object& extra) {
    Keep(std::span(keys.begin(), keys.size()), extra);
  }

  // Adds a fault for each key that nobody took. Call it last.
  void Finish();

  const Node& node() const { return node_; }
  Place place() const { return node_.place; }

 private:
  const Node& node_;
  const std::string what_;
  Faults& faults_;
  std::vector<std::string> known_;
};

// A string; a number or boolean counts as the text that was written.
std::optional<std::string> ReadText(const Node& node, std::string_view what, Faults& faults);
bool ReadBool(const Node& node, std::string_view what, Faults& faults);
// One string, or a list of them. `commas`: a string may hold several.
std::vector<Word> ReadWords(const Node& node, std::string_view what, bool commas, Faults& faults);

// Whether a string anywhere in it holds `{{` or `${`, so that it is known at run time alone.
bool HasTemplate(const Node& node);

// Where a string's byte `offset` stands in the file, or the string when that is not known.
Place PlaceIn(const Node& node, size_t offset);

// Where the part stands that an RFC 6901 pointer into the node's value names, or the nearest part
// around it.
Place PlaceAt(const Node& node, std::string_view pointer);

// "API-Call" → "api_call"
std::string Fold(std::string_view word);

}  // namespace stele::definition
